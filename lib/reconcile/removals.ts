/** Removes files that no object wants any more. No other code removes files; {@link Removals.mayRemove} guards it. */
import type { Claims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { PublishError } from "../files/publish_error.ts";
import { describeRef, type ObjectRef, refOf } from "../objects/ref.ts";
import type { Log } from "../log/log.ts";
import { given } from "../runtime/given.ts";
import { type FileEvent, listOf, summaryOf } from "./file_event.ts";
import type { Refusals } from "./refusals.ts";
import type { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";

export interface RemovalsOptions {
  claims: Pick<Claims<TrackedObject>, "isClaimedBy" | "winnerOf">;
  lists: Pick<SourceLists, "know">;
  refusals: Pick<Refusals, "keepsFiles">;
  journal: Pick<Journal, "ownerOf" | "files">;
  publisher: { remove(path: string): boolean };
  onEvent(event: FileEvent): void;
  /** A file of this owner could not be removed; {@link Removals.retry} tries again. */
  onFailed(owner: string, error: PublishError): void;
  log: Pick<Log, "info" | "error">;
}

export class Removals {
  readonly #options: RemovalsOptions;
  /** Paths that could not be removed, with the reason, by owner. */
  readonly #failed = new Map<string, Map<string, string>>();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  /**
   * Whether a file of ours may be removed: the object whose content it has does not claim it and is not refused. We can
   * tell that only once the source of that object was listed in full in this run.
   */
  mayRemove(path: string): boolean {
    const { claims, lists, refusals, journal } = this.#options;
    const owner = journal.ownerOf(path);
    return owner !== undefined && !claims.isClaimedBy(path, owner) && !refusals.keepsFiles(owner) &&
      lists.know(refOf(owner));
  }

  /** Removes those of the paths that may be removed. `ref` and `uid` name the object in the log and in Events. */
  remove(paths: Iterable<string>, ref: ObjectRef, uid?: string): void {
    const { journal, publisher, log, onEvent, onFailed } = this.#options;
    const removed: string[] = [];
    const failures = new Map<string, PublishError>();
    let news: PublishError | undefined;
    for (const path of paths) {
      const owner = journal.ownerOf(path);
      if (owner === undefined) continue;
      if (!this.mayRemove(path)) {
        this.#settled(owner, path);
        continue;
      }
      try {
        if (publisher.remove(path)) removed.push(path);
        this.#settled(owner, path);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        if (this.#isNews(owner, path, error.message)) news ??= error;
        failures.set(owner, failures.get(owner) ?? error);
      }
    }
    if (removed.length > 0) {
      log.info(`${describeRef(ref)}: removed ${summaryOf(removed)}`, listOf(removed));
      onEvent({ type: "removed", ref, ...given("uid", uid), paths: removed });
    }
    if (news !== undefined) log.error(`${describeRef(ref)}: ${news.message}; trying again`);
    for (const [owner, error] of failures) onFailed(owner, error);
  }

  /** The winner has no content for the path. If the file has content of an object that no longer claims it, remove it anyway. */
  withdraw(path: string): void {
    const owner = this.#options.journal.ownerOf(path);
    if (owner !== undefined) this.remove([path], refOf(owner));
  }

  /** Removes the files that no object claims, of the owners that `isMeant` accepts. */
  removeOrphans(isMeant: (owner: string) => boolean): void {
    const { claims } = this.#options;
    this.#removeEach((path, owner) => isMeant(owner) && claims.winnerOf(path) === undefined);
  }

  /** Removes the files that these owners do not claim, even if another object claims them but has no content. */
  removeUnclaimed(owners: ReadonlySet<string>): void {
    this.#removeEach((_path, owner) => owners.has(owner));
  }

  /** Tries again to remove what could not be removed before. */
  retry(owner: string): void {
    const paths = this.#failed.get(owner);
    if (paths === undefined) return;
    for (const path of paths.keys()) {
      if (this.#options.journal.ownerOf(path) !== owner) this.#settled(owner, path);
    }
    this.remove([...paths.keys()], refOf(owner));
  }

  #removeEach(isMeant: (path: string, owner: string) => boolean): void {
    const meant = new Map<string, string[]>();
    for (const [path, { owner }] of this.#options.journal.files()) {
      if (!isMeant(path, owner)) continue;
      const paths = meant.get(owner);
      if (paths === undefined) meant.set(owner, [path]);
      else paths.push(path);
    }
    for (const [owner, paths] of meant) this.remove(paths, refOf(owner));
  }

  #settled(owner: string, path: string): void {
    const paths = this.#failed.get(owner);
    if (paths?.delete(path) && paths.size === 0) this.#failed.delete(owner);
  }

  #isNews(owner: string, path: string, reason: string): boolean {
    const paths = this.#failed.get(owner) ?? new Map<string, string>();
    this.#failed.set(owner, paths);
    const isNews = paths.get(path) !== reason;
    paths.set(path, reason);
    return isNews;
  }
}
