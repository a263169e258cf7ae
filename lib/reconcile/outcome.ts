/** How far the files are what the objects want, and whose fault it is where they are not. */
import type { Claims } from "../files/claims.ts";
import { PublishError } from "../files/publish_error.ts";
import type { ObjectRef } from "../objects/ref.ts";
import type { Refusals } from "./refusals.ts";
import type { Reports } from "./reports.ts";
import type { TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export interface OutcomeOptions {
  claims: Pick<Claims<TrackedObject>, "winnerOf" | "objects">;
  queue: Pick<WorkQueue, "size" | "unsettled">;
  refusals: Pick<Refusals, "keys">;
  reports: Pick<Reports, "refusedPaths">;
  /** The object that a key of the queue is about. */
  ownerOf(key: string): string;
}

export class Outcome {
  readonly #options: OutcomeOptions;

  constructor(options: OutcomeOptions) {
    this.#options = options;
  }

  /** Whether every file was written or removed, other than those that no file system accepts. */
  get isSettled(): boolean {
    const { queue } = this.#options;
    if (queue.size === 0) return true;
    return queue.unsettled().every(([, error]) => error !== undefined && isImpossible(error));
  }

  /**
   * Failures of the disk, as PublishErrors, and of reads from the API: one for each object concerned. What no file system
   * accepts is the object's own fault, and not among them.
   */
  get failures(): Error[] {
    const errors = [...this.#options.queue.unsettled()].map(([, error]) => error);
    return errors.filter((error) => error !== undefined && !isImpossible(error)) as Error[];
  }

  /**
   * Number of objects that are not on disk as they are, in whole or in part, by their own fault.
   *
   * @param undelivered paths whose content cannot be downloaded
   */
  countRefused(undelivered: Iterable<string>): number {
    const { claims, queue, refusals, reports, ownerOf } = this.#options;
    const keys = new Set(refusals.keys);
    for (const path of [...undelivered, ...reports.refusedPaths]) {
      const winner = claims.winnerOf(path);
      if (winner !== undefined) keys.add(winner.key);
    }
    for (const [key, error] of queue.unsettled()) {
      if (error !== undefined && isImpossible(error)) keys.add(ownerOf(key));
    }
    return keys.size;
  }

  /** Whether there is such an object; a kind or a namespace that is not given may be any. */
  has({ name, kind, namespace }: Pick<ObjectRef, "name"> & Partial<ObjectRef>): boolean {
    for (const object of this.#options.claims.objects()) {
      if (object.name !== name || (kind ?? object.kind) !== object.kind) continue;
      if ((namespace ?? object.namespace) === object.namespace) return true;
    }
    return false;
  }
}

/** Whether the fault is the object's: no file system accepts what it wants. */
function isImpossible(error: Error): boolean {
  return error instanceof PublishError && error.isImpossible;
}
