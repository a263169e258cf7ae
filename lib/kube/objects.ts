/**
 * The few Kubernetes shapes this project reads, named as the API names them.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
 */

/** The kinds that carry files. */
export type Kind = "ConfigMap" | "Secret";

/** The kinds in the order in which they are watched. */
export const KINDS: readonly Kind[] = ["ConfigMap", "Secret"];

/** The plural that an API path uses for a kind: `configmaps`. */
export function pluralOf(kind: Kind): string {
  return `${kind.toLowerCase()}s`;
}

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
 * A ConfigMap or a Secret. `data` is text in a ConfigMap and base64 in a Secret; `binaryData` (ConfigMap only) is base64.
 * Items of a list carry no `kind`: whoever listed them knows it.
 */
export interface KubeObject {
  kind?: string;
  apiVersion?: string;
  metadata: ObjectMeta;
  data?: Record<string, string> | null;
  binaryData?: Record<string, string> | null;
}

/** Whether a value that claims to be an object says at least which one. */
export function isNamed(value: unknown): value is KubeObject {
  const { name, namespace }: Partial<ObjectMeta> = (value as Partial<KubeObject> | null)?.metadata ?? {};
  return typeof name === "string" && typeof namespace === "string";
}

/** Names one object. */
export interface ObjectRef {
  kind: Kind;
  namespace: string;
  name: string;
}

/** `Secret grafana/datasources`, for logs and messages. */
export function describeRef(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace}/${ref.name}`;
}

/** One thing to list and watch: one kind, in one namespace or in all of them, narrowed by labels or to one name. */
export interface Source {
  kind: Kind;
  /** `undefined`: every namespace, in one request. */
  namespace?: string;
  labelSelector?: string;
  /** Watch this one object by name; wins over labels. */
  name?: string;
}

/** `configmaps in namespace "a"`, for logs and messages. */
export function describeSource(source: Source): string {
  const named = source.name === undefined ? "" : ` named "${source.name}"`;
  const where = source.namespace === undefined ? "all namespaces" : `namespace "${source.namespace}"`;
  return `${pluralOf(source.kind)}${named} in ${where}`;
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
