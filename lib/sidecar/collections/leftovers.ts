/**
 * Cleans up after collections that the configuration no longer has, or that have another folder now: those that left while
 * the process ran, and those that the record of another collection names at the next start. The files of a collection go
 * once nothing can need them any more: once every collection that could take them over has been listed in full.
 */
import { realPathOf } from "../../files/file_calls.ts";
import { removeIfEmpty } from "../../files/empty_directories.ts";
import type { Journal } from "../../files/journal.ts";
import { isInside, resolvePath } from "../../files/paths.ts";
import { PublishError } from "../../files/publish_error.ts";
import type { Publisher } from "../../files/publisher.ts";
import type { RecordedCollection } from "../../files/record_format.ts";
import { ownDirectoryOf } from "../../files/state_directory.ts";
import type { Log } from "../../log/log.ts";
import { type ObjectRef, refOf } from "../../objects/ref.ts";
import { Alarm } from "../../runtime/alarm.ts";
import { Backoff } from "../../runtime/backoff.ts";
import { given } from "../../runtime/given.ts";
import type { Clock } from "../../runtime/clock.ts";
import { counted } from "../../runtime/quantities.ts";
import { TimeSlice } from "../../runtime/time_slice.ts";

/** What a collection has on the disk. */
export interface Belongings {
  journal: Journal;
  publisher: Pick<Publisher, "remove" | "removeIfEmpty">;
}

/** A collection that runs. */
export interface Neighbour {
  readonly place: RecordedCollection;
  /** FOLDER and ALLOWED_FOLDERS. */
  readonly folders: readonly string[];
  /** Whether its sources were listed in full and its files written. */
  readonly isReady: boolean;
  owns(path: string): boolean;
  /** A directory in its folder that was made by a collection that left. */
  inherit(directory: string): void;
  /** Files of others were removed from directories that may have been made here. */
  removeEmptyDirectories(): void;
}

/** The disk, as far as collections that are gone have something on it. */
export interface LeftoverDisk {
  /**
   * What a collection has, as its record says; `undefined` when there is none, so nothing is known to be ours.
   *
   * @throws {PublishError} its directory cannot be looked at
   */
  open(place: RecordedCollection, neighbours: readonly Neighbour[]): Promise<Belongings | undefined>;
  removeRecord(place: RecordedCollection, journal: Journal): void;
}

export interface LeftoversOptions {
  neighbours(): readonly Neighbour[];
  disk: LeftoverDisk;
  /** With finalizers: no file of the collection has this object's content any more. */
  onReleased?: ((ref: ObjectRef) => void) | undefined;
  /** {@link Leftovers.places} changed. */
  onChange(): void;
  /** `false` with METHOD=LIST. */
  retries?: boolean;
  clock: Clock;
  random: () => number;
  log: Log;
}

interface Leftover {
  readonly place: RecordedCollection;
  /** `undefined`: as its record says. */
  belongings: Belongings | undefined;
  readonly backoff: Backoff;
  /** By the clock, in ms. */
  dueAt: number;
}

export class Leftovers {
  readonly #options: LeftoversOptions;
  readonly #alarm: Alarm;
  readonly #slice: TimeSlice;
  readonly #all = new Map<string, Leftover>();
  /** Resolves when no clean-up is under way. */
  #cleaning: Promise<void> = Promise.resolve();

  constructor(options: LeftoversOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
    this.#slice = new TimeSlice(options.clock);
  }

  /** The collections whose files have yet to go. */
  get places(): RecordedCollection[] {
    return [...this.#all.values()].map(({ place }) => place);
  }

  /** A collection is not configured any more, or not with this folder. */
  add(recorded: RecordedCollection, belongings?: Belongings): void {
    const { clock, random } = this.#options;
    if (recorded.folder !== resolvePath("/", recorded.folder)) return;
    // Earlier versions recorded the name that the configuration gave it
    const place = { ...recorded, folder: realPathOf(recorded.folder) };
    if (this.#isRunning(place) || this.#all.has(directoryOf(place))) return;
    const backoff = new Backoff({ first: 1, random });
    this.#all.set(directoryOf(place), { place, belongings, backoff, dueAt: clock.now() });
    this.#options.onChange();
    this.#alarm.ring();
  }

  /**
   * A collection is about to have this place again. Resolves when nothing is removed there any more; what is left of its
   * files is its own.
   */
  async giveBack(place: RecordedCollection): Promise<void> {
    if (this.#all.delete(directoryOf(place))) await this.#cleaning;
  }

  /** Whether files with the content of this object have yet to go. */
  hold(key: string): boolean {
    return [...this.#all.values()].some(({ belongings }) =>
      [...belongings?.journal.files() ?? []].some(([, { owner }]) => owner === key)
    );
  }

  /** A collection has become ready, or runs again. */
  check(): void {
    this.#alarm.ring();
  }

  /** Cleans up until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.attempt(signal);
      const waiting = [...this.#all.values()].filter((leftover) => this.#mayGo(leftover));
      await this.#alarm.sleepUntil(Math.min(Infinity, ...waiting.map(({ dueAt }) => dueAt)), signal);
    }
  }

  /** Cleans up what is due now. */
  async attempt(signal: AbortSignal): Promise<void> {
    for (const [key, leftover] of [...this.#all]) {
      if (signal.aborted) return;
      if (this.#isRunning(leftover.place)) this.#forget(key);
      else if (leftover.dueAt <= this.#options.clock.now() && this.#mayGo(leftover)) {
        await (this.#cleaning = this.#tryToCleanUp(leftover));
      }
    }
  }

  #isRunning(place: RecordedCollection): boolean {
    return this.#options.neighbours().some((neighbour) => directoryOf(neighbour.place) === directoryOf(place));
  }

  #mayGo({ place }: Leftover): boolean {
    return this.#options.neighbours().every(({ place: { name }, folders, isReady }) =>
      isReady || (name !== place.name && !folders.some((folder) => overlap(folder, place.folder)))
    );
  }

  #forget(key: string): void {
    if (this.#all.delete(key)) this.#options.onChange();
  }

  async #tryToCleanUp(leftover: Leftover): Promise<void> {
    const { onReleased, clock, log, retries = true } = this.#options;
    const { place, backoff } = leftover;
    try {
      const owners = await this.#cleanUp(leftover);
      this.#forget(directoryOf(place));
      for (const owner of owners) onReleased?.(refOf(owner));
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      leftover.dueAt = clock.now() + backoff.next() * 1000;
      const line = `collection ${place.name} left ${place.folder}, and its files cannot be removed: ${error.message}`;
      const properties = { collection: place.name, ...given("path", error.path) };
      const next = retries ? "; trying again" : "";
      if (backoff.failures === 1) log.error(`${line}${next}`, properties);
      else log.debug(line, properties);
    }
  }

  /**
   * Returns the objects whose content is gone.
   *
   * @throws {PublishError} a file could not be removed; the others were
   */
  async #cleanUp(leftover: Leftover): Promise<ReadonlySet<string>> {
    const { disk, log } = this.#options;
    const { place } = leftover;
    const belongings = leftover.belongings ??= await disk.open(place, this.#options.neighbours());
    if (belongings === undefined || this.#isGivenBack(leftover)) return new Set();
    const { journal } = belongings;
    const owners = new Set([...journal.files()].map(([, { owner }]) => owner));
    const namesake = this.#options.neighbours().find(({ place: { name } }) => name === place.name);
    const isKept = place.onRemove === "keep" && namesake === undefined;
    const properties = { collection: place.name, folder: place.folder };
    if (isKept) log.info(`collection ${place.name} was removed: its files stay in ${place.folder}`, properties);
    else {
      const removed = await this.#removeFiles(leftover, belongings);
      if (this.#isGivenBack(leftover)) return new Set();
      const why = namesake === undefined ? "was removed" : `has another ${differenceTo(place, namesake.place)}`;
      log.info(`collection ${place.name} ${why}: removed ${counted(removed, "file")} from ${place.folder}`, properties);
    }
    if (!isKept) {
      await this.#handOver(leftover, belongings);
      for (const neighbour of this.#options.neighbours()) {
        if (overlap(neighbour.place.folder, place.folder)) neighbour.removeEmptyDirectories();
      }
    }
    if (this.#isGivenBack(leftover)) return new Set();
    disk.removeRecord(place, journal);
    return owners;
  }

  /** Directories that others have files in by now, and remove with the last of them. */
  async #handOver(leftover: Leftover, { journal, publisher }: Belongings): Promise<void> {
    for (const directory of [...journal.madeDirectories]) {
      // Others had files in it until now, or a crash came after its last file had gone
      removeIfEmpty(publisher, directory);
      if (!journal.madeDirectories.has(directory)) continue;
      const isAround = ({ place: { folder } }: { place: RecordedCollection }) =>
        directory !== folder && isInside(folder, directory);
      const neighbour = this.#options.neighbours().find(isAround);
      if (neighbour !== undefined) {
        neighbour.inherit(directory);
        continue;
      }
      const other = [...this.#all.values()].find((other) => other !== leftover && isAround(other));
      if (other === undefined) continue;
      other.belongings ??= await this.#options.disk.open(other.place, this.#options.neighbours());
      if (other.belongings !== undefined) inherit(other.belongings, directory);
    }
  }

  #isGivenBack(leftover: Leftover): boolean {
    return this.#all.get(directoryOf(leftover.place)) !== leftover;
  }

  /** @throws {PublishError} */
  async #removeFiles(leftover: Leftover, { journal, publisher }: Belongings): Promise<number> {
    let removed = 0;
    let failure: PublishError | undefined;
    this.#slice.begin();
    for (const path of [...journal.files()].map(([path]) => path)) {
      if (this.#slice.isOver) await this.#slice.pause();
      if (this.#isGivenBack(leftover)) return removed;
      if (this.#options.neighbours().some((neighbour) => neighbour.owns(path))) {
        journal.drop(path);
        continue;
      }
      try {
        if (publisher.remove(path)) removed++;
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return removed;
  }
}

/** Records a directory as made by us, and removes it if it is empty by now. If it cannot be recorded, it stays. */
export function inherit({ journal, publisher }: Belongings, directory: string): void {
  try {
    journal.recordDirectory(directory);
  } catch {
    return; // The record cannot be written
  }
  removeIfEmpty(publisher, directory);
}

/** The directory of a collection's record and temporaries. */
export function directoryOf({ folder, id }: RecordedCollection): string {
  return ownDirectoryOf(folder, id);
}

/** What is another one in the collection that has the name now. The collection of the environment has a record for each selection. */
export function differenceTo(left: RecordedCollection, now: RecordedCollection): "folder" | "selection" {
  return left.folder === now.folder ? "selection" : "folder";
}

function overlap(a: string, b: string): boolean {
  return isInside(a, b) || isInside(b, a);
}
