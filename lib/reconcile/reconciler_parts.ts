/** Assembles the parts of a reconciler. */
import type { Precedence } from "../files/claimant.ts";
import { Claims, type ObjectClaims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import type { ProjectionSettings } from "../files/projection.ts";
import type { PublishError } from "../files/publish_error.ts";
import type { Publisher } from "../files/publisher.ts";
import type { Log } from "../log/log.ts";
import type { KubeObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import type { Clock } from "../runtime/clock.ts";
import { TimeSlice } from "../runtime/time_slice.ts";
import type { FileEvent } from "./file_event.ts";
import type { Downloads } from "./object_files.ts";
import { InTheWay } from "./in_the_way.ts";
import { Obstacles } from "./obstacles.ts";
import { Outcome } from "./outcome.ts";
import { Overlap } from "./overlap.ts";
import { Refusals } from "./refusals.ts";
import { Releases } from "./releases.ts";
import { RemovalDelay } from "./removal_delay.ts";
import { Removals } from "./removals.ts";
import { Reports } from "./reports.ts";
import type { ClaimsMember, JoinedClaims } from "./shared_claims.ts";
import { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";
import { isUnselected } from "./unselected.ts";
import { WorkQueue } from "./work_queue.ts";

export interface ReconcilerOptions {
  settings: ProjectionSettings;
  /** Which object wins a path that several claim. */
  collisions: Precedence;
  /** Joins the claims of other collections, whose folders may overlap. */
  joinClaims?: ((member: ClaimsMember) => JoinedClaims) | undefined;
  sources: readonly Source[];
  publisher: Pick<Publisher, "publish" | "remove" | "removeIfEmpty" | "canonical" | "beginFirstSync" | "endFirstSync">;
  journal: Journal;
  downloads: Downloads;
  /** Whether objects of a source in a namespace are selected. Call {@link Reconciler.reconsider} when that changes. */
  selects?: ((source: Source, namespace: string) => boolean) | undefined;
  /** Seconds between the deletion of an object and the removal of its files. */
  removeDelay: number;
  /** Reads an object again; `undefined`: it was deleted, or is no longer selected. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  onEvent(event: FileEvent): void;
  /** An attempt to write or remove files of an object failed. */
  onDiskError?: ((error: PublishError) => void) | undefined;
  /** With finalizers: no file has the content of this object, which is being deleted or no longer selected. */
  onReleased?: ((ref: ObjectRef) => void) | undefined;
  heartbeat: { expectWithin(seconds: number): void; idle(): void };
  /** A source was listed, or a key of the queue is done or has failed: the first sync may be complete. */
  onChange(): void;
  clock: Clock;
  random: () => number;
  /** `false` with METHOD=LIST: what fails is not tried again. */
  retries?: boolean | undefined;
  /** First delay before a key that failed is tried again, in seconds. */
  firstBackoff: number;
  log: Log;
}

export interface ReconcilerParts {
  journal: Journal;
  slice: TimeSlice;
  claims: ObjectClaims<TrackedObject>;
  /** {@link ReconcilerParts.claims}, if they are joined with others. */
  joined: JoinedClaims | undefined;
  lists: SourceLists;
  queue: WorkQueue;
  removals: Removals;
  removalDelay: RemovalDelay;
  obstacles: Obstacles;
  inTheWay: InTheWay;
  refusals: Refusals;
  releases: Releases | undefined;
  reports: Reports;
  outcome: Outcome;
  /** Keys of objects in namespaces that are not selected. They are tracked, but claim nothing. */
  hidden: Set<string>;
  /** Whether the object does not exist, or is not selected. */
  isGone(key: string): boolean;
}

/** Keys of the queue that stand for files to remove: this, and the key of their owner. */
const REMOVAL = "removal of ";

/** Keys of the queue that stand for the rest of an object's files, when one time slice did not suffice: this, and the object's key. */
const REST = "rest of ";

/** The owner of files that a key of the queue has removed; `undefined`: the key is that of an object to read. */
export function ownerToRemove(key: string): string | undefined {
  return key.startsWith(REMOVAL) ? key.slice(REMOVAL.length) : undefined;
}

/** The object whose publication a key of the queue continues; `undefined`: it is another kind of key. */
export function objectToContinue(key: string): string | undefined {
  return key.startsWith(REST) ? key.slice(REST.length) : undefined;
}

export function keyOfRest(key: string): string {
  return REST + key;
}

/** @param process does the work of a key of the queue */
export function assemble(
  options: ReconcilerOptions,
  process: (key: string, signal: AbortSignal) => Promise<void>,
): ReconcilerParts {
  const { sources, journal, onReleased } = options;
  const joined: JoinedClaims | undefined = options.joinClaims?.({
    awaits: (path): boolean => overlap.awaits(path),
    lost: (paths): void => overlap.lost(paths),
    inherited: (key) => queue.add(key),
    left: (directory): void => overlap.left(directory),
  });
  const claims: ObjectClaims<TrackedObject> = joined ?? new Claims<TrackedObject>(options.collisions);
  const slice = new TimeSlice(options.clock);
  const lists = new SourceLists(sources);
  const refusals = new Refusals();
  const reports = new Reports(options);
  const hidden = new Set<string>();
  const queue = new WorkQueue({ ...options, process });
  const obstacles = new Obstacles({ ...options, onChanged: (key) => queue.add(key) });
  const removals = new Removals({
    ...options,
    onRemoved(paths) {
      obstacles.check();
      joined?.removed(paths);
    },
    claims,
    lists,
    refusals,
    slice,
    onFailed(owner, error) {
      options.onDiskError?.(error);
      queue.retry(REMOVAL + owner, error);
    },
    onInterrupted: (owner) => queue.add(REMOVAL + owner),
  });
  const overlap: Overlap = new Overlap({ ...options, claims, lists, removals, slice });
  const inTheWay = new InTheWay({ journal, lists, removals, slice });
  const releases = onReleased && new Releases({ journal, onReleased });
  const removalDelay = new RemovalDelay({
    ...options,
    isUnselected: (owner, signal) => isUnselected(owner, options, signal),
    onDue(owners) {
      slice.begin();
      removals.removeUnclaimed(owners);
      releases?.check();
    },
  });
  return {
    journal,
    slice,
    claims,
    joined,
    lists,
    queue,
    removals,
    removalDelay,
    obstacles,
    inTheWay,
    refusals,
    releases,
    reports,
    outcome: new Outcome({
      claims,
      queue,
      refusals,
      reports,
      ownerOf: (key) => ownerToRemove(key) ?? objectToContinue(key) ?? key,
    }),
    hidden,
    isGone: (key) => claims.get(key) === undefined || hidden.has(key),
  };
}
