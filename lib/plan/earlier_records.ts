/** Files of another selection that has a record in the same folder: a start never removes them. */
import { Journal } from "../files/journal.ts";
import { lstat } from "../files/file_calls.ts";
import { RESERVED_PREFIX } from "../files/paths.ts";
import { ownDirectoryOf, recordPathOf } from "../files/state_directory.ts";
import { SILENT } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { counted } from "../runtime/quantities.ts";
import type { PlannedCollection } from "./planned_collection.ts";

/** Records that are read, at most. */
const MAX_RECORDS = 20;

/** A warning for each such record beside a collection that has none yet: its settings may have been others before. */
export async function earlierRecords(planned: readonly PlannedCollection[], clock: Clock): Promise<string[]> {
  const known = new Set(
    planned.flatMap(({ place, recordedCollections }) => [place, ...recordedCollections])
      .map(({ folder, id }) => ownDirectoryOf(folder, id)),
  );
  const used = new Set(planned.flatMap((collection) => [...collection.files()].map(([path]) => path)));
  const warnings: string[] = [];
  for (const { place: { folder, id, stateFile }, isReady } of planned) {
    // What could not be listed may have the same files
    if (!isReady || stateFile !== undefined || lstat(recordPathOf(folder, id)) !== undefined) continue;
    for (const other of idsIn(folder)) {
      if (known.has(ownDirectoryOf(folder, other))) continue;
      known.add(ownDirectoryOf(folder, other));
      const journal = new Journal({ folder, id: other, stateFile: undefined, isDryRun: true, log: SILENT });
      await journal.readRest(clock);
      const files = [...journal.files()].filter(([path]) => !used.has(path) && lstat(path)?.isFile === true).length;
      if (files === 0) continue;
      const isOne = files === 1;
      warnings.push(
        `${counted(files, "file")} in ${folder} ${isOne ? "stays" : "stay"}: another selection wrote ${
          isOne ? "it" : "them"
        }, that of another sidecar, or of this one before LABEL or other settings were changed ` +
          `(${ownDirectoryOf(folder, other)})`,
      );
    }
  }
  return warnings;
}

function idsIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ name, isDirectory }) =>
      isDirectory && name.startsWith(RESERVED_PREFIX)
    ).map(({ name }) => name.slice(RESERVED_PREFIX.length)).sort().slice(0, MAX_RECORDS);
  } catch {
    // It does not exist yet
    return [];
  }
}
