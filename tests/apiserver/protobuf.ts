/**
 * Reads the protobuf bodies that `kubectl create configmap|secret|namespace` sends; answers are always JSON.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding and the `generated.proto` files of
 * k8s.io/api `core/v1` and k8s.io/apimachinery `pkg/apis/meta/v1`, whose field numbers these are.
 */
import { badRequest } from "./status.ts";

export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** `base64` are bytes, written as JSON writes them; a nested message has a schema of its own. */
type FieldKind = "text" | "base64" | "boolean" | "texts" | "textMap" | "base64Map" | Schema | [Schema];
type Schema = { readonly [field: number]: readonly [name: string, kind: FieldKind] };

/** Every object starts with these four bytes: `k8s` and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];

const OWNER_REFERENCE: Schema = {
  1: ["kind", "text"],
  3: ["name", "text"],
  4: ["uid", "text"],
  5: ["apiVersion", "text"],
  6: ["controller", "boolean"],
  7: ["blockOwnerDeletion", "boolean"],
};
const METADATA: Schema = {
  1: ["name", "text"],
  2: ["generateName", "text"],
  3: ["namespace", "text"],
  5: ["uid", "text"],
  6: ["resourceVersion", "text"],
  11: ["labels", "textMap"],
  12: ["annotations", "textMap"],
  13: ["ownerReferences", [OWNER_REFERENCE]],
  14: ["finalizers", "texts"],
};
const KINDS: Readonly<Record<string, Schema>> = {
  ConfigMap: {
    1: ["metadata", METADATA],
    2: ["data", "textMap"],
    3: ["binaryData", "base64Map"],
    4: ["immutable", "boolean"],
  },
  Secret: {
    1: ["metadata", METADATA],
    2: ["data", "base64Map"],
    3: ["type", "text"],
    4: ["stringData", "textMap"],
    5: ["immutable", "boolean"],
  },
  Namespace: { 1: ["metadata", METADATA] },
};
const TYPE_META: Schema = { 1: ["apiVersion", "text"], 2: ["kind", "text"] };
const ENVELOPE: Schema = { 1: ["typeMeta", TYPE_META], 2: ["raw", "base64"] };
const TEXT_ENTRY: Schema = { 1: ["key", "text"], 2: ["value", "text"] };
const BASE64_ENTRY: Schema = { 1: ["key", "text"], 2: ["value", "base64"] };

/**
 * The object of a protobuf body as its JSON would be.
 *
 * @throws {StatusError} 400 when the bytes are no object of a kind that is known here.
 */
export function decodeProtobuf(body: Uint8Array): unknown {
  if (MAGIC.some((byte, index) => body[index] !== byte)) throw badRequest("the body is no Kubernetes protobuf object");
  const { typeMeta, raw } = new Reader(body.subarray(MAGIC.length)).message(ENVELOPE) as {
    typeMeta?: { kind?: string };
    raw?: string;
  };
  const schema = KINDS[typeMeta?.kind ?? ""];
  if (schema === undefined) {
    throw badRequest(`protobuf is not understood for kind "${typeMeta?.kind ?? ""}": send JSON`);
  }
  return { ...typeMeta, ...new Reader(Uint8Array.fromBase64(raw ?? "")).message(schema) };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(schema: Schema): Record<string, unknown> {
    const fields = new Map<string, unknown>();
    while (this.#at < this.#bytes.length) {
      const tag = this.#varint();
      const value = this.#value(tag & 7);
      const known = schema[tag >>> 3];
      if (known === undefined) continue;
      const [name, kind] = known;
      fields.set(name, read(kind, value, fields.get(name)));
    }
    return Object.fromEntries(fields);
  }

  #value(wireType: number): number | Uint8Array {
    switch (wireType) {
      case 0:
        return this.#varint();
      case 1:
        return this.#take(8);
      case 2:
        return this.#take(this.#varint());
      case 5:
        return this.#take(4);
      default:
        throw badRequest(`protobuf wire type ${wireType} is not known`);
    }
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; this.#at < this.#bytes.length; scale *= 128) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw badRequest("the protobuf body ends too early");
  }

  #take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw badRequest("the protobuf body ends too early");
    return this.#bytes.subarray(this.#at, this.#at += length);
  }
}

/** The value of a field; `before` is what the field had so far, for kinds that are repeated. */
function read(kind: FieldKind, value: number | Uint8Array, before: unknown): unknown {
  if (kind === "boolean") return value !== 0;
  if (typeof value === "number") throw badRequest("a protobuf field has the wrong type");
  switch (kind) {
    case "text":
      return new TextDecoder().decode(value);
    case "base64":
      return value.toBase64();
    case "texts":
      return [...before as string[] ?? [], new TextDecoder().decode(value)];
    case "textMap":
    case "base64Map": {
      const entry = new Reader(value).message(kind === "textMap" ? TEXT_ENTRY : BASE64_ENTRY);
      const entries = Object.entries(before as Record<string, unknown> ?? {});
      return Object.fromEntries([...entries, [entry.key ?? "", entry.value ?? ""]]);
    }
  }
  if (Array.isArray(kind)) return [...before as unknown[] ?? [], new Reader(value).message(kind[0])];
  return new Reader(value).message(kind as Schema);
}
