import assert from "node:assert/strict";
import { decodeProtobuf } from "./protobuf.ts";
import { StatusError } from "./status.ts";

/** A length-delimited field, or with a number a varint. */
function field(number: number, value: string | Uint8Array | number): Uint8Array {
  if (typeof value === "number") return Uint8Array.of(number << 3, value);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const length = bytes.length < 128 ? [bytes.length] : [bytes.length & 0x7f | 0x80, bytes.length >> 7];
  return Uint8Array.of(number << 3 | 2, ...length, ...bytes);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function envelope(kind: string, ...fields: Uint8Array[]): Uint8Array {
  const typeMeta = field(1, concat(field(1, "v1"), field(2, kind)));
  return concat(new TextEncoder().encode("k8s\0"), typeMeta, field(2, concat(...fields)), field(3, ""));
}

function entry(key: string, value: string | Uint8Array): Uint8Array {
  return concat(field(1, key), field(2, value));
}

Deno.test("decodeProtobuf() reads a ConfigMap", () => {
  const metadata = concat(
    field(1, "a"),
    field(3, "b"),
    field(8, ""),
    field(11, entry("l", "1")),
    field(14, "x.io/a"),
    field(14, "x.io/b"),
  );
  const body = envelope(
    "ConfigMap",
    field(1, metadata),
    field(2, entry("k", "é".repeat(100))),
    field(2, entry("empty", "")),
    field(3, entry("bin", Uint8Array.of(255, 0))),
    field(4, 1),
  );
  assert.deepEqual(decodeProtobuf(body), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "b", labels: { l: "1" }, finalizers: ["x.io/a", "x.io/b"] },
    data: { k: "é".repeat(100), empty: "" },
    binaryData: { bin: "/wA=" },
    immutable: true,
  });
});

Deno.test("decodeProtobuf() reads a Secret and a Namespace", () => {
  const secret = envelope("Secret", field(2, entry("k", "v")), field(3, "Opaque"), field(4, entry("s", "t")));
  assert.deepEqual(decodeProtobuf(secret), {
    ...{ apiVersion: "v1", kind: "Secret", data: { k: "dg==" }, type: "Opaque", stringData: { s: "t" } },
  });
  assert.deepEqual(decodeProtobuf(envelope("Namespace", field(1, field(1, "a")))), {
    ...{ apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } },
  });
});

Deno.test("decodeProtobuf() refuses what is cut short, is no envelope, or is of another kind", () => {
  const body = envelope("ConfigMap", field(1, field(1, "name")));
  for (const bytes of [body.subarray(0, -3), new Uint8Array(), envelope("Pod")]) {
    assert.throws(() => decodeProtobuf(bytes), (error) => error instanceof StatusError && error.status.code === 400);
  }
});
