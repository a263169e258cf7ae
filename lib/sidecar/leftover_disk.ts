/** What collections that are gone have left on the disk. */
import { lstat } from "../files/file_calls.ts";
import { Journal, type JournalOptions } from "../files/journal.ts";
import { Publisher, type PublisherOptions } from "../files/publisher.ts";
import type { RecordedCollection } from "../files/record_format.ts";
import { StateDirectory } from "../files/state_directory.ts";
import type { Clock } from "../runtime/clock.ts";
import { keyOf, type LeftoverDisk } from "./leftovers.ts";

export function leftoverDisk({ clock, log }: {
  clock: Clock;
  log: JournalOptions["log"] & PublisherOptions["log"];
}): LeftoverDisk {
  return {
    async open(place, folders) {
      const { folder, id } = place;
      const journal = await leftoverJournal(place, { clock, log });
      if (journal === undefined) return undefined;
      const publisher = new Publisher({
        folder,
        // A record may be anybody's work, so it cannot allow more folders than the configuration does
        allowedFolders: folders.filter((other) => other !== folder),
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

/** The record of a collection that is gone; `undefined`: there is none. */
export async function leftoverJournal(
  place: RecordedCollection,
  { clock, isDryRun = false, log }: { clock: Clock; isDryRun?: boolean; log: JournalOptions["log"] },
): Promise<Journal | undefined> {
  const { folder, id, stateFile } = place;
  if (!lstat(keyOf(place))?.isDirectory) return undefined;
  const journal = new Journal({ folder, id, stateFile, isDryRun, log });
  await journal.readRest(clock);
  return journal;
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
