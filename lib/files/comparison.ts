import { type Body, readFully } from "./body.ts";

const BUFFER = new Uint8Array(32 * 1024);

/** Whether a file has exactly these bytes. `false` if we may not read it, because it must then be replaced. */
export function fileHas(path: string, body: Body): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
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

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
