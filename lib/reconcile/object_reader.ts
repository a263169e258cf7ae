/** Reads objects again whose bodies were dropped: heirs of a path, and objects whose files failed or were changed. */
import type { Claims } from "../files/claims.ts";
import type { KubeObject } from "../objects/object.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import type { Removals } from "./removals.ts";
import type { Reports } from "./reports.ts";
import type { TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export interface ObjectReaderOptions {
  /** `undefined`: it is gone, or no longer selected. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  claims: Pick<Claims<TrackedObject>, "winnerOf">;
  queue: Pick<WorkQueue, "failureOf">;
  removals: Pick<Removals, "withdraw">;
  reports: Pick<Reports, "unreadable">;
}

/** Failed reads in a row after which an heir no longer keeps the content of a deleted object on disk. */
const MAX_FAILED_READS = 2;

export class ObjectReader {
  readonly #options: ObjectReaderOptions;
  /** Failed reads in a row, by key. */
  readonly #failedReads = new Map<string, number>();

  constructor(options: ObjectReaderOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    this.#failedReads.delete(key);
  }

  /**
   * Returns the object as it is now; `undefined`: it is gone, or no longer selected.
   *
   * @throws {Error} it could not be read; that has been logged
   */
  async read(object: TrackedObject, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { read, queue, reports } = this.#options;
    try {
      const found = await read(object.source, object, signal);
      this.forget(object.key);
      return found;
    } catch (cause) {
      if (signal.aborted) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new Error(`cannot read ${describeRef(object)} again: ${reason}`, { cause });
      reports.unreadable(error, queue.failureOf(object.key));
      this.#failed(object);
      throw error;
    }
  }

  #failed(object: TrackedObject): void {
    const { claims, removals } = this.#options;
    const failed = (this.#failedReads.get(object.key) ?? 0) + 1;
    this.#failedReads.set(object.key, failed);
    if (failed < MAX_FAILED_READS) return;
    for (const path of object.paths) {
      if (claims.winnerOf(path) === object) removals.withdraw(path);
    }
  }
}
