import type { Clock } from "../runtime/clock.ts";
import { hashOf } from "./content_hash.ts";
import { PatientOpener } from "./patient_opener.ts";
import { lstat } from "./file_calls.ts";
import type { Journal } from "./journal.ts";
import type { OwnedFile } from "./owned_file.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";
import { TimeSlice } from "../runtime/time_slice.ts";

export interface DiskCheckOptions {
  journal: Pick<Journal, "files" | "fileAt" | "own">;
  clock: Clock;
  log: { warn(message: string, properties?: Record<string, unknown>): void };
}

/**
 * Finds files of ours that somebody else changed: their size, modification time or inode is not what the journal says.
 * Costs one `lstat` for each file, and the first time a hash of its content.
 *
 * The hash is for volumes whose inodes do not last (some NFS and FUSE volumes). If only the inode of a file differs and its
 * hash is the same, the journal records the new inode.
 */
export class DiskCheck {
  readonly #journal: DiskCheckOptions["journal"];
  readonly #clock: Clock;
  readonly #opener: PatientOpener;

  constructor({ journal, clock, log }: DiskCheckOptions) {
    this.#journal = journal;
    this.#clock = clock;
    this.#opener = new PatientOpener(clock, log);
  }

  /**
   * Yields the paths of files that are missing or changed. Files may be published and removed during the iteration.
   *
   * @throws the signal's reason
   */
  async *changedFiles(signal: AbortSignal): AsyncGenerator<string> {
    const slice = new TimeSlice(this.#clock);
    slice.begin();
    for (const [path, file] of this.#journal.files()) {
      if (slice.isOver) {
        await slice.pause();
        signal.throwIfAborted();
        if (this.#journal.fileAt(path) !== file) continue;
      }
      const stamp = regularFileAt(path);
      if (stamp !== undefined && sameStamp(stamp, file)) {
        if (file.hash === undefined) file.hash = await this.#hashOf(path, stamp);
      } else if (stamp === undefined || !await this.#isSameContent(path, file, stamp)) {
        if (this.#journal.fileAt(path) === file) yield path;
      }
      signal.throwIfAborted();
    }
  }

  async #hashOf(path: string, stamp: Stamp): Promise<string | undefined> {
    using file = await this.#opener.open(path);
    return file && await hashOf(file, stamp);
  }

  /** Whether a file has its content although its inode differs. If so, updates the inode in the journal. */
  async #isSameContent(path: string, file: OwnedFile, stamp: Stamp): Promise<boolean> {
    const { hash } = file;
    if (hash === undefined || stamp.size !== file.size || stamp.mtime !== file.mtime) return false;
    if (await this.#hashOf(path, stamp) !== hash) return false;
    if (this.#journal.fileAt(path) !== file) return true;
    this.#journal.own(path, file.owner, stamp);
    const adopted = this.#journal.fileAt(path);
    if (adopted !== undefined) adopted.hash = hash;
    return true;
  }
}

/** `undefined` if it is missing, is not a regular file, or cannot be examined. */
function regularFileAt(path: string): Stamp | undefined {
  try {
    const info = lstat(path);
    return info?.isFile ? stampOf(info) : undefined;
  } catch {
    return undefined;
  }
}
