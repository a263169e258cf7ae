import { type Kind, pluralOf } from "./kind.ts";

/** A target to list and watch: one kind, in one namespace or in all, restricted by labels or to one name. */
export interface WatchTarget {
  kind: Kind | "Namespace";
  /** `undefined`: every namespace, in one request. */
  namespace?: string;
  labelSelector?: string;
  /** Watch this one object by name; takes precedence over labels. */
  name?: string;
}

/** A target whose objects become files. */
export interface Source extends WatchTarget {
  kind: Kind;
}

/** `configmaps in namespace "a"`, for logs and messages. */
export function describeSource(source: WatchTarget): string {
  if (source.kind === "Namespace") return `namespaces with labels ${source.labelSelector ?? ""}`;
  const named = source.name === undefined ? "" : ` named "${source.name}"`;
  const where = source.namespace === undefined ? "all namespaces" : `namespace "${source.namespace}"`;
  return `${pluralOf(source.kind)}${named} in ${where}`;
}
