/**
 * The few Kubernetes shapes this project reads, named as the API names them.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
 */
import type { Kind } from "./kind.ts";

/** Metadata as the API server sends it. Times are RFC 3339 in UTC, seconds precise. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  deletionTimestamp?: string;
}

/**
 * A ConfigMap or a Secret. `data` is text in a ConfigMap and base64 in a Secret; `binaryData` (ConfigMap only) is
 * base64. Items of a list have no `kind`: the list determines it.
 */
export interface KubeObject {
  kind?: string;
  apiVersion?: string;
  metadata: ObjectMeta;
  data?: Record<string, string> | null;
  binaryData?: Record<string, string> | null;
}

/** Whether a value has the name (and, unless it is a Namespace, the namespace) of an object. */
export function isNamed(value: unknown, kind: Kind | "Namespace"): value is KubeObject {
  const { name, namespace }: Partial<ObjectMeta> = (value as Partial<KubeObject> | null)?.metadata ?? {};
  return typeof name === "string" && (typeof namespace === "string" || kind === "Namespace");
}

/** The body of an error answer, and of an ERROR event in a watch (meta/v1 Status). */
export interface Status {
  kind: "Status";
  status: "Failure" | "Success";
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number };
}
