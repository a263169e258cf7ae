/** Objects as the API server sends them, in one line. */
import { describeRef, type ObjectRef } from "../../lib/objects/ref.ts";
import { type Kind } from "../../lib/objects/kind.ts";
import { type KubeObject, type ObjectMeta } from "../../lib/objects/object.ts";

/** What an object has besides its name and data. Each has a default, so that a test names only what it is about. */
export interface ObjectExtras extends Partial<ObjectMeta> {
  /** Base64, by key. */
  binaryData?: Record<string, string>;
}

/** A ConfigMap; `data` is text. */
export function configMap(name: string, data: Record<string, string> = {}, extras: ObjectExtras = {}): KubeObject {
  return object("ConfigMap", name, data, extras);
}

/** A Secret; `data` is text or bytes, which this encodes as base64. */
export function secret(
  name: string,
  data: Record<string, string | Uint8Array> = {},
  extras: ObjectExtras = {},
): KubeObject {
  const encoded = Object.entries(data).map(([key, value]): [string, string] => [key, base64(value)]);
  return object("Secret", name, Object.fromEntries(encoded), extras);
}

/** The object as it is after one more change: a newer version with other data. */
export function changed(before: KubeObject, data: Record<string, string>, extras: ObjectExtras = {}): KubeObject {
  const resourceVersion = String(Number(before.metadata.resourceVersion) + 1);
  return { ...before, metadata: { ...before.metadata, resourceVersion, ...extras }, data };
}

export function refOf({ kind, metadata: { namespace, name } }: KubeObject): ObjectRef {
  return { kind: kind as Kind, namespace, name };
}

/** `ConfigMap default/a`. */
export function describe(object: KubeObject): string {
  return describeRef(refOf(object));
}

export function base64(content: string | Uint8Array): string {
  return (typeof content === "string" ? new TextEncoder().encode(content) : content).toBase64();
}

function object(kind: Kind, name: string, data: Record<string, string>, extras: ObjectExtras): KubeObject {
  const { binaryData, ...metadata } = extras;
  return {
    kind,
    metadata: {
      name,
      namespace: "default",
      uid: `uid-of-${name}`,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...metadata,
    },
    data,
    ...(binaryData === undefined ? {} : { binaryData }),
  };
}
