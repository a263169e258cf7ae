import type { Clock } from "../runtime/clock.ts";
import { hashOf } from "./content_hash.ts";
import { lstat } from "./file_calls.ts";
import type { Journal, OwnedFile } from "./journal.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";

/** Milliseconds of work at a time; in between everything else has its chance. */
const MAX_SLICE_MS = 20;

export interface DiskCheckOptions {
  journal: Pick<Journal, "files" | "fileAt" | "own">;
  clock: Clock;
}

/**
 * Finds files of ours that somebody else changed, by comparing each with what the journal says we wrote. Costs one `lstat`
 * for each file, and once a hash of its content.
 *
 * The hash is for volumes whose inodes do not last (some of NFS and FUSE): a file that differs in its inode alone is
 * compared by it, and recorded with the new inode when the content is the same.
 */
export class DiskCheck {
  readonly #journal: DiskCheckOptions["journal"];
  readonly #clock: Clock;

  constructor({ journal, clock }: DiskCheckOptions) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /**
   * Yields the paths of files that are missing or changed. Whatever is published or removed meanwhile is no harm.
   *
   * @throws the signal's reason
   */
  async *changedFiles(signal: AbortSignal): AsyncGenerator<string> {
    let sliceEnd = this.#clock.now() + MAX_SLICE_MS;
    for (const [path, file] of this.#journal.files()) {
      if (this.#clock.now() >= sliceEnd) {
        await this.#clock.sleep(0, signal);
        sliceEnd = this.#clock.now() + MAX_SLICE_MS;
        if (this.#journal.fileAt(path) !== file) continue;
      }
      const stamp = regularFileAt(path);
      if (stamp !== undefined && sameStamp(stamp, file)) {
        if (file.hash === undefined) file.hash = await hashOf(path, stamp);
      } else if (stamp === undefined || !await this.#isSameContent(path, file, stamp)) {
        if (this.#journal.fileAt(path) === file) yield path;
      }
      signal.throwIfAborted();
    }
  }

  /** Whether a file that differs in its inode alone has the old content; the journal then knows the new inode. */
  async #isSameContent(path: string, file: OwnedFile, stamp: Stamp): Promise<boolean> {
    const { hash } = file;
    if (hash === undefined || stamp.size !== file.size || stamp.mtime !== file.mtime) return false;
    if (await hashOf(path, stamp) !== hash) return false;
    if (this.#journal.fileAt(path) !== file) return true;
    this.#journal.own(path, file.owner, stamp);
    const adopted = this.#journal.fileAt(path);
    if (adopted !== undefined) adopted.hash = hash;
    return true;
  }
}

/** `undefined`: there is none, or something that is not a file, or that we may not look at. */
function regularFileAt(path: string): Stamp | undefined {
  try {
    const info = lstat(path);
    return info?.isFile ? stampOf(info) : undefined;
  } catch {
    return undefined;
  }
}
