/**
 * What others had in our directories when the first sync came to them. While files are written by the hundred, that says
 * what is not in their place; asking the disk for each of them costs an exception each, a sixth of all the work.
 *
 * So somebody's file that comes while the first sync is under way is replaced as one that comes a moment later would be.
 */
import type { Journal } from "./journal.ts";
import { joinPath } from "./projection.ts";
import { parentOf } from "./allowed_folders.ts";

export class FirstLook {
  readonly #journal: Pick<Journal, "owned">;
  /** Paths of what is not ours, by directory; `undefined` for one that cannot be read. */
  readonly #others = new Map<string, ReadonlySet<string> | undefined>();

  constructor(journal: Pick<Journal, "owned">) {
    this.#journal = journal;
  }

  /** Whether there was nothing at a path, in a directory that exists. `false` also when that is not known. */
  isFree(path: string): boolean {
    if (this.#journal.owned.has(path)) return false;
    const directory = parentOf(path);
    if (!this.#others.has(directory)) this.#others.set(directory, this.#othersIn(directory));
    return this.#others.get(directory)?.has(path) === false;
  }

  #othersIn(directory: string): ReadonlySet<string> | undefined {
    const others = new Set<string>();
    try {
      for (const { name } of Deno.readDirSync(directory)) {
        const path = joinPath(directory, name);
        if (!this.#journal.owned.has(path)) others.add(path);
      }
      return others;
    } catch {
      return undefined;
    }
  }
}
