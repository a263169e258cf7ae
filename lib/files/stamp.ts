/** What identifies the file that was written, without its content. */
export interface Stamp {
  readonly ino: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  /** Bytes. */
  readonly size: number;
}

export function stampOf({ ino, mtime, size }: Deno.FileInfo): Stamp {
  return { ino: ino ?? 0, mtime: mtime?.getTime() ?? 0, size };
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.ino === b.ino && a.mtime === b.mtime && a.size === b.size;
}
