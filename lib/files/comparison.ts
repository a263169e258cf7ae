import { type Body, readFully } from "./body.ts";
import { errnoOf } from "./file_calls.ts";
import { type OpenFile, openWithoutWaiting } from "./open_without_waiting.ts";

const BUFFER = new Uint8Array(32 * 1024);

/**
 * Whether a file has exactly these bytes. `false`, too, if we may not read it or something else is there by now, because it
 * must then be replaced.
 *
 * @param present what is at the path: a regular file
 * @param isOurs it is still the file that we wrote, so that nobody is expected to replace it this moment
 */
export function fileHas(path: string, present: Deno.FileInfo, body: Body, { isOurs }: { isOurs: boolean }): boolean {
  let file: OpenFile | undefined;
  try {
    file = isOurs ? openOurs(path, present) : openWithoutWaiting(path, present);
  } catch (error) {
    if (errnoOf(error) === "EACCES" || errnoOf(error) === "EPERM") return false;
    throw error;
  }
  if (file === undefined) return false;
  try {
    for (const piece of body()) {
      for (let at = 0; at < piece.length; at += BUFFER.length) {
        const wanted = piece.subarray(at, at + BUFFER.length);
        const present = BUFFER.subarray(0, wanted.length);
        if (readFully(file, present) < wanted.length || !sameBytes(present, wanted)) return false;
      }
    }
    return file.readSync(BUFFER) === null;
  } finally {
    file.close();
  }
}

/** Opens a file that we wrote, although a mode such as 0040 keeps its owner from reading it. */
function openOurs(path: string, { mode }: Deno.FileInfo): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied) || mode === null || (mode & 0o400) !== 0) throw error;
  }
  Deno.chmodSync(path, (mode & 0o7777) | 0o400);
  try {
    return Deno.openSync(path);
  } finally {
    Deno.chmodSync(path, mode & 0o7777);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
