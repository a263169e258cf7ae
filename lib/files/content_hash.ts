import { readFully } from "./body.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";

/** Bytes in memory at a time. */
const CHUNK = 256 * 1024;

/** SHA-256 in bytes. */
const DIGEST = 32;

/**
 * Hashes a file's content a chunk at a time: SHA-256 of the first chunk, then of the hash so far and the next chunk, and
 * so on.
 *
 * @param file open at its beginning
 * @param stamp what the file must have before and after
 * @returns base64; `undefined` when the file cannot be read or has, or gets, another stamp
 */
export async function hashOf(file: Deno.FsFile, stamp: Stamp): Promise<string | undefined> {
  try {
    if (!sameStamp(stampOf(file.statSync()), stamp)) return undefined;
    const buffer = new Uint8Array(DIGEST + Math.min(CHUNK, stamp.size));
    let hash = await digest(buffer.subarray(DIGEST, DIGEST + readFully(file, buffer.subarray(DIGEST))));
    for (let at = CHUNK; at < stamp.size; at += CHUNK) {
      buffer.set(hash);
      hash = await digest(buffer.subarray(0, DIGEST + readFully(file, buffer.subarray(DIGEST))));
    }
    return sameStamp(stampOf(file.statSync()), stamp) ? hash.toBase64() : undefined;
  } catch {
    return undefined;
  }
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
