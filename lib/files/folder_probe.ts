import type { Journal } from "./journal.ts";
import { reasonOf } from "./publish_error.ts";
import { joinPath, RESERVED_PREFIX } from "./paths.ts";
import type { TemporaryPlaces } from "./temporary_places.ts";

export interface ProbedFolder {
  /** FOLDER. */
  folder: string;
  id: string;
  /** Permission bits. */
  mode: number;
  journal: Pick<Journal, "isWritable">;
}

/** Makes FOLDER if it is missing. Returns why it cannot be made; `undefined`: it is there. */
export function folderFault(folder: string): string | undefined {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    return undefined;
  } catch (error) {
    return `cannot make ${folder}: ${reasonOf(error)}`;
  }
}

/** Whether a file could be published in FOLDER itself. If so, a missing right concerns one path only. */
export function isFolderWritable(
  { folder, id, mode, journal }: ProbedFolder,
  temporaries: Pick<TemporaryPlaces, "createFile">,
): boolean {
  const probe = joinPath(folder, `${RESERVED_PREFIX}${id}-probe`);
  try {
    temporaries.createFile(probe, mode).end();
    Deno.mkdirSync(probe);
    Deno.removeSync(probe);
    return journal.isWritable;
  } catch {
    return false;
  }
}
