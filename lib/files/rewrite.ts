/** ATOMIC_WRITES=false: replaces the bytes of a file and keeps its inode. A reader may see a part of the new bytes. */
import type { Body } from "./body.ts";
import type { Stamp } from "./stamp.ts";

/** The stamp of a file that is being rewritten. No real file has it, so the disk check treats the file as changed. */
export const UNFINISHED: Omit<Stamp, "ino"> = { mtime: 0, size: -1 };

/**
 * Opens a regular file for {@link overwrite}.
 *
 * @param present what is at the path: a regular file
 * @param mode its write permission is added for the time of writing if it is missing
 * @returns `undefined` when the file must be replaced instead, because it has other hard links, or we may not write to it
 * @throws {Error} the file was replaced meanwhile
 */
export function openForRewrite(path: string, present: Deno.FileInfo, mode: number): Deno.FsFile | undefined {
  if (present.nlink !== 1) return undefined;
  const file = openWritable(path, mode);
  if (file === undefined) return undefined;
  const { isFile, ino, dev } = file.statSync();
  // It may have been replaced by a symlink that leads out of the folder
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
