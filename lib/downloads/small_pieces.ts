/** Compressed content for zlib, little at a time. Loaded with the first archive, because it loads Node's timers. */
import { setImmediate } from "node:timers/promises";

/**
 * Bytes that are handed to zlib at once. What came of them is taken before the event loop gets its turn: 4 MB at most. More of
 * them would cost tens of megabytes of memory, too, where an archive consists of thousands of empty members.
 */
const MAX_PIECE = 4096;

/** @param pieces are not changed until the next one is asked for, also if others are read meanwhile */
export async function* smallPiecesOf(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += MAX_PIECE) {
      yield piece.subarray(at, at + MAX_PIECE);
      await setImmediate();
    }
  }
}
