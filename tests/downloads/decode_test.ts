import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { deflateSync, gzipSync } from "node:zlib";
import { decode } from "../../lib/downloads/decode.ts";

/** A body in small chunks, and whether it was cancelled. */
function bodyOf(bytes: Uint8Array) {
  const state = { read: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (state.read >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(state.read, state.read += 1024));
    },
    cancel: () => void (state.isCancelled = true),
  }, { highWaterMark: 0 });
  return { body, state };
}

for (const [encoding, compress] of [["gzip", gzipSync], ["deflate", deflateSync]] as const) {
  Deno.test(`decode() of ${encoding} gives the content in small pieces`, async () => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    const pieces = await Array.fromAsync(decode(bodyOf(compress(content)).body, encoding));
    assert.ok(pieces.every(({ length }) => length <= 16_384));
    assert.deepEqual(new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()), content);
  });
}

Deno.test("decode() reads no more of a bomb than is asked for", async () => {
  const member = gzipSync(new Uint8Array(60 * 2 ** 20));
  const packed = new Uint8Array(20 * member.length);
  for (let index = 0; index < 20; index++) packed.set(member, index * member.length);
  const { body, state } = bodyOf(packed);
  const reader = decode(body, "gzip").getReader();
  let received = 0;
  while (received < 2 ** 20) {
    const { value } = await reader.read();
    assert.ok(value !== undefined && value.length <= 16_384);
    received += value.length;
  }
  await reader.cancel();
  assert.ok(state.read < packed.length / 4, `${state.read} of ${packed.length}`);
  for (let tick = 0; tick < 1000 && !state.isCancelled; tick++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(state.isCancelled);
});

Deno.test("decode() throws for a broken body, and what the body throws", async () => {
  await assert.rejects(Array.fromAsync(decode(bodyOf(new Uint8Array(100)).body, "gzip")), /header/);
  await assert.rejects(Array.fromAsync(decode(bodyOf(gzipSync("cut").slice(0, 12)).body, "gzip")), /end of file/);
  const failing = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error("cut off")) });
  await assert.rejects(Array.fromAsync(decode(failing, "gzip")), /cut off/);
});

Deno.test("decode() of thousands of empty members lets others run", async () => {
  const member = gzipSync("");
  const members = new Uint8Array(200_000 * member.length);
  for (let at = 0; at < members.length; at += member.length) members.set(member, at);
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) await setImmediate();
  })();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(members);
      controller.close();
    },
  });
  assert.deepEqual(await Array.fromAsync(decode(body, "gzip")), []);
  isOver = true;
  await others;
  assert.ok(turns > 10, `${turns} turns`);
});
