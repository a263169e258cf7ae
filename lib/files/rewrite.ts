/** ATOMIC_WRITES=false: gives a file other bytes and keeps its inode. A reader may see a part of them. */
import type { Body } from "./body.ts";
import type { Stamp } from "./stamp.ts";

/** The stamp of a file whose rewriting has not ended. No file has it, so the disk check finds the file changed. */
export const UNFINISHED: Omit<Stamp, "ino"> = { mtime: 0, size: -1 };

/**
 * Opens a regular file for {@link overwrite}.
 *
 * @param present what is at the path: a regular file
 * @param mode a mode without the right to write is extended for that
 * @returns `undefined` when the file must be replaced instead, because it has other names, or we may not write to it
 * @throws {Error} somebody put another file in its place meanwhile
 */
export function openForRewrite(path: string, present: Deno.FileInfo, mode: number): Deno.FsFile | undefined {
  if (present.nlink !== 1) return undefined;
  const file = openWritable(path, mode);
  if (file === undefined) return undefined;
  const { isFile, ino, dev } = file.statSync();
  // A symlink may have come in its place, which would lead out of the folder
  if (isFile && ino === present.ino && dev === present.dev) return file;
  file.close();
  throw new Error("the file was replaced by somebody else");
}

/** @throws {Deno.errors.*} the file may have a part of the bytes */
export function overwrite(file: Deno.FsFile, body: Body): void {
  let size = 0;
  for (const piece of body()) {
    for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
    size += piece.length;
  }
  file.truncateSync(size);
}

function openWritable(path: string, mode: number): Deno.FsFile | undefined {
  for (const prepare of [() => {}, () => Deno.chmodSync(path, mode | 0o200)]) {
    try {
      prepare();
      return Deno.openSync(path, { read: true, write: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    }
  }
  return undefined;
}
