/** What must go: the files of objects that are gone or no longer selected, and the objects' release once they are. */
import { type FileEvent, listOf, summaryOf } from "./file_event.ts";
import type { Claims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { PublishError } from "../files/publish_error.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Log } from "../log/log.ts";
import { refOf } from "../objects/ref.ts";

export interface RemovalsOptions {
  claims: Pick<Claims, "get" | "winnerOf">;
  journal: Pick<Journal, "ownerOf" | "files">;
  publisher: { remove(path: string): boolean };
  onEvent(event: FileEvent): void;
  /** An object that is not selected, or is being deleted, has no file left. */
  onReleased(ref: ObjectRef): void;
  log: Pick<Log, "info" | "error">;
}

export class Removals {
  readonly #options: RemovalsOptions;
  /** Objects, by key, that are to be released when they have no file left. */
  readonly #leaving = new Map<string, ObjectRef>();
  /** Paths that would not go, with the reason. */
  readonly #stuck = new Map<string, string>();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  leaves(key: string, ref: ObjectRef): void {
    this.#leaving.set(key, ref);
  }

  /** The object is selected again. */
  stays(key: string): void {
    this.#leaving.delete(key);
  }

  /** Removes files that an object no longer has. Returns why some of them would not go; {@link sweep} tries them again. */
  remove(paths: readonly string[], ref: ObjectRef, uid?: string): PublishError | undefined {
    const { publisher, log, onEvent } = this.#options;
    const removed: string[] = [];
    let failure: PublishError | undefined;
    let isNews = false;
    for (const path of paths) {
      try {
        if (publisher.remove(path)) removed.push(path);
        this.#stuck.delete(path);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        failure ??= error;
        if (this.#stuck.get(path) !== error.message) isNews = true;
        this.#stuck.set(path, error.message);
      }
    }
    if (removed.length > 0) {
      log.info(`${describeRef(ref)}: removed ${summaryOf(removed)}`, listOf(removed));
      onEvent({ type: "removed", ref, ...(uid === undefined ? {} : { uid }), paths: removed });
    }
    if (failure !== undefined && isNews) log.error(`${describeRef(ref)}: ${failure.message}; trying again`);
    return failure;
  }

  /**
   * Removes what is ours and wanted by nobody: files of objects that went while nobody looked, or that would not go.
   * Returns why some still would not.
   */
  sweep(): PublishError | undefined {
    const { claims } = this.#options;
    // What somebody wants by now is replaced, not removed
    for (const path of this.#stuck.keys()) {
      if (claims.winnerOf(path) !== undefined) this.#stuck.delete(path);
    }
    let failure: PublishError | undefined;
    for (const [owner, paths] of this.#orphans()) {
      const ref = this.#leaving.get(owner) ?? refOf(owner);
      if (claims.get(owner) === undefined) this.#leaving.set(owner, ref);
      failure = this.remove(paths, ref) ?? failure;
    }
    for (const key of [...this.#leaving.keys()]) this.release(key);
    return failure;
  }

  /** Tells that an object has no file left, unless one of its files would not go. */
  release(key: string): void {
    const { journal, onReleased } = this.#options;
    const ref = this.#leaving.get(key);
    if (ref === undefined) return;
    for (const path of this.#stuck.keys()) {
      if (journal.ownerOf(path) === key) return;
    }
    this.#leaving.delete(key);
    onReleased(ref);
  }

  /** Key of the object that they were written for to paths. */
  #orphans(): Map<string, string[]> {
    const orphans = new Map<string, string[]>();
    for (const [path, { owner }] of this.#options.journal.files()) {
      if (this.#options.claims.winnerOf(path) !== undefined) continue;
      const paths = orphans.get(owner);
      if (paths === undefined) orphans.set(owner, [path]);
      else paths.push(path);
    }
    return orphans;
  }
}
