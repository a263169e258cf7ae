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

/** The property of log lines about an object: `grafana/secret/datasources`, as commands and `/status` name it. */
export function aboutObject({ kind, namespace, name }: ObjectRef): { object: string } {
  return { object: `${namespace}/${kind.toLowerCase()}/${name}` };
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
