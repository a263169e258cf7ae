/**
 * Removes files of ours that are in the way of an object's file: one where it needs a directory, or those in a directory
 * where it is to be. Claims decided that they must go; REMOVE_DELAY and refused objects do not keep them, as they would not
 * keep a file at the path itself.
 */
import type { Journal } from "../files/journal.ts";
import { parentOf } from "../files/paths.ts";
import { refOf } from "../objects/ref.ts";
import type { TimeSlice } from "../runtime/time_slice.ts";
import type { Removals } from "./removals.ts";
import type { SourceLists } from "./source_lists.ts";

export interface InTheWayOptions {
  journal: Pick<Journal, "ownerOf" | "files" | "madeDirectories">;
  lists: Pick<SourceLists, "canTell">;
  removals: Pick<Removals, "makeRoom">;
  slice: Pick<TimeSlice, "isOver">;
}

export class InTheWay {
  readonly #options: InTheWayOptions;
  /** Keys of objects that wait for the list of a source. */
  readonly #waiting = new Set<string>();

  constructor(options: InTheWayOptions) {
    this.#options = options;
  }

  /**
   * Removes what is in the way of a path of an object.
   *
   * @returns `interrupted`: the time slice was over, call it again. `unknown`: a file is of an object that may still be listed;
   *   {@link release} returns the key of the waiting object. `clear`: nothing of ours is in the way, or it cannot be removed
   */
  clear(path: string, key: string): "clear" | "interrupted" | "unknown" {
    const { journal, lists, removals, slice } = this.#options;
    const found = this.#filesAround(path);
    if (found.length === 0) return "clear";
    if (slice.isOver) return "interrupted";
    removals.makeRoom(found);
    const left = found.flatMap((path) => journal.ownerOf(path) ?? []);
    // Without progress it would be called for ever
    if (left.length > 0 && left.length < found.length && slice.isOver) return "interrupted";
    if (left.every((owner) => lists.canTell(refOf(owner)))) return "clear";
    this.#waiting.add(key);
    return "unknown";
  }

  /** The first list of a source is complete. Returns the objects that waited for one, whose files can be published now. */
  release(): string[] {
    const keys = [...this.#waiting];
    this.#waiting.clear();
    return keys;
  }

  /** Files of ours above a path, or below it. */
  #filesAround(path: string): string[] {
    const { journal } = this.#options;
    const found: string[] = [];
    for (let above = parentOf(path); above !== "/"; above = parentOf(above)) {
      if (journal.ownerOf(above) !== undefined) found.push(above);
    }
    // Another directory than one of ours would stay in any case
    if (!journal.madeDirectories.has(path)) return found;
    const start = `${path}/`;
    for (const [below] of journal.files()) {
      if (below.startsWith(start)) found.push(below);
    }
    return found;
  }
}
