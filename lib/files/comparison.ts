/** Whether what is on disk is already right. What cannot be read is not: it is somebody else's, and will be replaced. */
import type { Body } from "./body.ts";

const BUFFER = new Uint8Array(32 * 1024);

/** Whether a file has exactly these bytes. */
export function fileHas(path: string, body: Body): boolean {
  return readable(path, (file) => {
    for (const piece of body()) {
      for (let at = 0; at < piece.length; at += BUFFER.length) {
        const wanted = piece.subarray(at, at + BUFFER.length);
        const present = BUFFER.subarray(0, wanted.length);
        if (readFully(file, present) < wanted.length || !sameBytes(present, wanted)) return false;
      }
    }
    return file.readSync(BUFFER) === null;
  });
}

/** Whether two files have the same bytes. */
export function sameFiles(a: string, b: string): boolean {
  return readable(a, (file) => fileHas(b, () => pieces(file)));
}

function* pieces(file: Deno.FsFile): Generator<Uint8Array, void> {
  const buffer = new Uint8Array(BUFFER.length);
  for (let read = readFully(file, buffer); read > 0; read = readFully(file, buffer)) yield buffer.subarray(0, read);
}

function readable(path: string, compare: (file: Deno.FsFile) => boolean): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
  try {
    return compare(file);
  } finally {
    file.close();
  }
}

/** Fills the buffer as far as the file goes. */
function readFully(file: Deno.FsFile, buffer: Uint8Array): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = file.readSync(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return filled;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
