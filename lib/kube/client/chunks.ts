/** Size of the buffer that a body is read into, in bytes. */
export const CHUNK_SIZE = 32 * 1024;

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/**
 * Size of the buffer with which an endless body is awaited, in bytes: hundreds of watches wait at the same time, and each
 * needs a buffer for that.
 */
const WAITING_SIZE = 1024;

/** A read of fewer bytes is the last one for now. The API server writes up to 16 kB at once (TLS records). */
const MIN_FLOWING_BYTES = 8 * 1024;

/** Large buffers that are kept for the next body. */
const MAX_SPARE = 4;

/** Awaits the next read of a body, within a deadline. */
type Wait = <T>(read: Promise<T>) => Promise<T>;

/**
 * Reads a body into one buffer that is reused for every chunk. V8 is slow to collect an endless stream of new buffers.
 * With a `least` of 1, the buffer is a small one while little comes.
 *
 * @param least minimum bytes of a chunk, unless the body ends; at most CHUNK_SIZE. Deno delivers a compressed body, such
 *   as a list, in pieces of 4 kB (2.9.6). Each piece gets its own `wait`, so a slow body does not count as a silent one
 */
export async function* readChunks(body: Body, least: number, wait: Wait): AsyncGenerator<Uint8Array, void> {
  const reader = byteReader(body);
  // Transports other than Deno's own have no byte streams
  if (reader === undefined) return yield* readPieces(body, wait);
  try {
    let buffer = least > 1 ? largeBuffer() : new ArrayBuffer(WAITING_SIZE);
    let length = 0;
    while (true) {
      const { done, value } = await wait(reader.read(new Uint8Array(buffer, length)));
      // The last read has the rest of the bytes
      length += value?.length ?? 0;
      if (length > 0 && (done || length >= least)) {
        yield value === undefined ? new Uint8Array(buffer, 0, length) : new Uint8Array(value.buffer, 0, length);
        length = 0;
      }
      if (done) return value && putBack(value.buffer);
      buffer = least > 1 ? value.buffer : bufferAfter(value);
    }
  } finally {
    reader.releaseLock();
  }
}

/** Large buffers that no body uses now. */
const spare: ArrayBuffer[] = [];

function largeBuffer(): ArrayBuffer {
  return spare.pop() ?? new ArrayBuffer(CHUNK_SIZE);
}

function putBack(buffer: ArrayBuffer): void {
  if (buffer.byteLength === CHUNK_SIZE && spare.length < MAX_SPARE) spare.push(buffer);
}

/** The buffer for the read after this one. */
function bufferAfter({ buffer, length }: Uint8Array<ArrayBuffer>): ArrayBuffer {
  if (buffer.byteLength === CHUNK_SIZE) {
    if (length >= MIN_FLOWING_BYTES) return buffer;
    putBack(buffer);
    return new ArrayBuffer(WAITING_SIZE);
  }
  return length < WAITING_SIZE ? buffer : largeBuffer();
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
