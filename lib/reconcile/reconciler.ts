/**
 * Turns the objects of one collection into files. Level-triggered: an event only says "look at this object". The projection
 * is the set of files that the object wants, the claims of all objects decide who wins each path, and the publisher writes
 * the difference to the disk. The body of an object is dropped once it is published; to publish it again, it is read again.
 */
import type { ClaimsChange, ObjectClaims } from "../files/claims.ts";
import { project, type WantedFile } from "../files/projection.ts";
import { canonical } from "./canonical_paths.ts";
import type { KubeObject } from "../objects/object.ts";
import { keyOf } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { isOlderVersion, versionOf } from "../objects/version.ts";
import { AbandonedPaths } from "./abandoned_paths.ts";
import { type Census, takeCensus } from "./census.ts";
import { DiskEvents } from "./disk_events.ts";
import { ObjectFiles } from "./object_files.ts";
import { ObjectReader } from "./object_reader.ts";
import type { Outcome } from "./outcome.ts";
import { assemble, keyOfRest, objectToContinue, ownerToRemove } from "./reconciler_parts.ts";
import type { ReconcilerOptions, ReconcilerParts } from "./reconciler_parts.ts";
import type { SourceLists } from "./source_lists.ts";
import { takeOver } from "./take_over.ts";
import { refIn, TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #parts: ReconcilerParts;
  readonly #claims: ObjectClaims<TrackedObject>;
  readonly #lists: SourceLists;
  readonly #queue: WorkQueue;
  readonly #objectFiles: ObjectFiles;
  readonly #reader: ObjectReader;
  readonly #abandoned: AbandonedPaths;
  /** Receives events of the disk. */
  readonly disk: DiskEvents;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const parts = this.#parts = assemble(options, (key, signal) => this.#process(key, signal));
    this.#claims = parts.claims;
    this.#lists = parts.lists;
    this.#queue = parts.queue;
    this.#objectFiles = new ObjectFiles({
      ...options,
      ...parts,
      onInterrupted: (key) => this.#queue.add(keyOfRest(key)),
    });
    this.#reader = new ObjectReader({
      ...options,
      ...parts,
      // Keep the number of the list: a list under way may not contain the object
      onFound: (object, before) => this.#update(before.source, object, before.list),
      read: (source, ref, signal) => options.read(source, ref, signal).finally(() => parts.slice.begin()),
      onGone: (object) => this.#forget(object),
    });
    this.disk = new DiskEvents(parts);
    this.#abandoned = new AbandonedPaths({ ...options, ...parts });
    options.publisher.beginFirstSync();
  }

  /** Whether the files are as the objects want them. */
  get outcome(): Outcome {
    return this.#parts.outcome;
  }

  /** Number of objects that are selected now. */
  get objects(): number {
    return this.#claims.objectCount - this.#parts.hidden.size;
  }

  /** Number of paths that are wanted now. */
  get files(): number {
    return this.#claims.size;
  }

  /** Whether an object exists and is selected. */
  selects(key: string): boolean {
    return !this.#parts.isGone(key);
  }

  /** What `/status` is made from: only to be read. */
  get inner(): Readonly<Pick<ReconcilerParts, "claims" | "refusals" | "reports" | "queue" | "isGone">> {
    return this.#parts;
  }

  /** @param undelivered paths whose content was refused */
  census(undelivered: Iterable<string>): Census {
    return takeCensus({ ...this.#options, ...this.#parts }, undelivered);
  }

  /** Sources that have not been listed in full yet. */
  get unlisted(): Source[] {
    return this.#lists.unlisted;
  }

  /** Whether some files of an object have yet to be published. */
  isPublishing(key: string): boolean {
    return this.#objectFiles.isInterrupted(key);
  }

  /** A list of a source begins. */
  beginList(source: Source): void {
    this.#lists.begin(source);
  }

  /** A list of a source is complete: objects that were not in it no longer exist. */
  endList(source: Source): void {
    this.#parts.slice.begin();
    const list = this.#lists.numberOf(source);
    const isFirst = this.#lists.end(source);
    for (const object of [...this.#claims.objects()]) {
      if (object.source === source && object.list !== list) this.#forget(object);
    }
    if (isFirst) {
      takeOver(source, this.#parts);
      for (const key of this.#parts.inTheWay.release()) this.#queue.add(key);
    }
    if (this.#lists.areComplete) {
      this.#options.publisher.endFirstSync();
      this.#options.journal.tidy();
    }
    this.#options.onChange();
  }

  /** The current version of an object. `listed`: it is from a list, so the disk is compared even if it is unchanged. */
  apply(source: Source, object: KubeObject, listed: boolean): void {
    this.#parts.slice.begin();
    // The first list of another source may never end
    if (!listed) this.#options.publisher.endFirstSync();
    const key = keyOf(refIn(source, object));
    const before = this.#claims.get(key);
    const version = versionOf(object.metadata.resourceVersion);
    const list = this.#lists.numberOf(source);
    const isOlder = before !== undefined && isOlderVersion(version, before.version);
    if (listed) {
      // The list is older than the read; the watch that follows it will report newer changes
      if (isOlder && this.#lists.wasReadSince(source, key)) return void (before.list = list);
    } else if (isOlder || (before?.isVersion(object) && !this.#queue.has(key))) return;
    this.#update(source, object, list);
  }

  /** An object was deleted, or is no longer selected. */
  delete(source: Source, object: KubeObject): void {
    this.#parts.slice.begin();
    const { uid, resourceVersion } = object.metadata;
    const before = this.#claims.get(keyOf(refIn(source, object)));
    if (before === undefined) return;
    // Ignore it if another object now has the name, or if this one was read again and is newer
    const isAnother = uid !== undefined && uid !== before.uid;
    if (!isAnother && !isOlderVersion(versionOf(resourceVersion), before.version)) this.#forget(before);
  }

  /** An object with our finalizer is being deleted: releases it once its files were removed. */
  retire(source: Source, object: KubeObject): void {
    this.#parts.slice.begin();
    const ref = refIn(source, object);
    const before = this.#claims.get(keyOf(ref));
    if (before !== undefined) return this.#forget(before);
    this.#parts.releases?.add(ref);
    this.#parts.removals.removeOrphans((owner) => owner === keyOf(ref));
    this.#parts.releases?.check();
  }

  /** A namespace may have become selected or unselected. Reads its objects again if it is selected now. */
  reconsider(namespace: string): void {
    const { claims, hidden, queue, slice } = this.#parts;
    slice.begin();
    for (const object of [...claims.objects()]) {
      if (object.namespace !== namespace || object.source.namespace !== undefined) continue;
      const isSelected = this.#selects(object.source, namespace);
      if (!hidden.has(object.key) && !isSelected) this.#hide(object.withoutPaths());
      else if (hidden.has(object.key) && isSelected) queue.add(object.key);
    }
  }

  /** Retries what failed and reads heirs again, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, removalDelay, obstacles } = this.#parts;
    await Promise.all([queue.run(signal), removalDelay.run(signal), obstacles.run(signal)]);
  }

  /** The collection has stopped: others may have its paths. */
  leave(): void {
    this.#parts.joined?.leave();
  }

  /** Processes the queue once, without retries. For METHOD=LIST. */
  async settle(signal: AbortSignal): Promise<void> {
    await this.#queue.drain(signal);
  }

  /** Processes a key of the queue: reads an object again, or goes on with files that are to be published or removed. */
  async #process(key: string, signal: AbortSignal): Promise<void> {
    const { removals, releases, slice } = this.#parts;
    const owner = ownerToRemove(key);
    const object = objectToContinue(key) ?? key;
    try {
      if (owner !== undefined) {
        do {
          while (slice.isOver) await slice.pause();
          removals.retry(owner);
        } while (removals.isInterrupted(owner));
        return;
      }
      if (object === key) await this.#reader.process(key, signal);
      while (this.#objectFiles.isInterrupted(object) && !signal.aborted) {
        while (slice.isOver) await slice.pause();
        this.#objectFiles.continue(object);
        if (!this.#objectFiles.isInterrupted(object)) removals.removeOrphans((owner) => owner === object);
      }
    } finally {
      releases?.check();
    }
  }

  /** Publishes the files of the current version of an object. */
  #update(source: Source, object: KubeObject, list: number): void {
    if (!this.#selects(source, object.metadata.namespace)) {
      return this.#hide(TrackedObject.of(source, object, [], list));
    }
    const projection = canonical(project(source.kind, object, this.#options.settings), this.#options.publisher);
    const { files } = projection;
    const tracked = TrackedObject.of(source, object, files.map(({ path }) => path), list);
    const { key } = tracked;
    const before = this.#claims.get(key);
    const isNew = this.#parts.hidden.delete(key) || !before?.isVersion(object);
    if (isNew) this.#parts.reports.refusals(tracked, projection);
    const isAccepted = projection.refusals.length === 0 && this.#parts.refusals.has(key);
    if (isAccepted) this.#parts.reports.noLongerRefused(tracked);
    const keptFiles = [
      this.#parts.refusals.set(key, projection),
      this.#parts.removalDelay.end(key),
      this.#objectFiles.isInterrupted(key),
    ].includes(true);
    const change = this.#claims.set(tracked);
    this.#parts.releases?.cancel(key);
    this.#parts.reports.collided(change.collisions);
    this.#publish(tracked, files.filter(({ path }) => change.won.has(path)));
    this.#abandoned.follow(change);
    const isInterrupted = this.#objectFiles.isInterrupted(key);
    this.#abandoned.remove(change.freed, tracked, { keepsOwn: isInterrupted });
    // #process() removes what it no longer wants when all that it wants was published
    if (isInterrupted) return;
    // It may no longer want all files that it had before it was refused, deleted or published in part
    if (keptFiles) this.#parts.removals.removeUnclaimed(new Set([key]));
    this.#parts.releases?.check();
  }

  #publish(object: TrackedObject, files: readonly WantedFile[]): void {
    const { key } = object;
    this.#objectFiles.publish(object, files, (failure) => {
      if (failure !== undefined) {
        this.#parts.reports.failed(object, failure, this.#queue.failureOf(key));
        if (failure.isObstructed) this.#queue.park(key, failure);
        else this.#queue.retry(key, failure);
      } else if (!this.#queue.has(keyOfRest(key))) {
        if (this.#queue.failureOf(key) !== undefined) this.#parts.reports.recovered(object);
        this.#queue.forget(key);
      }
    });
  }

  #selects(source: Source, namespace: string): boolean {
    return this.#options.selects?.(source, namespace) ?? true;
  }

  #forget(object: TrackedObject): void {
    this.#parts.hidden.delete(object.key);
    this.#leave(object, this.#claims.delete(object.key));
  }

  /** The object's namespace is not selected. */
  #hide(object: TrackedObject): void {
    const { key } = object;
    const isNews = !this.#parts.isGone(key);
    this.#parts.hidden.add(key);
    const change = this.#claims.set(object);
    if (isNews) this.#leave(object, change);
    else this.#queue.forget(key);
  }

  /** The object was deleted, or is no longer selected. */
  #leave(object: TrackedObject, change: ClaimsChange<TrackedObject>): void {
    const { key } = object;
    const keptFiles = [this.#parts.refusals.delete(key), this.#objectFiles.isInterrupted(key)].includes(true);
    this.#queue.forget(key);
    this.#objectFiles.stop(key);
    this.#parts.obstacles.forget(key);
    this.#reader.forget(key);
    this.#parts.releases?.add(object);
    this.#parts.reports.collided(change.collisions);
    this.#abandoned.follow(change);
    const isDelayed = this.#parts.removalDelay.begin(key);
    this.#abandoned.remove(change.freed, object);
    if (keptFiles && !isDelayed) this.#parts.removals.removeUnclaimed(new Set([key]));
    this.#parts.releases?.check();
  }
}
