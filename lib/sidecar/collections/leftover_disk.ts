/** What collections that are gone have left on the disk. */
import { errnoOf, lstat, realPathOf } from "../../files/file_calls.ts";
import { FileModes } from "../../files/file_modes.ts";
import { Journal, type JournalOptions } from "../../files/journal.ts";
import { PublishError, reasonOf } from "../../files/publish_error.ts";
import { Publisher, type PublisherOptions } from "../../files/publisher.ts";
import type { RecordedCollection } from "../../files/record_format.ts";
import { recordPathOf, StateDirectory } from "../../files/state_directory.ts";
import type { Clock } from "../../runtime/clock.ts";
import { directoryOf, type LeftoverDisk, type Neighbour } from "./leftovers.ts";

export function leftoverDisk({ clock, log }: {
  clock: Clock;
  log: JournalOptions["log"] & PublisherOptions["log"];
}): LeftoverDisk {
  return {
    async open(place, neighbours) {
      const { folder, id } = place;
      const journal = await leftoverJournal(place, { neighbours, clock, log });
      if (journal === undefined) {
        // A process was killed when it had removed the record, or before the first one was complete
        if (!isThere(recordOf(place))) removeUnrecorded(place, log);
        return undefined;
      }
      const publisher = new Publisher({
        folder,
        // A record may be anybody's work, so it cannot allow more folders than the configuration does
        allowedFolders: neighbours.flatMap(({ folders }) => folders).filter((other) => other !== folder),
        mode: 0o644,
        atomicWrites: true,
        journal,
        configFiles: [],
        id,
        beforeChange() {},
        log,
      });
      return { journal, publisher };
    },
    removeRecord,
  };
}

export interface LeftoverJournalOptions {
  neighbours: readonly Pick<Neighbour, "place">[];
  clock: Clock;
  isDryRun?: boolean;
  log: JournalOptions["log"];
}

/**
 * The record of a collection that is gone; `undefined`: there is none. The record that names the collection may be anybody's
 * work, so the collection's own record must name it, too, and a collection that runs.
 *
 * @throws {PublishError} its directory cannot be looked at
 */
export async function leftoverJournal(
  place: RecordedCollection,
  { neighbours, clock, isDryRun = false, log }: LeftoverJournalOptions,
): Promise<Journal | undefined> {
  const { folder, id, stateFile } = place;
  if (!isDirectory(directoryOf(place))) return undefined;
  // It may name the record of a collection that runs, by another path
  const record = realPathOf(recordOf(place));
  if (neighbours.some((neighbour) => realPathOf(recordOf(neighbour.place)) === record)) return undefined;
  const journal = new Journal({ folder, id, stateFile, isDryRun, log });
  await journal.readRest(clock);
  const names = (key: string) => journal.collections.some((named) => directoryOf(named) === key);
  return names(directoryOf(place)) && neighbours.some((other) => names(directoryOf(other.place))) ? journal : undefined;
}

function recordOf({ folder, id, stateFile }: RecordedCollection): string {
  return stateFile ?? recordPathOf(folder, id);
}

function isThere(path: string): boolean {
  try {
    return lstat(path) !== undefined;
  } catch {
    return true; // It cannot be looked at
  }
}

/** @throws {PublishError} */
function isDirectory(path: string): boolean {
  try {
    return lstat(path)?.isDirectory === true;
  } catch (cause) {
    // No directory has such a name, or Deno lets nobody look at it
    if (["ENAMETOOLONG", "ELOOP"].includes(errnoOf(cause) ?? "") || cause instanceof Deno.errors.NotCapable) {
      return false;
    }
    throw new PublishError(`cannot look at ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** Removes a directory that holds at most a record that was never complete. Never throws. */
function removeUnrecorded({ folder, id }: RecordedCollection, log: JournalOptions["log"]): void {
  const state = new StateDirectory(folder, id, { isTransient: true, modes: new FileModes(log) });
  state.sweep();
  state.removeIfEmpty();
}

/** Removes the record and its directory. Never throws: what stays does no harm. */
function removeRecord({ folder, id }: RecordedCollection, { path, modes }: Journal): void {
  try {
    if (path !== undefined) Deno.removeSync(path);
  } catch {
    // It is gone, or the next start finds it again
  }
  new StateDirectory(folder, id, { isTransient: true, modes }).sweep();
}
