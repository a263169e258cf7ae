import assert from "node:assert/strict";
import { CHUNK_SIZE, readChunks } from "../../../lib/kube/client/chunks.ts";

/** A body of these parts, and the size of the buffer that each of them was awaited with. */
function bodyOf(parts: readonly number[]): { body: ReadableStream<Uint8Array<ArrayBuffer>>; buffers: number[] } {
  const buffers: number[] = [];
  const left = [...parts];
  let next = 0;
  const body = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const request = controller.byobRequest!;
      const view = request.view as Uint8Array<ArrayBuffer>;
      if (left.length === 0) {
        controller.close();
        return request.respond(0);
      }
      buffers.push(view.byteLength);
      const count = Math.min(view.byteLength, left[0]!);
      left[0]! -= count;
      if (left[0] === 0) left.shift();
      for (let index = 0; index < count; index++) view[index] = next++ % 251;
      request.respond(count);
    },
  });
  return { body, buffers };
}

async function read(parts: readonly number[], least: number): Promise<{ chunks: number[]; buffers: number[] }> {
  const { body, buffers } = bodyOf(parts);
  const chunks: number[] = [];
  let next = 0;
  for await (const chunk of readChunks(body, least, (reading) => reading)) {
    chunks.push(chunk.length);
    for (const byte of chunk) assert.equal(byte, next++ % 251);
  }
  return { chunks, buffers };
}

Deno.test("readChunks() waits with a small buffer, because hundreds of watches wait", async () => {
  const { chunks, buffers } = await read([250, 250, 250], 1);
  assert.deepEqual(chunks, [250, 250, 250]);
  assert.deepEqual(buffers, [1024, 1024, 1024]);
});

Deno.test("readChunks() takes a large buffer while much comes, and then the small one again", async () => {
  const { chunks, buffers } = await read([16_000, 16_000, 500, 250], 1);
  assert.deepEqual(chunks, [1024, 14_976, 16_000, 500, 250]);
  assert.deepEqual(buffers, [1024, CHUNK_SIZE, CHUNK_SIZE, CHUNK_SIZE, 1024]);
});

Deno.test("readChunks() collects the small pieces of a list", async () => {
  const pieces = Array.from({ length: 20 }, () => 4096);
  assert.deepEqual((await read(pieces, CHUNK_SIZE)).chunks, [CHUNK_SIZE, CHUNK_SIZE, 16_384]);
});
