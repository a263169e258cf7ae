/** What follows when an object no longer has a path: another one inherits it, or the file goes. */
import type { ClaimsChange } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import type { Downloads } from "./object_files.ts";
import type { RemovalDelay } from "./removal_delay.ts";
import type { Removals } from "./removals.ts";
import type { Reports } from "./reports.ts";
import type { TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export interface AbandonedPathsOptions {
  downloads: Pick<Downloads, "forget">;
  journal: Pick<Journal, "ownerOf">;
  queue: Pick<WorkQueue, "add" | "isParked">;
  removals: Pick<Removals, "remove">;
  removalDelay: Pick<RemovalDelay, "has">;
  reports: Pick<Reports, "clearRefusal">;
}

export class AbandonedPaths {
  readonly #options: AbandonedPathsOptions;

  constructor(options: AbandonedPathsOptions) {
    this.#options = options;
  }

  /** Has heirs publish their content. Does not remove files. */
  follow({ freed, inherited, collisions }: ClaimsChange<TrackedObject>): void {
    const { downloads, queue, reports } = this.#options;
    for (const { loser, blocker } of collisions) {
      // It may have waited for that path
      if (blocker !== undefined && queue.isParked(loser.key)) queue.add(loser.key);
    }
    for (const { path, heir } of inherited) {
      downloads.forget(path);
      queue.add(heir);
    }
    for (const path of freed) {
      downloads.forget(path);
      reports.clearRefusal(path);
    }
  }

  /**
   * Removes files that no object claims any more. Their content may be that of an earlier winner.
   *
   * @param keepsOwn files with the object's own content stay for now
   */
  remove(freed: readonly string[], object: TrackedObject, { keepsOwn = false } = {}): void {
    const { journal, removals, removalDelay } = this.#options;
    const due = freed.filter((path) => {
      const owner = journal.ownerOf(path) ?? "";
      return !removalDelay.has(owner) && !(keepsOwn && owner === object.key);
    });
    removals.remove(due, object, object.uid);
  }
}
