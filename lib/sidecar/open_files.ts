/** The folders of a collection, and the journal of the files in them. */
import type { Collection } from "../config/config.ts";
import { Journal, type JournalOptions } from "../files/journal.ts";
import { resolvePath } from "../files/paths.ts";
import { volumeOf } from "../files/volume.ts";

/** FOLDER: absolute and normalised. */
export function folderOf({ files }: Collection): string {
  return resolvePath(Deno.cwd(), files.folder);
}

/** Folders besides FOLDER that annotations may point to: ALLOWED_FOLDERS; else, with DEFAULTS=kiwigrid, the volume. */
export function allowedFoldersOf(collection: Collection): string[] {
  const { allowedFolders, allowsVolume } = collection.files;
  const folder = folderOf(collection);
  const volume = allowsVolume ? volumeOf(folder) : undefined;
  const configured = allowedFolders.map((allowed) => resolvePath("/", allowed));
  return volume === undefined || volume === folder ? configured : [...configured, volume];
}

export function openJournal(collection: Collection, id: string, log: JournalOptions["log"]): Journal {
  return new Journal({ folder: folderOf(collection), id, stateFile: collection.files.stateFile, log });
}
