import type { Stamp } from "./stamp.ts";

/** A file of ours, as we wrote it or as the last check found it. */
export class OwnedFile implements Stamp {
  readonly ino: number;
  readonly mtime: number;
  readonly size: number;
  /** Hash of the content; `undefined` before the first disk check. */
  hash: string | undefined = undefined;

  /** @param owner the key of the object that it was written for */
  constructor(readonly owner: string, { ino, mtime, size }: Stamp) {
    this.ino = ino;
    this.mtime = mtime;
    this.size = size;
  }
}
