/** The files of a collection, as its journal has them. */
import type { FileStatus } from "../../serve/status.ts";
import { given } from "../../runtime/given.ts";
import type { CollectionInner } from "../collections/collection.ts";
import { objectOf, rfc3339 } from "./words.ts";

/** Up to this size the hash in the journal is the SHA-256 of the content; beyond, it is one of hashes. */
const MAX_HASHED_BYTES = 256 * 1024;

/** Hexadecimal digits of a hash. */
const DIGITS = 16;

export function filesOf({ collection, journal, claims }: CollectionInner): FileStatus[] {
  const losers = new Map<string, string[]>();
  for (const { path, loser, blocker, collections } of claims.lost()) {
    if (collections !== undefined && collections.winner !== collection.name) continue;
    const won = blocker ?? path;
    const known = losers.get(won);
    if (known === undefined) losers.set(won, [objectOf(loser.key)]);
    else if (!known.includes(objectOf(loser.key))) known.push(objectOf(loser.key));
  }
  const mode = collection.files.mode.toString(8).padStart(3, "0");
  return [...journal.files()].map(([path, { owner, size, mtime, hash }]) => ({
    path,
    collection: collection.name,
    object: objectOf(owner),
    // A file that is being rewritten has no size yet
    size: Math.max(0, size),
    ...given("hash", hash === undefined || size > MAX_HASHED_BYTES ? undefined : shortHash(hash)),
    mode,
    writtenAt: rfc3339(mtime),
    ...given("losers", losers.get(path)),
  }));
}

function shortHash(base64: string): string {
  return Uint8Array.fromBase64(base64).toHex().slice(0, DIGITS);
}
