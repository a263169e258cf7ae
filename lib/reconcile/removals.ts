/** Removes files that no object claims any more. No other code of this layer removes files; {@link Removals.mayRemove} guards it. */
import type { ObjectClaims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { PublishError } from "../files/publish_error.ts";
import { aboutObject, describeRef, type ObjectRef, refOf } from "../objects/ref.ts";
import type { Log } from "../log/log.ts";
import { given } from "../runtime/given.ts";
import type { TimeSlice } from "../runtime/time_slice.ts";
import { aboutFiles, type FileEvent, summaryOf } from "./file_event.ts";
import type { Refusals } from "./refusals.ts";
import type { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";

export interface RemovalsOptions {
  claims: Pick<ObjectClaims<TrackedObject>, "get" | "isClaimedBy" | "winnerOf">;
  lists: Pick<SourceLists, "canTell">;
  refusals: Pick<Refusals, "keepsFiles">;
  journal: Pick<Journal, "ownerOf" | "files">;
  publisher: { remove(path: string): boolean };
  onEvent(event: FileEvent): void;
  /** Files were removed, which may have been in the way of others. */
  onRemoved(paths: readonly string[]): void;
  /** A file of this owner could not be removed; {@link Removals.retry} tries again. */
  onFailed(owner: string, error: PublishError): void;
  /** `false` with METHOD=LIST. */
  retries?: boolean | undefined;
  slice: Pick<TimeSlice, "isOver">;
  /** The time slice was over before every file of this owner was removed: call {@link Removals.retry}. */
  onInterrupted(owner: string): void;
  log: Pick<Log, "info" | "error">;
}

export class Removals {
  readonly #options: RemovalsOptions;
  /** Paths that could not be removed, with the reason, by owner. */
  readonly #failed = new Map<string, Map<string, string>>();
  /** Paths that were not removed when the time slice was over, by owner. */
  readonly #left = new Map<string, Set<string>>();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  /**
   * Whether a file of ours may be removed: the object whose content it has does not claim it and is not refused. That is
   * known once the source of that object was listed in full in this run.
   */
  mayRemove(path: string): boolean {
    const owner = this.#options.journal.ownerOf(path);
    return this.#isLost(path) && owner !== undefined && !this.#options.refusals.keepsFiles(owner);
  }

  /** Whether the object whose content a file has does not claim it, or has lost it to another path. */
  #isLost(path: string): boolean {
    const { claims, lists, journal } = this.#options;
    const owner = journal.ownerOf(path);
    return owner !== undefined && !claims.isClaimedBy(path, owner) && lists.canTell(refOf(owner));
  }

  /** Removes those of the paths that may be removed. `ref` and `uid` name the object in the log and in Events. */
  remove(paths: Iterable<string>, ref: ObjectRef, uid?: string): void {
    this.#remove(paths, ref, uid, (path) => this.mayRemove(path));
  }

  #remove(paths: Iterable<string>, ref: ObjectRef, uid: string | undefined, may: (path: string) => boolean): void {
    const { journal, publisher, slice, log, onEvent, onRemoved, onFailed, retries = true } = this.#options;
    const removed: string[] = [];
    const failures = new Map<string, PublishError>();
    let news: { path: string; error: PublishError } | undefined;
    for (const path of paths) {
      const owner = journal.ownerOf(path);
      if (owner === undefined) continue;
      if (!may(path)) {
        this.#settled(owner, path);
        continue;
      }
      if (slice.isOver) {
        this.#leave(owner, path);
        continue;
      }
      try {
        if (publisher.remove(path)) removed.push(path);
        this.#settled(owner, path);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        if (this.#isNews(owner, path, error.message)) news ??= { path, error };
        failures.set(owner, failures.get(owner) ?? error);
      }
    }
    if (removed.length > 0) {
      log.info(`${describeRef(ref)}: removed ${summaryOf(removed)}`, { ...aboutObject(ref), ...aboutFiles(removed) });
      onEvent({ type: "removed", ref, ...given("uid", uid), paths: removed });
      onRemoved(removed);
    }
    if (news !== undefined) {
      log.error(`${describeRef(ref)}: ${news.error.message}${retries ? "; trying again" : ""}`, {
        ...aboutObject(ref),
        path: news.path,
      });
    }
    for (const [owner, error] of failures) onFailed(owner, error);
  }

  /** The winner of the path has no content for it. Removes the file if its content is that of an object that no longer claims it. */
  removeStaleContent(path: string): void {
    const owner = this.#options.journal.ownerOf(path);
    if (owner !== undefined) this.remove([path], refOf(owner));
  }

  /**
   * Removes those of the paths that lost to a path above or below them. A refused object does not keep such a file, just as
   * it does not keep a file that another object wins.
   */
  makeRoom(paths: Iterable<string>): void {
    const { claims } = this.#options;
    for (const [owner, lost] of this.#byOwner(paths)) {
      // The list under way has already brought the object
      const isKnown = claims.get(owner) !== undefined;
      this.#remove(
        lost,
        refOf(owner),
        undefined,
        (path) => this.#isLost(path) || (isKnown && !claims.isClaimedBy(path, owner)),
      );
    }
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

  /** Removes what was left when a time slice was over, and tries again to remove what could not be removed before. */
  retry(owner: string): void {
    const paths = this.#failed.get(owner);
    for (const path of paths?.keys() ?? []) {
      if (this.#options.journal.ownerOf(path) !== owner) this.#settled(owner, path);
    }
    const left = this.#left.get(owner);
    this.#left.delete(owner);
    this.remove(new Set([...left ?? [], ...paths?.keys() ?? []]), refOf(owner));
  }

  /** Whether a time slice was over before every file of the owner was removed. */
  isInterrupted(owner: string): boolean {
    return this.#left.has(owner);
  }

  #leave(owner: string, path: string): void {
    const left = this.#left.get(owner);
    if (left !== undefined) return void left.add(path);
    this.#left.set(owner, new Set([path]));
    this.#options.onInterrupted(owner);
  }

  #removeEach(isMeant: (path: string, owner: string) => boolean): void {
    const meant: string[] = [];
    for (const [path, { owner }] of this.#options.journal.files()) {
      if (isMeant(path, owner)) meant.push(path);
    }
    for (const [owner, paths] of this.#byOwner(meant)) this.remove(paths, refOf(owner));
  }

  #byOwner(paths: Iterable<string>): Map<string, string[]> {
    const byOwner = new Map<string, string[]>();
    for (const path of paths) {
      const owner = this.#options.journal.ownerOf(path);
      const others = owner === undefined ? undefined : byOwner.get(owner);
      if (others !== undefined) others.push(path);
      else if (owner !== undefined) byOwner.set(owner, [path]);
    }
    return byOwner;
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
