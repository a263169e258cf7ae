/**
 * From the objects of one collection to its files. Level-triggered: an event says only "look at this object". Its
 * projection says what files it wants, the claims of all objects say who wins each path, and the publisher does the
 * difference to the disk. An object's body is dropped once it is published; to publish it again, it is read again.
 */
import { Claims, type ClaimsChange, type Precedence } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { project, type ProjectionSettings } from "../files/projection.ts";
import { PublishError } from "../files/publish_error.ts";
import type { Publisher } from "../files/publisher.ts";
import type { KubeObject } from "../objects/object.ts";
import { keyOf, type ObjectRef, refOf } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { isOlderVersion, versionOf } from "../objects/version.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../log/log.ts";
import type { FileEvent } from "./file_event.ts";
import { type Downloads, ObjectFiles } from "./object_files.ts";
import { ObjectReader } from "./object_reader.ts";
import { Releases } from "./releases.ts";
import { Removals } from "./removals.ts";
import { Reports } from "./reports.ts";
import { SourceLists } from "./source_lists.ts";
import { TrackedObject } from "./tracked_object.ts";
import { WorkQueue } from "./work_queue.ts";

export interface ReconcilerOptions {
  settings: ProjectionSettings;
  /** Who has a path that several objects claim. */
  collisions: Precedence;
  sources: readonly Source[];
  publisher: Publisher;
  journal: Journal;
  downloads: Downloads;
  /** Reads an object again; `undefined`: it is gone, or no longer selected. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  onEvent(event: FileEvent): void;
  /** With finalizers: no file holds the content of an object that is being deleted or is no longer selected. */
  onReleased?: ((ref: ObjectRef) => void) | undefined;
  heartbeat: { expectWithin(seconds: number): void; idle(): void };
  /** A source was listed, or a key of the queue is done or has failed: the first sync may be complete. */
  onChange(): void;
  clock: Clock;
  random: () => number;
  /** First delay before a key that failed is tried again, in seconds. */
  firstBackoff: number;
  log: Log;
}

/** Keys of the queue that stand for files to remove. */
const REMOVAL = "removal of ";

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #claims: Claims<TrackedObject>;
  readonly #lists: SourceLists;
  readonly #queue: WorkQueue;
  readonly #removals: Removals;
  readonly #releases: Releases | undefined;
  readonly #reports: Reports;
  readonly #objectFiles: ObjectFiles;
  readonly #reader: ObjectReader;

  constructor(options: ReconcilerOptions) {
    const { sources, publisher, journal, onReleased } = options;
    this.#options = options;
    this.#claims = new Claims(options.collisions);
    this.#lists = new SourceLists(sources);
    this.#queue = new WorkQueue({ ...options, process: (key, signal) => this.#process(key, signal) });
    this.#removals = new Removals({
      ...options,
      claims: this.#claims,
      lists: this.#lists,
      onFailed: (owner, error) => this.#queue.retry(REMOVAL + owner, error),
    });
    this.#releases = onReleased && new Releases({ journal, onReleased });
    this.#reports = new Reports(options);
    const parts = { claims: this.#claims, lists: this.#lists, removals: this.#removals, reports: this.#reports };
    this.#objectFiles = new ObjectFiles({ ...options, ...parts });
    this.#reader = new ObjectReader({ ...options, ...parts, queue: this.#queue });
    publisher.beginFirstSync();
  }

  /** Number of objects that are selected now. */
  get objects(): number {
    return this.#claims.objectCount;
  }

  /** Number of paths that are wanted now. */
  get files(): number {
    return this.#claims.size;
  }

  /** Sources that have not been listed in full yet. */
  get unlisted(): Source[] {
    return this.#lists.unlisted;
  }

  /** Whether a file still has to be written or removed, other than those that no file system accepts. */
  get isSettled(): boolean {
    if (this.#queue.size === 0) return true;
    return this.#queue.unsettled().every(([, error]) => error instanceof PublishError && error.isImpossible);
  }

  /** Why files could not be written or removed, one reason for each object concerned. */
  get failures(): string[] {
    return [...this.#queue.unsettled()].flatMap(([, error]) => error?.message ?? []);
  }

  /** A list of a source begins. */
  beginList(source: Source): void {
    this.#lists.begin(source);
  }

  /** A list of a source was complete: what it did not bring is gone. */
  endList(source: Source): void {
    const list = this.#lists.numberOf(source);
    const isFirst = this.#lists.end(source);
    for (const object of [...this.#claims.objects()]) {
      if (object.source === source && object.list !== list) this.#forget(object);
    }
    if (isFirst) this.#takeOver(source);
    if (this.#lists.areComplete) {
      this.#options.publisher.endFirstSync();
      this.#options.journal.tidy();
    }
    this.#options.onChange();
  }

  /** An object as it is now. `listed`: it came in a list, so the disk is compared though it may not have changed. */
  apply(source: Source, object: KubeObject, listed: boolean): void {
    // The first list of another source may never end
    if (!listed) this.#options.publisher.endFirstSync();
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const key = keyOf({ kind: source.kind, namespace, name });
    const before = this.#claims.get(key);
    const version = versionOf(resourceVersion);
    const list = this.#lists.numberOf(source);
    const isOlder = before !== undefined && isOlderVersion(version, before.version);
    if (listed) {
      // The watch, which begins where the list was, tells what happened since
      if (isOlder && this.#lists.wasReadSince(source, key)) return void (before.list = list);
    } else if (isOlder || (before?.uid === uid && before.version === version && !this.#queue.has(key))) return;
    this.#update(source, object, list);
  }

  /** An object that is gone, or no longer selected. */
  delete(source: Source, object: KubeObject): void {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const before = this.#claims.get(keyOf({ kind: source.kind, namespace, name }));
    if (before === undefined) return;
    // Another object has the name by now, or this one was read again and is newer
    const isAnother = uid !== undefined && uid !== before.uid;
    if (!isAnother && !isOlderVersion(versionOf(resourceVersion), before.version)) this.#forget(before);
  }

  /** An object with our finalizer that is being deleted: it is released once its files are gone. */
  retire(source: Source, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    const ref: ObjectRef = { kind: source.kind, namespace, name };
    const before = this.#claims.get(keyOf(ref));
    if (before !== undefined) return this.#forget(before);
    this.#releases?.add(ref);
    this.#removals.removeOrphans((owner) => owner === keyOf(ref));
    this.#releases?.check();
  }

  /** A file of ours is missing or was changed by somebody else: its object is read again. */
  heal(path: string): void {
    const winner = this.#claims.winnerOf(path);
    if (winner !== undefined) this.#queue.add(winner.key);
  }

  /** The content of a path was written by a download. */
  downloaded(path: string): void {
    this.#reports.accepted(path);
    this.#releases?.check();
  }

  /** The content of a path cannot be downloaded for now. */
  downloadFailed(path: string): void {
    this.#removals.withdraw(path);
    this.#releases?.check();
  }

  /** Retries what failed and reads heirs again, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#queue.run(signal);
  }

  /** Does what is due, once; what fails stays failed. For METHOD=LIST. */
  async settle(signal: AbortSignal): Promise<void> {
    await this.#queue.drain(signal);
  }

  /** Processes a key of the queue: reads an object again, or retries a removal. */
  async #process(key: string, signal: AbortSignal): Promise<void> {
    if (key.startsWith(REMOVAL)) {
      this.#removals.retry(key.slice(REMOVAL.length));
      return this.#releases?.check();
    }
    const before = this.#claims.get(key);
    if (before === undefined) return;
    const object = await this.#reader.read(before, signal).finally(() => this.#releases?.check());
    // Otherwise an event about the object came meanwhile, which is newer
    if (this.#claims.get(key) !== before) return;
    if (object === undefined) return this.#forget(before);
    this.#lists.markRead(before.source, key);
    // The number of the list stays: a list under way may not bring the object
    this.#update(before.source, object, before.list);
  }

  /** Makes the files of an object as it is now. */
  #update(source: Source, object: KubeObject, list: number): void {
    const { uid, resourceVersion, namespace, name, creationTimestamp } = object.metadata;
    const key = keyOf({ kind: source.kind, namespace, name });
    const before = this.#claims.get(key);
    const version = versionOf(resourceVersion);
    const created = Math.floor(Date.parse(creationTimestamp) / 1000) || 0;
    const { files, refusals } = project(source.kind, object, this.#options.settings);
    const tracked = new TrackedObject(key, source, created, uid, version, files.map(({ path }) => path), list);
    if (before?.uid !== uid || before.version !== version) {
      for (const reason of refusals) this.#reports.refused(tracked, reason);
    }
    const change = this.#claims.set(tracked);
    this.#releases?.cancel(key);
    this.#reports.collided(change);
    const failure = this.#objectFiles.publish(tracked, files.filter(({ path }) => change.won.has(path)));
    if (failure === undefined) this.#queue.forget(key);
    else {
      this.#reports.failed(tracked, failure, this.#queue.failureOf(key));
      this.#queue.retry(key, failure);
    }
    this.#follow(tracked, change);
  }

  /** A source is known now: files of earlier runs go, or get the content of the object that wins their path. */
  #takeOver(source: Source): void {
    const isKnown = (owner: string) => this.#lists.areComplete || isOwnerIn(source, owner);
    for (const [path, { owner }] of this.#options.journal.files()) {
      const winner = this.#claims.winnerOf(path);
      if (winner?.key === owner || !isKnown(owner)) continue;
      if (this.#claims.get(owner) === undefined) this.#releases?.add(refOf(owner));
      if (winner !== undefined) this.#queue.add(winner.key);
    }
    this.#removals.removeOrphans(isKnown);
    this.#releases?.check();
  }

  #forget(object: TrackedObject): void {
    this.#queue.forget(object.key);
    this.#reader.forget(object.key);
    this.#releases?.add(object);
    this.#follow(object, this.#claims.delete(object.key));
  }

  /** What must happen to the paths that an object gave up. */
  #follow(object: TrackedObject, { freed, inherited }: ClaimsChange<TrackedObject>): void {
    const { downloads } = this.#options;
    for (const { path, heir } of inherited) {
      downloads.forget(path);
      this.#queue.add(heir);
    }
    for (const path of freed) {
      downloads.forget(path);
      this.#reports.accepted(path);
    }
    this.#removals.remove(freed, object, object.uid);
    this.#releases?.check();
  }
}

/** Whether an object is of a source's kind and namespace. */
function isOwnerIn({ kind, namespace }: Source, owner: string): boolean {
  return owner.startsWith(namespace === undefined ? `${kind}/` : `${kind}/${namespace}/`);
}
