/** One name for each file: a directory may have become a symlink, and FOLDER may be written in another way than before. */
import type { AllowedFolders } from "./allowed_folders.ts";
import type { Journal } from "./journal.ts";
import { joinPath, nameOf, parentOf } from "./paths.ts";

type Folders = Pick<AllowedFolders, "canonical">;

/** Gives the files and directories of an earlier run the names that objects claim now. */
export function useCanonicalNames(journal: Pick<Journal, "rename">, folders: Folders): void {
  journal.rename(canonicalNames(folders));
}

/** Gives paths the names that {@link canonicalName} gives them, and looks each directory up once. */
export function canonicalNames(folders: Folders): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const directory = parentOf(path);
    const name = known.get(directory) ?? folders.canonical(directory);
    known.set(directory, name);
    return name === directory ? path : joinPath(name, nameOf(path));
  };
}

/** The name that a path has for the collection of these folders. */
export function canonicalName(path: string, folders: Folders): string {
  return joinPath(folders.canonical(parentOf(path)), nameOf(path));
}

/** Whether the file at a path is ours under another name, too, so that removing it would remove that one. */
export function hasOtherName(path: string, journal: Pick<Journal, "ownerOf">, folders: Folders): boolean {
  const name = canonicalName(path, folders);
  return name !== path && journal.ownerOf(name) !== undefined;
}
