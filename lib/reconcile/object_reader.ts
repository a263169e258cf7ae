/** Reads objects again, because their bodies were dropped: heirs of a path, and objects whose files failed or were changed. */
import type { ObjectClaims } from "../files/claims.ts";
import type { KubeObject } from "../objects/object.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import type { Removals } from "./removals.ts";
import type { Reports } from "./reports.ts";
import type { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export interface ObjectReaderOptions {
  /** `undefined`: the object was deleted, or is no longer selected. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** Receives the current object, and the one known before. */
  onFound(object: KubeObject, before: TrackedObject): void;
  /** The object was deleted, or is no longer selected. */
  onGone(before: TrackedObject): void;
  claims: Pick<ObjectClaims<TrackedObject>, "get" | "winnerOf">;
  lists: Pick<SourceLists, "markRead">;
  queue: Pick<WorkQueue, "failureOf">;
  removals: Pick<Removals, "removeStaleContent">;
  reports: Pick<Reports, "unreadable">;
}

/** Consecutive failed reads of an heir, after which the content of the deleted object is removed. */
const MAX_FAILED_READS = 2;

export class ObjectReader {
  readonly #options: ObjectReaderOptions;
  /** Consecutive failed reads, by key. */
  readonly #failedReads = new Map<string, number>();

  constructor(options: ObjectReaderOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    this.#failedReads.delete(key);
  }

  /**
   * Reads an object of the queue again.
   *
   * @throws {Error} it could not be read; the failure was logged
   */
  async process(key: string, signal: AbortSignal): Promise<void> {
    const { claims, lists, onFound, onGone } = this.#options;
    const before = claims.get(key);
    if (before === undefined) return;
    const object = await this.#read(before, signal);
    // An event about the object arrived during the read and is newer
    if (claims.get(key) !== before) return;
    if (object === undefined) return onGone(before);
    lists.markRead(before.source, key);
    onFound(object, before);
  }

  async #read(object: TrackedObject, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { read, queue, reports } = this.#options;
    try {
      const found = await read(object.source, object, signal);
      this.forget(object.key);
      return found;
    } catch (cause) {
      if (signal.aborted) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new Error(`cannot read ${describeRef(object)} again: ${reason}`, { cause });
      reports.unreadable(object, error, queue.failureOf(object.key));
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
      if (claims.winnerOf(path) === object) removals.removeStaleContent(path);
    }
  }
}
