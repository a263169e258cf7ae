/** What a collection does when another collection wins paths that it has files at. */
import type { ObjectClaims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { parentOf } from "../files/paths.ts";
import type { Publisher } from "../files/publisher.ts";
import { refOf } from "../objects/ref.ts";
import type { TimeSlice } from "../runtime/time_slice.ts";
import type { Downloads } from "./object_files.ts";
import type { Removals } from "./removals.ts";
import type { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";

export interface OverlapOptions {
  claims: Pick<ObjectClaims<TrackedObject>, "get" | "winnerOf">;
  lists: Pick<SourceLists, "canTell">;
  journal: Pick<Journal, "ownerOf" | "drop" | "madeDirectories">;
  publisher: Pick<Publisher, "removeIfEmpty">;
  removals: Pick<Removals, "makeRoom">;
  downloads: Pick<Downloads, "forget">;
  slice: Pick<TimeSlice, "begin">;
}

export class Overlap {
  readonly #options: OverlapOptions;

  constructor(options: OverlapOptions) {
    this.#options = options;
  }

  /** Whether a file of an earlier run is at the path whose object may still be listed, and win. */
  awaits(path: string): boolean {
    const { journal, claims, lists } = this.#options;
    const owner = journal.ownerOf(path);
    return owner !== undefined && claims.get(owner) === undefined && !lists.canTell(refOf(owner));
  }

  /**
   * Removes the files at these paths, unless this collection wins them. At once, because the other collection writes there
   * next; a file that cannot be removed is given up, so that it is not mistaken for that of the other collection later.
   */
  lost(paths: readonly string[]): void {
    const { claims, journal, removals, downloads, slice } = this.#options;
    const isLost = (path: string) => claims.winnerOf(path) === undefined && !this.awaits(path);
    const lost = paths.filter(isLost);
    for (const path of lost) downloads.forget(path);
    let left = lost.filter((path) => journal.ownerOf(path) !== undefined);
    for (let before = Infinity; left.length > 0 && left.length < before;) {
      before = left.length;
      slice.begin();
      removals.makeRoom(left);
      left = left.filter((path) => journal.ownerOf(path) !== undefined);
    }
    for (const path of left) journal.drop(path);
  }

  /** Removes the directory and those above it, as far as this collection made them and they are empty. */
  left(directory: string): void {
    const { journal: { madeDirectories }, publisher } = this.#options;
    for (let at = directory; madeDirectories.size > 0 && at !== "/"; at = parentOf(at)) {
      if (!madeDirectories.has(at)) continue;
      try {
        publisher.removeIfEmpty(at);
      } catch {
        // It cannot be looked at, and stays
      }
    }
  }
}
