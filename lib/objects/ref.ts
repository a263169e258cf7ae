import type { Kind } from "./kind.ts";

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

/** `grafana/secret/datasources`, as RESOURCE_NAME has it: for properties of log lines, commands and `/status`. */
export function qualifiedName({ kind, namespace, name }: ObjectRef): string {
  return [namespace, kind.toLowerCase(), name].join("/");
}

/** The property of log lines about an object. */
export function aboutObject(ref: ObjectRef): { object: string } {
  return { object: qualifiedName(ref) };
}

/**
 * Identifies an object: `Secret/grafana/datasources`. `join` makes a flat string; a concatenation would keep its parts
 * in memory.
 */
export function keyOf({ kind, namespace, name }: ObjectRef): string {
  return [kind, namespace, name].join("/");
}

/** The inverse of {@link keyOf}. */
export function refOf(key: string): ObjectRef {
  const [kind, namespace = "", name = ""] = key.split("/");
  return { kind: kind === "Secret" ? "Secret" : "ConfigMap", namespace, name };
}
