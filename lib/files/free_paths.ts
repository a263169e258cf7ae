/**
 * Lists each of our directories once during the first sync, without our own files, to know which paths are free. An `lstat`
 * of each path would throw and take a sixth of the time of the whole sync.
 *
 * A file that somebody else adds during the first sync is replaced without the log line about it.
 */
import type { Journal } from "./journal.ts";
import { joinPath, parentOf } from "./paths.ts";

export class FreePaths {
  readonly #journal: Pick<Journal, "ownerOf">;
  /** Paths of other people's files, by directory; `undefined` for a directory that cannot be read. */
  readonly #others = new Map<string, ReadonlySet<string> | undefined>();

  constructor(journal: Pick<Journal, "ownerOf">) {
    this.#journal = journal;
  }

  /** Whether nothing was at a path, in a directory that exists. `false` if that is unknown. */
  has(path: string): boolean {
    if (this.#journal.ownerOf(path) !== undefined) return false;
    const directory = parentOf(path);
    if (!this.#others.has(directory)) this.#others.set(directory, this.#othersIn(directory));
    return this.#others.get(directory)?.has(path) === false;
  }

  #othersIn(directory: string): ReadonlySet<string> | undefined {
    const others = new Set<string>();
    try {
      for (const { name } of Deno.readDirSync(directory)) {
        const path = joinPath(directory, name);
        if (this.#journal.ownerOf(path) === undefined) others.add(path);
      }
      return others;
    } catch {
      return undefined;
    }
  }
}
