/** Content that came compressed. Loaded with the first such answer, because it loads Node's streams and zlib. */
import { pipeline, Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { smallPiecesOf } from "./small_pieces.ts";

/**
 * Decodes a body in pieces of 16 kB, no faster than they are read: `DecompressionStream` hands out a bomb of 60 MB in one
 * piece.
 */
export function decode(body: AsyncIterable<Uint8Array>, encoding: "gzip" | "deflate"): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces(body, encoding));
}

async function* pieces(body: AsyncIterable<Uint8Array>, encoding: "gzip" | "deflate"): AsyncGenerator<Uint8Array> {
  const decoder = encoding === "gzip" ? createGunzip() : createInflate();
  // Each end destroys the other; the loop below throws what went wrong
  pipeline(Readable.from(smallPiecesOf(body), { highWaterMark: 1 }), decoder, () => {});
  yield* decoder;
}
