/** DECOMPRESS: what is in a gzip archive. Loaded with the first archive, because it loads Node's streams and zlib. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Body } from "../files/body.ts";
import { ArchiveError } from "./archive_error.ts";
import { smallPiecesOf } from "./small_pieces.ts";

/**
 * Unpacks `archive`, which may have several members, and hands what is in it to `write` in pieces of 16 kB.
 *
 * @param maxBytes unpacked
 * @throws {ArchiveError} it is no gzip archive, is broken, or is too large
 * @throws what `write` throws, or the signal's reason
 */
export async function unpack(
  archive: Body,
  write: (piece: Uint8Array) => void,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  let unpacked = 0;
  // A pipeline that is ended early rejects with an AbortError, whatever ended it
  let failure: unknown;
  let isComplete = false;
  const take = (piece: Uint8Array) => {
    unpacked += piece.length;
    if (unpacked > maxBytes) throw new ArchiveError(`unpacked, it is larger than ${maxBytes} bytes (URL_MAX_BYTES)`);
    write(piece);
  };
  try {
    await pipeline(
      Readable.from(smallPiecesOf(copiesOf(archive)), { highWaterMark: 1 }),
      createGunzip(),
      async (pieces: AsyncIterable<Uint8Array>) => {
        try {
          for await (const piece of pieces) take(piece);
          isComplete = true;
        } catch (error) {
          failure = error;
          throw error;
        }
      },
      { signal },
    );
  } catch (rejection) {
    signal.throwIfAborted();
    // zlib ends at the zeros that pad an archive, and then nobody takes what is left of them
    if (isComplete) return;
    const error = failure ?? rejection;
    if (!isZlibError(error)) throw error;
    throw new ArchiveError(`it is not a gzip archive, or a broken one (${error.message})`, { cause: error });
  }
}

function* copiesOf(body: Body): Generator<Uint8Array> {
  let isEmpty = true;
  for (const piece of body()) {
    isEmpty &&= piece.length === 0;
    // The bodies of all archives share one buffer, and another one may be read before this piece is used
    yield piece.slice();
  }
  if (isEmpty) throw new ArchiveError("it is empty, which no gzip archive is");
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
