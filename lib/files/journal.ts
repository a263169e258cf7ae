import type { Clock } from "../runtime/clock.ts";
import { TimeSlice } from "../runtime/time_slice.ts";
import { FileModes } from "./file_modes.ts";
import { OwnedFile } from "./owned_file.ts";
import { parentOf } from "./paths.ts";
import {
  type Condition,
  type Entry,
  FORMAT,
  ownEntry,
  pathEntries,
  type RecordedCollection,
  type RecordedFailure,
  sizeOf,
} from "./record_format.ts";
import { RecordFile } from "./record_file.ts";
import { RecordReplay } from "./record_replay.ts";
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
  /** The record is read but never written, and nothing is removed. */
  isDryRun?: boolean;
  log: { warn(message: string, properties?: Record<string, unknown>): void };
}

/** Lines in the record beyond twice the necessary ones; a longer record is rewritten. */
const MAX_EXCESS = 1000;

/** Entries, and paths in them, that are read at once, in about 20 ms: those of all but very long records. */
const FIRST_ENTRIES = 4000;

/**
 * Our files and directories on disk, and the changes that the application has not been notified of. They are recorded on
 * disk ({@link RecordFile}), so they survive a restart.
 */
export class Journal {
  readonly #state = new RecordReplay();
  /** Paths of other people's files that we are about to replace or rewrite. */
  readonly #takeOvers = new Map<string, Condition>();
  /** Paths that the record of an earlier run names, until this run finds the file right or writes it. */
  readonly #unconfirmed = new Set<string>();
  readonly #record: RecordFile | undefined;
  /** Reads a line with each step, and yields the size of its entry. */
  readonly #reading: Iterator<number> | undefined;
  readonly #isDryRun: boolean;
  /** Shared by all writers of this journal, so that a volume without modes is logged once. */
  readonly modes: FileModes;

  /**
   * Reads the record, except the end of a very long one: {@link readRest} must be called before anything else. Never throws:
   * invalid lines are logged as one warning; files named only in them are not treated as ours.
   */
  constructor({ folder, id, stateFile, isDryRun = false, log }: JournalOptions) {
    const modes = this.modes = new FileModes(log);
    this.#isDryRun = isDryRun;
    if (stateFile === "none") return;
    const state = new StateDirectory(folder, id, { isTransient: false, modes });
    const places = [state];
    if (stateFile !== undefined) {
      const beside = new StateDirectory(parentOf(stateFile), id, { isTransient: true, modes });
      if (!isDryRun) beside.sweep();
      places.push(beside);
    }
    this.#record = new RecordFile(stateFile ?? state.recordPath, places, modes);
    this.#reading = this.#read(this.#record, log);
    for (let entries = 0; entries < FIRST_ENTRIES;) {
      const step = this.#reading.next();
      if (step.done) break;
      entries += step.value;
    }
  }

  /** Reads the rest of the record in slices of time. Never rejects. */
  async readRest(clock: Clock): Promise<void> {
    const slice = new TimeSlice(clock);
    slice.begin();
    while (this.#reading?.next().done === false) {
      if (slice.isOver) await slice.pause();
    }
  }

  /** Replaces paths of an earlier run by other names of the same files and directories. */
  rename(nameOf: (path: string) => string): void {
    if (!this.#state.rename(nameOf)) return;
    for (const path of this.#state.owned.keys()) this.#unconfirmed.add(path);
    this.#record?.expire();
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
    return this.#state.owned.get(path)?.owner;
  }

  fileAt(path: string): OwnedFile | undefined {
    return this.#state.owned.get(path);
  }

  /**
   * Whether a file may be the one that was written to a path of ours. A record may be anybody's work, so a path that it
   * names must hold the file with that inode, size and modification time; a file whose rewriting has not ended has its inode.
   */
  mayBeOurs(path: string, present: Stamp): boolean {
    const file = this.#state.owned.get(path);
    if (file === undefined || !this.#unconfirmed.has(path)) return file !== undefined;
    return sameStamp(file, present) || (file.size === UNFINISHED.size && file.ino === present.ino);
  }

  /** Every file of ours, by path. Files may be added and dropped during the iteration. */
  files(): IterableIterator<[string, OwnedFile]> {
    return this.#state.owned.entries();
  }

  /**
   * Records that a path is ours, before the file is put there. With a condition, somebody else's file is still there. The
   * next start will count the path as ours only if it has the inode of `stamp` (`taken over`), or only if it no longer has
   * that stamp (`rewritten`). Another call, after the file was changed, makes it ours unconditionally.
   *
   * @throws {Deno.errors.*} a new path or owner cannot be recorded; nothing changed
   */
  own(path: string, owner: string, stamp: Stamp, condition?: Condition): void {
    const known = this.#state.owned.get(path);
    this.#unconfirmed.delete(path);
    if (known?.owner === owner && sameStamp(known, stamp) && this.#takeOvers.get(path) === condition) return;
    const entry = ownEntry(path, owner, stamp, condition);
    // The record may lack the newest stamp, but not a path or an owner
    if (known?.owner === owner) this.#appendIfPossible(entry);
    else this.#append(entry);
    this.#state.owned.set(path, new OwnedFile(owner, stamp));
    if (condition === undefined) this.#takeOvers.delete(path);
    else this.#takeOvers.set(path, condition);
  }

  /** Reverts {@link own} because the file was not put there. */
  disown(path: string, before: OwnedFile | undefined): void {
    if (before === undefined) return this.drop(path);
    this.#takeOvers.delete(path);
    this.#state.owned.set(path, before);
    this.#appendIfPossible(ownEntry(path, before.owner, before, undefined));
  }

  drop(path: string): void {
    if (!this.#state.owned.delete(path)) return;
    this.#unconfirmed.delete(path);
    this.#takeOvers.delete(path);
    this.#appendIfPossible(["drop", path]);
  }

  get madeDirectories(): ReadonlySet<string> {
    return this.#state.made;
  }

  /** @throws {Deno.errors.*} it cannot be recorded; the directory is not ours */
  recordDirectory(directory: string): void {
    if (this.#state.made.has(directory)) return;
    this.#append(["make", directory]);
    this.#state.made.add(directory);
  }

  forgetDirectory(directory: string): void {
    if (this.#state.made.delete(directory)) this.#appendIfPossible(["unmake", directory]);
  }

  /** Paths whose changes the application has not been notified of; `undefined` if there are none. */
  get pending(): ReadonlySet<string> | undefined {
    return this.#state.pending;
  }

  addPending(paths: Iterable<string>): void {
    const pending = this.#state.pending ??= new Set();
    const added = [...paths].filter((path) => !pending.has(path));
    if (added.length === 0) return;
    for (const path of added) pending.add(path);
    for (const entry of pathEntries("pending", added)) this.#appendIfPossible(entry);
  }

  /** The application was notified of the changes at these paths. */
  delivered(paths: Iterable<string>): void {
    const told = [...paths].filter((path) => this.#state.pending?.has(path));
    if (this.#state.pending === undefined || (told.length === 0 && this.#state.pending.size > 0)) return;
    const isAll = told.length === this.#state.pending.size;
    this.#state.settle(isAll ? undefined : told);
    const entries = isAll ? [["delivered"] as const] : pathEntries("delivered", told);
    for (const entry of entries) this.#appendIfPossible(entry);
  }

  /** The failure of the last notification; `undefined` if it succeeded. */
  get failure(): RecordedFailure | undefined {
    return this.#state.failure;
  }

  recordFailure(failure: RecordedFailure | undefined): void {
    this.#state.failure = failure;
    this.#appendIfPossible(["failure", failure ?? null]);
  }

  /** All collections of the process that wrote the record last. */
  get collections(): readonly RecordedCollection[] {
    return this.#state.collections;
  }

  recordCollections(collections: readonly RecordedCollection[]): void {
    if (JSON.stringify(collections) === JSON.stringify(this.#state.collections)) return;
    this.#state.collections = [...collections];
    // In one write: after a crash in between, the record would name only some of them
    this.#appendIfPossible(["collections"], ...collections.map((collection): Entry => ["collection", collection]));
  }

  /** Rewrites the record if it was changed by others, could not be written earlier or is too long. */
  tidy(): void {
    if (this.#isDryRun || (!this.#record?.isStale && !this.#isTooLong)) return;
    try {
      this.#record?.rewrite(this.#entries());
    } catch {
      this.#record?.expire();
    }
  }

  get #isTooLong(): boolean {
    return this.#record !== undefined &&
      this.#record.lines > 2 * (this.#state.owned.size + this.#state.made.size) + MAX_EXCESS;
  }

  #append(...entries: Entry[]): void {
    if (this.#isDryRun) return;
    if (this.#isTooLong) {
      try {
        this.#record?.rewrite(this.#entries());
      } catch {
        // The disk is too full for that, and the long record is right, too
      }
    }
    this.#record?.append(entries, () => this.#entries());
  }

  /** For entries that may be lost: at worst, a path is checked again, or a notification is repeated. */
  #appendIfPossible(...entries: Entry[]): void {
    try {
      this.#append(...entries);
    } catch {
      this.#record?.expire();
    }
  }

  #entries(): Entry[] {
    const entries: Entry[] = [["journal", FORMAT]];
    for (const directory of this.#state.made) entries.push(["make", directory]);
    for (const [path, file] of this.#state.owned) {
      entries.push(ownEntry(path, file.owner, file, this.#takeOvers.get(path)));
    }
    if (this.#state.pending !== undefined) entries.push(...pathEntries("pending", this.#state.pending));
    if (this.#state.failure !== undefined) entries.push(["failure", this.#state.failure]);
    for (const collection of this.#state.collections) entries.push(["collection", collection]);
    return entries;
  }

  *#read(record: RecordFile, log: JournalOptions["log"]): Generator<number> {
    const consequence = "files that only it names stay until an object claims them";
    const state = this.#state;
    try {
      let ignored = 0;
      for (const entry of record.read()) {
        if (entry === undefined) ignored++;
        else state.take(entry);
        yield sizeOf(entry);
      }
      state.end();
      if (state.hasConditions) record.expire();
      for (const path of state.owned.keys()) {
        this.#unconfirmed.add(path);
        yield 0;
      }
      if (ignored === 0) return;
      log.warn(`${ignored} of ${record.lines} lines of the record ${record.path} are not valid: ${consequence}`, {
        path: record.path,
      });
    } catch (error) {
      state.clear();
      log.warn(`cannot read the record ${record.path}: ${consequence}`, { path: record.path, error });
    }
  }
}
