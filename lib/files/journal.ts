import { parentOf } from "./paths.ts";
import { type Entry, FORMAT, ownEntry, type RecordedFailure } from "./record_format.ts";
import { RecordFile } from "./record_file.ts";
import { sameStamp, type Stamp } from "./stamp.ts";
import { StateDirectory } from "./state_directory.ts";

export interface JournalOptions {
  /** FOLDER. */
  folder: string;
  /** Keeps the records of several sidecars in one folder apart. */
  id: string;
  /** STATE_FILE: another path for the record, or `none` for no record. */
  stateFile?: string | undefined;
  log: { warn(message: string, properties?: Record<string, unknown>): void };
}

/** A file of ours, as it was when we wrote it or last found it right. */
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

/** Lines in the record beyond twice the necessary ones; a longer record is written anew. */
const MAX_EXCESS = 1000;

/**
 * What is ours on disk: files, directories, and the changes that the application has not been told of. It is recorded on
 * disk ({@link RecordFile}), so that a restart knows it too.
 */
export class Journal {
  readonly #owned = new Map<string, OwnedFile>();
  /** Paths of somebody else's files that we are about to replace. */
  readonly #takeOvers = new Set<string>();
  readonly #made = new Set<string>();
  #pending: Set<string> | undefined;
  #failure: RecordedFailure | undefined;
  readonly #record: RecordFile | undefined;

  /** Reads the record. Never throws: lines that cannot be read are one warning, and files that only they name are not ours. */
  constructor({ folder, id, stateFile, log }: JournalOptions) {
    if (stateFile === "none") return;
    const state = new StateDirectory(folder, id, { isTransient: false });
    const places = [state];
    if (stateFile !== undefined) {
      const beside = new StateDirectory(parentOf(stateFile), id, { isTransient: true });
      beside.sweep();
      places.push(beside);
    }
    this.#record = new RecordFile(stateFile ?? state.recordPath, places);
    this.#read(this.#record, log);
  }

  /** Where the record is; `undefined`: nothing is recorded. */
  get path(): string | undefined {
    return this.#record?.path;
  }

  /** Whether a new file could be recorded now. */
  get isWritable(): boolean {
    return this.#record?.isWritable(() => this.#entries()) ?? true;
  }

  /** The key of the object that a path was last written for; `undefined` when the path is not ours. */
  ownerOf(path: string): string | undefined {
    return this.#owned.get(path)?.owner;
  }

  fileAt(path: string): OwnedFile | undefined {
    return this.#owned.get(path);
  }

  /** Every file of ours, by path. Files may be added and dropped during the iteration. */
  files(): IterableIterator<[string, OwnedFile]> {
    return this.#owned.entries();
  }

  /**
   * Records that a path is ours, before the file is put there. With `isTakeOver`, somebody else's file is still there: the
   * next start will count the path as ours only if it has the inode of `stamp`. Another call, after the file was replaced,
   * makes it ours unconditionally.
   *
   * @throws {Deno.errors.*} a new path or owner cannot be recorded; nothing changed
   */
  own(path: string, owner: string, stamp: Stamp, { isTakeOver = false } = {}): void {
    const known = this.#owned.get(path);
    if (known?.owner === owner && sameStamp(known, stamp) && this.#takeOvers.has(path) === isTakeOver) return;
    const entry = ownEntry(path, owner, stamp, isTakeOver);
    // The record may lack the newest stamp, but not a path or an owner
    if (known?.owner === owner) this.#appendIfPossible(entry);
    else this.#append(entry);
    this.#owned.set(path, new OwnedFile(owner, stamp));
    if (isTakeOver) this.#takeOvers.add(path);
    else this.#takeOvers.delete(path);
  }

  /** Reverts {@link own} because the file was not put there. */
  disown(path: string, before: OwnedFile | undefined): void {
    if (before === undefined) return this.drop(path);
    this.#takeOvers.delete(path);
    this.#owned.set(path, before);
    this.#appendIfPossible(ownEntry(path, before.owner, before, false));
  }

  drop(path: string): void {
    if (!this.#owned.delete(path)) return;
    this.#takeOvers.delete(path);
    this.#appendIfPossible(["drop", path]);
  }

  get madeDirectories(): ReadonlySet<string> {
    return this.#made;
  }

  /** @throws {Deno.errors.*} it cannot be recorded; the directory is not ours */
  make(directory: string): void {
    if (this.#made.has(directory)) return;
    this.#append(["make", directory]);
    this.#made.add(directory);
  }

  unmake(directory: string): void {
    if (this.#made.delete(directory)) this.#appendIfPossible(["unmake", directory]);
  }

  /** Paths whose changes the application has not been told of; `undefined` when it has been told of all. */
  get pending(): ReadonlySet<string> | undefined {
    return this.#pending;
  }

  addPending(paths: Iterable<string>): void {
    const pending = this.#pending ??= new Set();
    const added = [...paths].filter((path) => !pending.has(path));
    if (added.length === 0) return;
    for (const path of added) pending.add(path);
    this.#appendIfPossible(["pending", added]);
  }

  /** The application has been told of the changes of these files. */
  delivered(paths: Iterable<string>): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const told = [...paths].filter((path) => pending.delete(path));
    if (pending.size === 0) {
      this.#pending = undefined;
      this.#appendIfPossible(["delivered"]);
    } else if (told.length > 0) this.#appendIfPossible(["delivered", told]);
  }

  /** How the application was last told in vain; `undefined`: it was not. */
  get failure(): RecordedFailure | undefined {
    return this.#failure;
  }

  recordFailure(failure: RecordedFailure | undefined): void {
    this.#failure = failure;
    this.#appendIfPossible(["failure", failure ?? null]);
  }

  /** Writes the record anew if it was changed by others, could not be written earlier or is too long. */
  tidy(): void {
    if (!this.#record?.isStale && !this.#isTooLong) return;
    try {
      this.#record?.rewrite(this.#entries());
    } catch {
      this.#record?.expire();
    }
  }

  get #isTooLong(): boolean {
    return this.#record !== undefined &&
      this.#record.lines > 2 * (this.#owned.size + this.#made.size) + MAX_EXCESS;
  }

  #append(entry: Entry): void {
    if (this.#isTooLong) {
      try {
        this.#record?.rewrite(this.#entries());
      } catch {
        // The disk is too full for that, and the long record is right, too
      }
    }
    this.#record?.append(entry, () => this.#entries());
  }

  /** For entries that may be lost: the worst is that a path is looked at again, or a change is notified twice. */
  #appendIfPossible(entry: Entry): void {
    try {
      this.#append(entry);
    } catch {
      this.#record?.expire();
    }
  }

  #entries(): Entry[] {
    const entries: Entry[] = [["journal", FORMAT]];
    for (const directory of this.#made) entries.push(["make", directory]);
    for (const [path, file] of this.#owned) entries.push(ownEntry(path, file.owner, file, this.#takeOvers.has(path)));
    if (this.#pending !== undefined) entries.push(["pending", [...this.#pending]]);
    if (this.#failure !== undefined) entries.push(["failure", this.#failure]);
    return entries;
  }

  #read(record: RecordFile, log: JournalOptions["log"]): void {
    const consequence = "files that only it names are left alone until an object wants them";
    try {
      const read = record.read();
      if (read === undefined) return;
      // Each key is kept once, however many files the object has
      const owners = new Map<string, string>();
      for (const entry of read.entries) this.#take(entry, owners, record);
      if (read.ignored === 0) return;
      log.warn(`${read.ignored} of ${record.lines} lines of the record ${record.path} are not valid: ${consequence}`);
    } catch (error) {
      log.warn(`cannot read the record ${record.path}: ${consequence}`, { error });
    }
  }

  #take(entry: Entry, owners: Map<string, string>, record: RecordFile): void {
    switch (entry[0]) {
      case "own": {
        const [, path, key, ino, mtime, size, condition] = entry;
        const owner = owners.get(key) ?? key;
        owners.set(key, owner);
        if (condition === undefined) return void this.#owned.set(path, new OwnedFile(owner, { ino, mtime, size }));
        // The entry must not last, because the inode may be used again for another file
        record.expire();
        if (inodeOf(path) === ino) this.#owned.set(path, new OwnedFile(owner, { ino, mtime, size }));
        return;
      }
      case "drop":
        return void this.#owned.delete(entry[1]);
      case "make":
        return void this.#made.add(entry[1]);
      case "unmake":
        return void this.#made.delete(entry[1]);
      case "pending":
        this.#pending ??= new Set();
        for (const path of entry[1]) this.#pending.add(path);
        return;
      case "delivered":
        for (const path of entry[1] ?? []) this.#pending?.delete(path);
        if (entry[1] === undefined || this.#pending?.size === 0) this.#pending = undefined;
        return;
      case "failure":
        this.#failure = entry[1] ?? undefined;
    }
  }
}

function inodeOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    return null;
  }
}
