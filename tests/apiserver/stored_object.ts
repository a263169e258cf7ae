/** The shape in which the embedded API server keeps objects. */

/** Metadata as it is kept. Times are RFC 3339 in UTC, seconds precise. Empty maps and lists are left out. */
export interface StoredMeta {
  name: string;
  generateName?: string;
  /** Left out in what belongs to no namespace. */
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: Record<string, unknown>[];
  finalizers?: string[];
}

/** An object as it is kept; never changed once it is in the store, so it may be shared. */
export interface StoredObject {
  kind: string;
  apiVersion: string;
  metadata: StoredMeta;
  [field: string]: unknown;
}
