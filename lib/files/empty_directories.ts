/** Directories that were made for files and are empty: the process was killed between removing a file and its directory. */
import type { Journal } from "./journal.ts";
import { parentOf } from "./paths.ts";
import type { Publisher } from "./publisher.ts";

/** Removes them. Directories with files of ours are not looked at. Never throws: what stays does no harm. */
export function removeEmptyDirectories({ journal, publisher }: {
  journal: Pick<Journal, "files" | "madeDirectories">;
  publisher: Pick<Publisher, "removeIfEmpty">;
}): void {
  const used = new Set<string>();
  for (const [path] of journal.files()) {
    for (let directory = parentOf(path); !used.has(directory); directory = parentOf(directory)) used.add(directory);
  }
  for (const directory of [...journal.madeDirectories].filter((made) => !used.has(made))) {
    removeIfEmpty(publisher, directory);
  }
}

/** Removes a directory that was made for files, if it is empty. Never throws: one that cannot be looked at stays. */
export function removeIfEmpty(publisher: Pick<Publisher, "removeIfEmpty">, directory: string): void {
  try {
    publisher.removeIfEmpty(directory);
  } catch {
    // It cannot be looked at
  }
}
