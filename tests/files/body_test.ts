import assert from "node:assert/strict";
import { base64Body, type Body, isBase64, textBody, textOf } from "../../lib/files/body.ts";
import { encode } from "../support/local_servers.ts";

function bytesOf(body: Body): Uint8Array {
  return new Uint8Array(Array.from(body(), (piece) => [...piece]).flat());
}

/** Texts around the size of a piece, with characters of one to four bytes at its edge. */
const TEXTS = [32_766, 32_767, 32_768, 32_769, 100_000].flatMap((length) =>
  ["a", "ä", "€", "🎉"].map((character) => "x".repeat(length - 2) + character.repeat(3))
);

Deno.test("textBody() gives TextEncoder's bytes each time it is read", () => {
  for (const text of ["", "a", ...TEXTS]) {
    const body = textBody(text);
    assert.deepEqual(bytesOf(body), encode(text));
    assert.deepEqual(bytesOf(body), encode(text));
  }
});

Deno.test("textBody() takes half a surrogate pair for U+FFFD, as TextEncoder does", () => {
  assert.deepEqual(bytesOf(textBody("a\ud83cb")), encode("a\ufffdb"));
});

Deno.test("base64Body() gives the bytes whatever is at a piece's edge", () => {
  for (let length = 32_760; length < 32_776; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => index % 251);
    assert.deepEqual(bytesOf(base64Body(bytes.toBase64())), bytes);
  }
  assert.deepEqual(bytesOf(base64Body("")), new Uint8Array());
});

Deno.test("textOf() reads characters that pieces cut", () => {
  for (const text of TEXTS) assert.equal(textOf(base64Body(encode(text).toBase64())), text);
});

Deno.test("isBase64() accepts what the API server writes and nothing else", () => {
  for (const good of ["", "YQ==", "YWI=", "YWJj", "+/+/"]) assert.ok(isBase64(good), good);
  for (const bad of ["Y", "YQ", "YQ=", "YQ===", "Y===", "====", "YQ==YQ==", "-_-_", "YQ==\n", "ä"]) {
    assert.ok(!isBase64(bad), bad);
  }
});
