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

/** Names an object among all: `Secret/grafana/datasources`. In one piece: a sum of strings would keep its parts alive. */
export function keyOf({ kind, namespace, name }: ObjectRef): string {
  return [kind, namespace, name].join("/");
}

/** The other way round. */
export function refOf(key: string): ObjectRef {
  const [kind, namespace = "", name = ""] = key.split("/");
  return { kind: kind === "Secret" ? "Secret" : "ConfigMap", namespace, name };
}
