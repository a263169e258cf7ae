/** Size of the buffer that a body is read into, in bytes. */
export const CHUNK_SIZE = 32 * 1024;

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/** Awaits the next read of a body, within a deadline. */
type Wait = <T>(read: Promise<T>) => Promise<T>;

/**
 * Reads a body into one buffer that is reused for every chunk. V8 is slow to collect an endless stream of new buffers.
 *
 * @param least minimum bytes of a chunk, unless the body ends; at most CHUNK_SIZE. Deno delivers a compressed body, such
 *   as a list, in pieces of 4 kB (2.9.6). Each piece gets its own `wait`, so a slow body does not count as a silent one
 */
export async function* readChunks(body: Body, least: number, wait: Wait): AsyncGenerator<Uint8Array, void> {
  const reader = byteReader(body);
  // Transports other than Deno's own have no byte streams
  if (reader === undefined) return yield* readPieces(body, wait);
  try {
    let buffer = new ArrayBuffer(CHUNK_SIZE);
    let length = 0;
    while (true) {
      const { done, value } = await wait(reader.read(new Uint8Array(buffer, length)));
      // The last read has the rest of the bytes
      length += value?.length ?? 0;
      if (length > 0 && (done || length >= least)) {
        yield value === undefined ? new Uint8Array(buffer, 0, length) : new Uint8Array(value.buffer, 0, length);
        length = 0;
      }
      if (done) return;
      buffer = value.buffer;
    }
  } finally {
    reader.releaseLock();
  }
}

function byteReader(body: Body): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

async function* readPieces(body: Body, wait: Wait): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  try {
    while (true) {
      const { done, value } = await wait(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
