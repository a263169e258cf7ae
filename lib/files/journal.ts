import { FileModes } from "./file_modes.ts";
import { parentOf } from "./paths.ts";
import {
  type Condition,
  type Entry,
  FORMAT,
  ownEntry,
  type RecordedCollection,
  type RecordedFailure,
} from "./record_format.ts";
import { isAt, isOurs } from "./recorded_file.ts";
import { RecordFile } from "./record_file.ts";
import { UNFINISHED } from "./rewrite.ts";
import { sameStamp, type Stamp } from "./stamp.ts";
import { StateDirectory } from "./state_directory.ts";

export interface JournalOptions {
  /** FOLDER. */
  folder: string;
  /** Distinguishes the records of several sidecars in one folder. */
  id: string;
  /** STATE_FILE: another path for the record, or `none` for no record. */
  stateFile?: string | undefined;
  log: { warn(message: string, properties?: Record<string, unknown>): void };
}

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

/** Lines in the record beyond twice the necessary ones; a longer record is rewritten. */
const MAX_EXCESS = 1000;

/**
 * Our files and directories on disk, and the changes that the application has not been notified of. They are recorded on
 * disk ({@link RecordFile}), so they survive a restart.
 */
export class Journal {
  readonly #owned = new Map<string, OwnedFile>();
  /** Paths of other people's files that we are about to replace or rewrite. */
  readonly #takeOvers = new Map<string, Condition>();
  /** Paths that the record of an earlier run names, until this run finds the file right or writes it. */
  readonly #unconfirmed = new Set<string>();
  readonly #made = new Set<string>();
  #pending: Set<string> | undefined;
  #failure: RecordedFailure | undefined;
  #collections: readonly RecordedCollection[] = [];
  readonly #record: RecordFile | undefined;
  /** Shared by all writers of this journal, so that a volume without modes is logged once. */
  readonly modes: FileModes;

  /** Reads the record. Never throws: invalid lines are logged as one warning; files named only in them are not treated as ours. */
  constructor({ folder, id, stateFile, log }: JournalOptions) {
    const modes = this.modes = new FileModes(log);
    if (stateFile === "none") return;
    const state = new StateDirectory(folder, id, { isTransient: false, modes });
    const places = [state];
    if (stateFile !== undefined) {
      const beside = new StateDirectory(parentOf(stateFile), id, { isTransient: true, modes });
      beside.sweep();
      places.push(beside);
    }
    this.#record = new RecordFile(stateFile ?? state.recordPath, places, modes);
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

  /**
   * Whether a file may be the one that was written to a path of ours. A record may be anybody's work, so a path that it
   * names must hold the file with that inode, size and modification time; a file whose rewriting has not ended has its inode.
   */
  mayBeOurs(path: string, present: Stamp): boolean {
    const file = this.#owned.get(path);
    if (file === undefined || !this.#unconfirmed.has(path)) return file !== undefined;
    return sameStamp(file, present) || (file.size === UNFINISHED.size && file.ino === present.ino);
  }

  /** Every file of ours, by path. Files may be added and dropped during the iteration. */
  files(): IterableIterator<[string, OwnedFile]> {
    return this.#owned.entries();
  }

  /**
   * Records that a path is ours, before the file is put there. With a condition, somebody else's file is still there. The
   * next start will count the path as ours only if it has the inode of `stamp` (`taken over`), or only if it no longer has
   * that stamp (`rewritten`). Another call, after the file was changed, makes it ours unconditionally.
   *
   * @throws {Deno.errors.*} a new path or owner cannot be recorded; nothing changed
   */
  own(path: string, owner: string, stamp: Stamp, condition?: Condition): void {
    const known = this.#owned.get(path);
    this.#unconfirmed.delete(path);
    if (known?.owner === owner && sameStamp(known, stamp) && this.#takeOvers.get(path) === condition) return;
    const entry = ownEntry(path, owner, stamp, condition);
    // The record may lack the newest stamp, but not a path or an owner
    if (known?.owner === owner) this.#appendIfPossible(entry);
    else this.#append(entry);
    this.#owned.set(path, new OwnedFile(owner, stamp));
    if (condition === undefined) this.#takeOvers.delete(path);
    else this.#takeOvers.set(path, condition);
  }

  /** Reverts {@link own} because the file was not put there. */
  disown(path: string, before: OwnedFile | undefined): void {
    if (before === undefined) return this.drop(path);
    this.#takeOvers.delete(path);
    this.#owned.set(path, before);
    this.#appendIfPossible(ownEntry(path, before.owner, before, undefined));
  }

  drop(path: string): void {
    if (!this.#owned.delete(path)) return;
    this.#unconfirmed.delete(path);
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

  /** Paths whose changes the application has not been notified of; `undefined` if there are none. */
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

  /** The application was notified of the changes at these paths. */
  delivered(paths: Iterable<string>): void {
    const told = [...paths].filter((path) => this.#pending?.has(path));
    if (this.#pending === undefined || (told.length === 0 && this.#pending.size > 0)) return;
    const isAll = told.length === this.#pending.size;
    this.#settle(isAll ? undefined : told);
    this.#appendIfPossible(isAll ? ["delivered"] : ["delivered", told]);
  }

  /** @param told `undefined` for all */
  #settle(told: readonly string[] | undefined): void {
    for (const path of told ?? []) this.#pending?.delete(path);
    if (told === undefined || this.#pending?.size === 0) this.#pending = undefined;
  }

  /** The failure of the last notification; `undefined` if it succeeded. */
  get failure(): RecordedFailure | undefined {
    return this.#failure;
  }

  recordFailure(failure: RecordedFailure | undefined): void {
    this.#failure = failure;
    this.#appendIfPossible(["failure", failure ?? null]);
  }

  /** All collections of the process that wrote the record last. */
  get collections(): readonly RecordedCollection[] {
    return this.#collections;
  }

  recordCollections(collections: readonly RecordedCollection[]): void {
    if (JSON.stringify(collections) === JSON.stringify(this.#collections)) return;
    this.#collections = collections;
    this.#appendIfPossible(["collections", collections]);
  }

  /** Rewrites the record if it was changed by others, could not be written earlier or is too long. */
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

  /** For entries that may be lost: at worst, a path is checked again, or a notification is repeated. */
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
    for (const [path, file] of this.#owned) entries.push(ownEntry(path, file.owner, file, this.#takeOvers.get(path)));
    if (this.#pending !== undefined) entries.push(["pending", [...this.#pending]]);
    if (this.#failure !== undefined) entries.push(["failure", this.#failure]);
    if (this.#collections.length > 0) entries.push(["collections", this.#collections]);
    return entries;
  }

  #read(record: RecordFile, log: JournalOptions["log"]): void {
    const consequence = "files that only it names are left alone until an object wants them";
    try {
      const read = record.read();
      if (read === undefined) return;
      // Each key is stored once, even if the object has many files
      const owners = new Map<string, string>();
      let last: { path: string; before: OwnedFile | undefined } | undefined;
      for (const entry of read.entries) {
        if (entry[0] === "own") last = { path: entry[1], before: this.#owned.get(entry[1]) };
        this.#take(entry, owners, record);
      }
      // After a crash between the record and the rename, the file is the one before
      const latest = last && this.#owned.get(last.path);
      if (last?.before !== undefined && !(latest && isAt(last.path, latest)) && isAt(last.path, last.before)) {
        this.#owned.set(last.path, last.before);
      }
      for (const path of this.#owned.keys()) this.#unconfirmed.add(path);
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
        const stamp: Stamp = { ino, mtime, size };
        if (condition === undefined) return void this.#owned.set(path, new OwnedFile(owner, stamp));
        // The entry must not last, because the inode may be used again for another file
        record.expire();
        if (!isOurs(path, stamp, condition)) return;
        this.#owned.set(path, new OwnedFile(owner, condition === "rewritten" ? { ino, ...UNFINISHED } : stamp));
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
        this.#settle(entry[1]);
        return;
      case "failure":
        this.#failure = entry[1] ?? undefined;
        return;
      case "collections":
        this.#collections = entry[1];
    }
  }
}
