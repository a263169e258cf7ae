/** Looks at files from outside, as the application beside the sidecar would. */
import type { ObjectSet } from "./object_set.ts";

const POLL_MS = 1;
const TIMEOUT_MS = 120_000;

const HEAD = new Uint8Array(64);
const DECODER = new TextDecoder();

/** Whether the file of an object holds all of what the object holds now. */
export function isInPlace(set: ObjectSet, folder: string, index: number): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(set.fileOf(folder, index));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    const head = set.headOf(index);
    const read = file.readSync(HEAD.subarray(0, head.length)) ?? 0;
    return DECODER.decode(HEAD.subarray(0, read)) === head && file.statSync().size === set.size.bytes;
  } finally {
    file.close();
  }
}

/**
 * Waits until every file is in place. Resolves to the time at which the last one that had to be waited for was, by
 * `performance.now()`. `lastFirst`: the last object is looked at first, for when all were changed before.
 *
 * @throws {Error} they were not in place in time
 */
export async function allInPlace(set: ObjectSet, folder: string, { lastFirst = false } = {}): Promise<number> {
  const { count } = set.size;
  const deadline = performance.now() + TIMEOUT_MS;
  let at = performance.now();
  let waited = false;
  for (let looked = 0; looked < count;) {
    const index = lastFirst ? count - 1 - looked : looked;
    if (isInPlace(set, folder, index)) {
      if (waited) at = performance.now();
      waited = false;
      looked++;
      continue;
    }
    if (performance.now() > deadline) throw new Error(`${set.fileOf(folder, index)} is not in place`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    waited = true;
  }
  return at;
}

/**
 * Returns when the file of an object is in place, by `performance.now()`. Looks all the time, without a pause: a
 * millisecond counts here.
 *
 * @throws {Error} it was not in place in time
 */
export function inPlaceAt(set: ObjectSet, folder: string, index: number): number {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!isInPlace(set, folder, index)) {
    if (performance.now() > deadline) throw new Error(`${set.fileOf(folder, index)} is not in place`);
  }
  return performance.now();
}
