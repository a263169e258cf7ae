/**
 * One collection's way from objects to files. Level-triggered: an event says only "look at this object"; from the object comes
 * what it wants (Projection), from all objects who gets what (Claims), and only the difference to the disk is done
 * (Publisher). An object's body is dropped as soon as it is published; whoever needs it again reads it from the API.
 */
import type { Clock } from "../runtime/clock.ts";
import { type FileEvent, listOf, summaryOf } from "./file_event.ts";
import { Claims, type ClaimsChange } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { project, type ProjectionSettings, type WantedFile } from "../files/projection.ts";
import { PublishError } from "../files/publish_error.ts";
import type { Publisher } from "../files/publisher.ts";
import { RefusedPathError } from "../files/allowed_folders.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import { type KubeObject } from "../objects/object.ts";
import { type Source } from "../objects/source.ts";
import { isOlderVersion, type Version, versionOf } from "../objects/version.ts";
import type { Log } from "../log/log.ts";
import { Removals } from "./removals.ts";
import { Revisits } from "./revisits.ts";
import { keyOf } from "../objects/ref.ts";
import { TrackedObject } from "./tracked_object.ts";
import { whenAborted } from "../runtime/when_aborted.ts";

/** Files whose content is served elsewhere; see `downloads/scheduler.ts`. */
export interface Downloads {
  /** The path is to hold what the URL serves. Replaces what was wanted there before. */
  want(path: string, url: string, ref: ObjectRef, owner: string, version: Version): void;
  /** The path no longer comes from a URL. */
  forget(path: string): void;
  /** Paths whose first download has neither ended nor become slow. */
  readonly awaited: ReadonlySet<string>;
  /** Paths whose first download has not ended. */
  readonly undecided: ReadonlySet<string>;
}

export interface ReconcilerOptions {
  settings: ProjectionSettings;
  sources: readonly Source[];
  publisher: Publisher;
  journal: Journal;
  downloads: Downloads;
  /** Reads an object anew; `undefined`: it is gone, or no longer selected. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  onEvent(event: FileEvent): void;
  /** An object that is not selected, or is being deleted, has no file left. */
  onReleased(ref: ObjectRef): void;
  clock: Clock;
  random: () => number;
  /** First delay before a failed write is tried again, in seconds. */
  firstBackoff: number;
  log: Log;
}

interface SourceState {
  /** Number of the list under way, or of the last one. */
  list: number;
  /** Objects that were read again since the list under way began: it may be of a time before that. */
  readAhead: Set<string> | undefined;
  synced: boolean;
}

/** Stands in the queue of revisits for the files that must go; no object has this key. */
const ORPHANS = "orphans";

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #claims = new Claims<TrackedObject>();
  readonly #sources: Map<Source, SourceState>;
  readonly #revisits: Revisits;
  /** Objects that wait for the end of the first sync: another one may be the winner of their path. */
  readonly #deferred = new Set<string>();
  readonly #removals: Removals;
  /** Paths that were refused on the disk as it is, with the reason. */
  readonly #refused = new Map<string, string>();
  readonly #synced = Promise.withResolvers<void>();
  readonly #downloadWaiters = new Set<() => void>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    options.publisher.beginFirstSync();
    this.#revisits = new Revisits(options);
    this.#removals = new Removals({ ...options, claims: this.#claims });
    this.#sources = new Map(
      options.sources.map((source) => [source, { list: 0, readAhead: undefined, synced: false }]),
    );
  }

  /** Number of objects that are selected now. */
  get objects(): number {
    return this.#claims.objectCount;
  }

  /** Number of paths that are wanted now. */
  get files(): number {
    return this.#claims.size;
  }

  /** Why files could not be written or removed, one reason for each object concerned. */
  get failures(): string[] {
    return [...this.#revisits.failed.values()].map(({ message }) => message);
  }

  /** Sources that have not been listed in full yet. */
  get unsynced(): Source[] {
    return [...this.#sources].filter(([, state]) => !state.synced).map(([source]) => source);
  }

  /** Resolves once every source was listed in full and every file is there. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** A list of a source begins. */
  beginList(source: Source): void {
    const state = this.#stateOf(source);
    state.list++;
    state.readAhead = new Set();
  }

  /** A list of a source was complete: what it did not bring is gone. */
  endList(source: Source): void {
    const state = this.#stateOf(source);
    state.readAhead = undefined;
    for (const object of [...this.#claims.objects()]) {
      if (object.source === source && object.list !== state.list) this.#forget(object);
    }
    if (!state.synced) {
      state.synced = true;
      if (this.#isSynced) this.#finishFirstSync();
    }
    if (this.#isSynced) this.#options.journal.tidy();
  }

  /** An object as it is now. `listed`: it came in a list, so the disk is compared though it may not have changed. */
  apply(source: Source, object: KubeObject, listed: boolean): void {
    const { list } = this.#stateOf(source);
    // Of several sources one may never be listed, and yet the first sync of the others is over
    if (!listed) this.#options.publisher.endFirstSync();
    const ahead = listed ? this.#aheadOf(source, object) : undefined;
    // The watch, which begins where the list was, goes on to tell of it
    if (ahead !== undefined) ahead.list = list;
    else this.#apply(source, object, listed, list);
  }

  /** What is known of an object already, when it was read after the list that brings it had begun, and is newer. */
  #aheadOf(source: Source, { metadata }: KubeObject): TrackedObject | undefined {
    const { readAhead } = this.#stateOf(source);
    if (readAhead === undefined || readAhead.size === 0) return undefined;
    const { namespace, name, resourceVersion } = metadata;
    const key = keyOf({ kind: source.kind, namespace, name });
    const known = readAhead.has(key) ? this.#claims.get(key) : undefined;
    return known !== undefined && isOlderVersion(versionOf(resourceVersion), known.version) ? known : undefined;
  }

  /** @param list the list that saw the object last */
  #apply(source: Source, object: KubeObject, listed: boolean, list: number): void {
    const { uid, resourceVersion, namespace, name, creationTimestamp } = object.metadata;
    const ref: ObjectRef = { kind: source.kind, namespace, name };
    const key = keyOf(ref);
    const before = this.#claims.get(key);
    const version = versionOf(resourceVersion);
    const isSame = before?.uid === uid && before.version === version;
    if (!listed && before !== undefined) {
      if (isSame && !this.#revisits.has(key)) return;
      // What was read again is ahead of the watch, which goes on to tell what was before that
      if (isOlderVersion(version, before.version)) return;
    }
    const { files, refusals } = project(source.kind, object, this.#options.settings);
    const created = Math.floor(Date.parse(creationTimestamp) / 1000) || 0;
    const paths = files.map(({ path }) => path);
    const tracked = new TrackedObject(key, source, created, uid, version, paths, list);
    if (!isSame) { for (const reason of refusals) this.#refuse(tracked, reason); }
    const change = this.#claims.set(tracked);
    this.#removals.stays(key);
    this.#tellCollisions(change);
    this.#publish(tracked, files.filter(({ path }) => change.won.has(path)));
    this.#follow(tracked, change);
  }

  /** An object that is gone, or no longer selected. */
  delete(source: Source, object: KubeObject): void {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const before = this.#claims.get(keyOf({ kind: source.kind, namespace, name }));
    if (before === undefined) return;
    // An object of the same name that was made since is another object, and one that was read again may have come back
    const isAnother = uid !== undefined && uid !== before.uid;
    if (!isAnother && !isOlderVersion(versionOf(resourceVersion), before.version)) this.#forget(before);
  }

  /** An object that is being deleted, and is held back until its files are gone. */
  retire(source: Source, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    const ref: ObjectRef = { kind: source.kind, namespace, name };
    const before = this.#claims.get(keyOf(ref));
    if (before !== undefined) return this.#forget(before);
    this.#removals.leaves(keyOf(ref), ref);
    if (this.#isSynced) this.#revisits.now(ORPHANS);
  }

  /** Repeats what failed and restores losers that became winners, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#revisits.whenDue(signal).then(() => this.#visit(signal), () => {});
    }
  }

  /** Does what is due, once; what fails stays failed. For METHOD=LIST. */
  async settle(signal: AbortSignal): Promise<void> {
    while (this.#revisits.due.size > 0 && !signal.aborted) await this.#visit(signal);
    await Promise.race([this.#downloadsAre((downloads) => downloads.undecided.size === 0), whenAborted(signal)]);
  }

  /** To be called whenever the state of a download changes. */
  downloadsChanged(): void {
    for (const waiter of this.#downloadWaiters) waiter();
  }

  #downloadsAre(condition: (downloads: Downloads) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiter = () => {
        if (!condition(this.#options.downloads)) return;
        this.#downloadWaiters.delete(waiter);
        resolve();
      };
      this.#downloadWaiters.add(waiter);
      waiter();
    });
  }

  get #isSynced(): boolean {
    for (const { synced } of this.#sources.values()) {
      if (!synced) return false;
    }
    return true;
  }

  /** Visits all that is due. */
  async #visit(signal: AbortSignal): Promise<void> {
    for (const key of [...this.#revisits.due]) {
      if (key === ORPHANS) {
        this.#removeOrphans();
        continue;
      }
      const before = this.#claims.get(key);
      if (before === undefined) {
        this.#revisits.done(key);
        continue;
      }
      try {
        const object = await this.#options.read(before.source, before, signal);
        // Otherwise something happened to the object meanwhile, and all is done
        if (this.#claims.get(key) !== before) continue;
        if (object === undefined) this.#forget(before);
        else {
          this.#stateOf(before.source).readAhead?.add(key);
          // A list under way may come to know that it is gone since
          this.#apply(before.source, object, true, before.list);
        }
      } catch (cause) {
        if (signal.aborted) return;
        this.#rereadFailed(before, cause);
      }
    }
    this.#checkSynced();
  }

  #publish(object: TrackedObject, files: readonly WantedFile[]): void {
    const { publisher, downloads, log, onEvent } = this.#options;
    const written: string[] = [];
    let failure: PublishError | undefined;
    for (const { path, content } of files) {
      if (this.#mustWait(path, object.key)) {
        this.#deferred.add(object.key);
        continue;
      }
      if ("url" in content) {
        downloads.want(path, content.url, object, object.key, object.version);
        continue;
      }
      downloads.forget(path);
      if ("broken" in content) continue;
      try {
        if (publisher.publish(path, content.body, object.key)) written.push(path);
        this.#refused.delete(path);
      } catch (error) {
        if (error instanceof RefusedPathError) this.#refusePath(object, path, error.message);
        else if (error instanceof PublishError) failure ??= error;
        else throw error;
      }
    }
    if (written.length > 0) {
      log.info(`${describeRef(object)}: wrote ${summaryOf(written)}`, listOf(written));
      onEvent({ type: "written", ref: object, uid: object.uid, paths: written });
    }
    if (failure === undefined) this.#revisits.done(object.key);
    else this.#fail(object, failure);
  }

  /**
   * Until the first sync is complete a path that an earlier run wrote for another object is left as it is: that object may
   * yet be listed, and may be the winner.
   */
  #mustWait(path: string, key: string): boolean {
    if (this.#isSynced) return false;
    const owner = this.#options.journal.ownerOf(path);
    return owner !== undefined && owner !== key && this.#claims.get(owner) === undefined;
  }

  #fail(object: TrackedObject, error: PublishError): void {
    const isNews = this.#revisits.failed.get(object.key)?.message !== error.message;
    this.#revisits.later(object.key, error);
    if (!isNews) return;
    this.#options.log.error(`${describeRef(object)}: ${error.message}; trying again`);
    this.#options.onEvent({ type: "failed", ref: object, uid: object.uid, reason: error.message });
  }

  #refuse(object: TrackedObject, reason: string): void {
    this.#options.log.error(`${describeRef(object)} refused: ${reason}`);
    this.#options.onEvent({ type: "refused", ref: object, uid: object.uid, reason });
  }

  #rereadFailed(object: TrackedObject, cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new Error(`cannot read ${describeRef(object)} again: ${reason}`, { cause });
    const isNews = this.#revisits.failed.get(object.key)?.message !== error.message;
    this.#revisits.later(object.key, error);
    if (isNews) this.#options.log.warn(`${error.message}; trying again`);
  }

  /** Each list meets it again; it is told once. */
  #refusePath(object: TrackedObject, path: string, reason: string): void {
    if (this.#refused.get(path) === reason) return;
    this.#refused.set(path, reason);
    this.#refuse(object, reason);
  }

  #tellCollisions({ collisions }: ClaimsChange<TrackedObject>): void {
    for (const { path, winner, loser } of collisions) {
      this.#options.log.warn(
        `${path} is claimed by ${describeRef(winner)} and ${describeRef(loser)}: ${describeRef(winner)} has it, ` +
          "the older one or the first by name (UNIQUE_FILENAMES=true gives each its own)",
      );
      this.#options.onEvent({ type: "collided", ref: loser, uid: loser.uid, winner, path });
    }
  }

  #forget(object: TrackedObject): void {
    this.#revisits.done(object.key);
    this.#deferred.delete(object.key);
    this.#removals.leaves(object.key, object);
    this.#follow(object, this.#claims.delete(object.key));
  }

  /** What must happen to the paths that an object no longer has. */
  #follow(object: TrackedObject, { freed, inherited }: ClaimsChange<TrackedObject>): void {
    const { downloads } = this.#options;
    for (const { path, heir } of inherited) {
      downloads.forget(path);
      this.#revisits.now(heir);
    }
    for (const path of freed) {
      downloads.forget(path);
      this.#refused.delete(path);
    }
    // While another source is not known, which may be for ever, only this object's own files are surely nobody else's
    if (!this.#stateOf(object.source).synced) return;
    const { journal } = this.#options;
    const own = this.#isSynced ? freed : freed.filter((path) => journal.ownerOf(path) === object.key);
    const failure = this.#removals.remove(own, object, object.uid);
    if (failure !== undefined) this.#revisits.later(ORPHANS, failure);
    // An object that is still selected is not released
    if (this.#claims.get(object.key) !== undefined) return;
    const mayHaveOrphans = !this.#isSynced && [...journal.files()].some(([, { owner }]) => owner === object.key);
    if (!mayHaveOrphans) this.#removals.release(object.key);
  }

  #removeOrphans(): void {
    const failure = this.#removals.sweep();
    if (failure === undefined) this.#revisits.done(ORPHANS);
    else this.#revisits.later(ORPHANS, failure);
  }

  #finishFirstSync(): void {
    this.#options.publisher.endFirstSync();
    for (const key of this.#deferred) this.#revisits.now(key);
    this.#deferred.clear();
    this.#removeOrphans();
    this.#checkSynced();
  }

  /** The first sync is complete when every file is there, but for those that no disk could hold. */
  #checkSynced(): void {
    if (!this.#isSynced || this.#revisits.due.size > 0) return;
    const isPossible = (error: Error) => !(error instanceof PublishError && error.isImpossible);
    if ([...this.#revisits.failed.values()].some(isPossible)) return;
    this.#downloadsAre((downloads) => downloads.awaited.size === 0).then(() => this.#synced.resolve());
  }

  #stateOf(source: Source): SourceState {
    const state = this.#sources.get(source);
    if (state === undefined) throw new TypeError(`unknown source ${JSON.stringify(source)}`);
    return state;
  }
}
