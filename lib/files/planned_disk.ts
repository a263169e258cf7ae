/** The disk as it would be after changes that are only planned. Nothing is written. */
import { lstat } from "./file_calls.ts";
import { joinPath, parentOf } from "./paths.ts";

/** What a path would hold. */
export type PlannedEntry = "file" | "directory" | "nothing";

export class PlannedDisk {
  readonly #entries = new Map<string, PlannedEntry>();
  /** Planned files and directories, by the directory that they are in. */
  readonly #added = new Map<string, Set<string>>();

  /** What is planned for a path; `undefined`: it stays as it is. */
  planned(path: string): PlannedEntry | undefined {
    return this.#entries.get(path);
  }

  plan(path: string, entry: PlannedEntry): void {
    this.#entries.set(path, entry);
    const parent = parentOf(path);
    const added = this.#added.get(parent) ?? new Set();
    if (entry === "nothing") added.delete(path);
    else this.#added.set(parent, added.add(path));
  }

  /** What is at a path now, unless something else is planned for it; `undefined`: nothing. */
  lstat(path: string): Deno.FileInfo | undefined {
    return this.planned(path) === undefined ? lstat(path) : undefined;
  }

  /** Whether anything is planned for a path, or for a directory on the way to it. */
  isPlanned(path: string): boolean {
    for (let at = path; at !== "/"; at = parentOf(at)) {
      if (this.planned(at) !== undefined) return true;
    }
    return false;
  }

  /** Whether a directory would be empty. */
  isEmpty(directory: string): boolean {
    if ((this.#added.get(directory)?.size ?? 0) > 0) return false;
    try {
      return [...Deno.readDirSync(directory)].every(({ name }) =>
        this.planned(joinPath(directory, name)) === "nothing"
      );
    } catch {
      return true;
    }
  }
}
