/** Whether the files are as the objects want them, and the reasons if not: the disk, the API, or the object itself. */
import type { ObjectClaims } from "../files/claims.ts";
import { PublishError } from "../files/publish_error.ts";
import type { ObjectRef } from "../objects/ref.ts";
import type { RefusalReason, Refusals } from "./refusals.ts";
import type { Reports } from "./reports.ts";
import type { TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export interface OutcomeOptions {
  claims: Pick<ObjectClaims<TrackedObject>, "winnerOf" | "objects">;
  queue: Pick<WorkQueue, "size" | "unsettled">;
  refusals: Pick<Refusals, "reasons">;
  reports: Pick<Reports, "refusedPaths">;
  /** The key of the object that a key of the queue belongs to. */
  ownerOf(key: string): string;
}

export class Outcome {
  readonly #options: OutcomeOptions;

  constructor(options: OutcomeOptions) {
    this.#options = options;
  }

  /** Whether every file was written or removed, except those that no file system accepts. */
  get isSettled(): boolean {
    const { queue } = this.#options;
    if (queue.size === 0) return true;
    return queue.unsettled().every(([, error]) => error !== undefined && isImpossible(error));
  }

  /**
   * Failures of the disk (PublishError) and of reads from the API, one for each affected object. Paths that no file system
   * accepts are not included, because they are the fault of the object.
   */
  get failures(): Error[] {
    const errors = [...this.#options.queue.unsettled()].map(([, error]) => error);
    return errors.filter((error) => error !== undefined && !isImpossible(error)) as Error[];
  }

  /**
   * Number of objects that are missing on disk, in whole or in part, by their own fault.
   *
   * @param undelivered paths whose content cannot be downloaded
   */
  countRefused(undelivered: Iterable<string>): number {
    return this.refused(undelivered).size;
  }

  /** Their keys, each with the first of {@link REFUSAL_REASONS} that holds. */
  refused(undelivered: Iterable<string>): Map<string, RefusalReason> {
    const { claims, queue, refusals, reports, ownerOf } = this.#options;
    const reasons = new Map<string, RefusalReason>(refusals.reasons());
    const add = (key: string | undefined, reason: RefusalReason) => {
      if (key !== undefined && !reasons.has(key)) reasons.set(key, reason);
    };
    for (const path of reports.refusedPaths) add(claims.winnerOf(path)?.key, "path");
    for (const [key, error] of queue.unsettled()) {
      if (error !== undefined && isImpossible(error)) add(ownerOf(key), "path");
    }
    for (const path of undelivered) add(claims.winnerOf(path)?.key, "content");
    return reasons;
  }

  /** Whether such an object is selected. A kind or namespace that is not given matches any. */
  has({ name, kind, namespace }: Pick<ObjectRef, "name"> & Partial<ObjectRef>): boolean {
    for (const object of this.#options.claims.objects()) {
      if (object.name !== name || (kind ?? object.kind) !== object.kind) continue;
      if ((namespace ?? object.namespace) === object.namespace) return true;
    }
    return false;
  }
}

/** Whether the error is the fault of the object: no file system accepts its path. */
function isImpossible(error: Error): boolean {
  return error instanceof PublishError && error.isImpossible;
}
