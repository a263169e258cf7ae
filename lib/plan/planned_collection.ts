/** One collection, with the parts of a run that decide what becomes a file, and a disk that is only planned. */
import type { Collection } from "../config/collection_settings.ts";
import type { Config } from "../config/config.ts";
import { canonicalName } from "../files/canonical_names.ts";
import type { ConfigFile } from "../files/config_files.ts";
import type { Collision } from "../files/claims.ts";
import { DryPublisher, type PlannedFile } from "../files/dry_publisher.ts";
import type { Journal } from "../files/journal.ts";
import type { PlannedDisk } from "../files/planned_disk.ts";
import type { RecordedCollection } from "../files/record_format.ts";
import type { AllowedHosts } from "../http/allowed_hosts.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import type { Log } from "../log/log.ts";
import { qualifiedName } from "../objects/ref.ts";
import type { FileEvent } from "../reconcile/file_event.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import type { SharedClaims } from "../reconcile/shared_claims.ts";
import type { TrackedObject } from "../reconcile/tracked_object.ts";
import type { Clock } from "../runtime/clock.ts";
import { Followers } from "../sidecar/sources/followers.ts";
import type { Belongings, Neighbour } from "../sidecar/collections/leftovers.ts";
import { openUnpacker } from "../sidecar/opening/open_downloads.ts";
import { allowedFoldersOf, folderOf, openJournal } from "../sidecar/opening/open_files.ts";
import { SelectedNamespaces } from "../sidecar/sources/selected_namespaces.ts";
import { SelectedObjects } from "../sidecar/sources/selected_objects.ts";
import type { SharedSources } from "../sidecar/sources/shared_sources.ts";
import { sourcesOf } from "../sidecar/sources/sources.ts";
import type { Problem } from "../serve/status.ts";
import { missingObjects } from "../sidecar/status/missing_objects.ts";
import { cureOf } from "./cures.ts";
import { findIn } from "./lookup.ts";
import type { PlanProblem } from "./plan.ts";
import { PlannedDownloads } from "./planned_downloads.ts";

export interface PlannedCollectionOptions {
  collection: Collection;
  place: RecordedCollection;
  config: Pick<Config, "finalizer" | "watch">;
  client: ObjectApi;
  /** `false` with `--manifests`, where namespaces have no labels. */
  haveNamespacesLabels: boolean;
  /** Files that no object may write to. */
  configFiles: readonly ConfigFile[];
  hosts: AllowedHosts;
  sources: SharedSources;
  /** Shared by all collections; `undefined`: there is only one. */
  claims: SharedClaims | undefined;
  disk: PlannedDisk;
  clock: Clock;
  random: () => number;
  /** For faults of the record. */
  recordLog: Pick<Log, "warn">;
  log: Log;
}

export class PlannedCollection implements Neighbour {
  readonly collection: Collection;
  readonly place: RecordedCollection;
  readonly folders: readonly string[];
  readonly ownNamespace: string;
  readonly publisher: DryPublisher;
  readonly reconciler: Reconciler;
  readonly downloads: PlannedDownloads;
  readonly namespaces: SelectedNamespaces;
  readonly problems: PlanProblem[] = [];
  readonly #disk: PlannedDisk;
  /** The owner of each file, as the record says. */
  readonly recorded: ReadonlyMap<string, string>;
  readonly #journal: Journal;
  readonly #followers: Followers;
  #failures: string[] | undefined;

  /** @throws {PublishError} the folder cannot be used */
  static async open(options: PlannedCollectionOptions): Promise<PlannedCollection> {
    const { collection, place, client, clock, recordLog } = options;
    const journal = await openJournal(collection, place.id, { clock, isDryRun: true, log: recordLog });
    const ownNamespace = collection.selection.namespaces === "OWN" ? await client.namespace() : "";
    return new PlannedCollection(options, journal, ownNamespace);
  }

  private constructor(options: PlannedCollectionOptions, journal: Journal, ownNamespace: string) {
    const { collection, config, client, sources: shared, log } = options;
    const folder = folderOf(collection);
    const allowedFolders = allowedFoldersOf(collection);
    this.collection = collection;
    this.place = options.place;
    this.folders = [folder, ...allowedFolders];
    this.ownNamespace = ownNamespace;
    this.#journal = journal;
    this.#disk = options.disk;
    this.recorded = new Map([...journal.files()].map(([path, { owner }]) => [path, owner]));
    const sources = sourcesOf(collection.selection, ownNamespace);
    const namespaces = this.namespaces = new SelectedNamespaces(collection.selection, {
      haveLabels: options.haveNamespacesLabels,
    });
    namespaces.onChange = (namespace) => this.reconciler.reconsider(namespace);
    const finalizerGuard = config.finalizer === undefined ? undefined : { admit: admitUnchanged };
    const objects = new SelectedObjects({ client, namespaces, finalizerGuard, log });
    this.publisher = new DryPublisher({ ...options, folder, allowedFolders, mode: collection.files.mode, journal });
    this.downloads = new PlannedDownloads({
      publisher: this.publisher,
      unpack: openUnpacker(collection),
      hosts: options.hosts,
      onRefused: (ref, path, reason) => {
        this.#onEvent({ type: "refused", ref, reason });
        this.reconciler.disk.downloadFailed(path);
      },
      onFailed: (ref, path, reason) => {
        this.#onEvent({ type: "failed", ref, reason });
        this.reconciler.disk.downloadFailed(path);
      },
    });
    this.reconciler = new Reconciler({
      ...options,
      settings: { ...collection.files, folder, allowedFolders },
      collisions: collection.files.collisions,
      joinClaims: options.claims &&
        ((member) => options.claims!.join(collection.name, collection.files.collisions, member)),
      sources,
      publisher: this.publisher,
      journal,
      downloads: this.downloads,
      selects: (source, namespace) => objects.selects(source, namespace),
      removeDelay: 0,
      // A plan needs no right to get objects
      read: (source, ref, signal) => findIn(client, source, ref, signal),
      onEvent: (event) => this.#onEvent(event),
      onReleased: finalizerGuard && (() => {}),
      heartbeat: { expectWithin() {}, idle() {} },
      onChange() {},
      firstBackoff: config.watch.firstBackoff,
    });
    this.#followers = new Followers({
      shared,
      sources,
      namespaces,
      sinkFor: (source) => objects.sinkFor(source, this.reconciler),
      log,
    });
  }

  /** What would be done. */
  *files(): Generator<[path: string, file: PlannedFile]> {
    for (const path of this.publisher.files.keys()) {
      const file = this.fileAt(path);
      if (file !== undefined) yield [path, file];
    }
  }

  /** What would be done at a path; `undefined`: nothing, or another collection has the last word about it. */
  fileAt(path: string): PlannedFile | undefined {
    const file = this.publisher.files.get(path);
    const then = this.#disk.planned(path);
    const isOurs = file?.action === "remove"
      ? then !== "file"
      : then !== "nothing" && this.reconciler.inner.claims.winnerOf(path)?.key === file?.owner;
    return isOurs ? file : undefined;
  }

  /** Paths that objects of this collection want and do not get. */
  lost(): Collision<TrackedObject>[] {
    const { name } = this.collection;
    const all = [...this.reconciler.inner.claims.lost()];
    return all.filter(({ collections }) => collections === undefined || collections.loser === name);
  }

  get isReady(): boolean {
    return this.#failures?.length === 0;
  }

  /** Warnings that nothing is selected, as `/status` has them. */
  missingObjects(): Problem[] {
    const { outcome, objects } = this.reconciler;
    return this.isReady ? missingObjects({ collection: this.collection, outcome, objects }) : [];
  }

  get belongings(): Belongings {
    return { journal: this.#journal, publisher: this.publisher };
  }

  get recordedCollections(): readonly RecordedCollection[] {
    return this.#journal.collections;
  }

  /** A plan makes no directory its own. */
  inherit(): void {}

  /** No directory counts in a plan. */
  removeEmptyDirectories(): void {}

  owns(path: string): boolean {
    return this.#journal.ownerOf(canonicalName(path, this.publisher)) !== undefined;
  }

  /** Lists everything once, and plans. Returns the reasons why something could not be listed or read. */
  async list(signal: AbortSignal): Promise<string[]> {
    const failures = await this.#followers.list(signal);
    await this.reconciler.settle(signal);
    await this.downloads.settle(signal);
    const unread = this.reconciler.outcome.failures.filter(({ name }) => name !== "PublishError");
    return this.#failures = [...failures, ...unread.map(({ message }) => message)];
  }

  #onEvent(event: FileEvent): void {
    if (event.type !== "refused" && event.type !== "failed") return;
    const { type: kind, ref, reason: what } = event;
    const object = qualifiedName(ref);
    if (this.problems.some((problem) => problem.object === object && problem.what === what)) return;
    this.problems.push({ kind, object, what, cure: cureOf(what) });
  }
}

/** FINALIZERS: a run would add the finalizer. */
function admitUnchanged(
  _source: unknown,
  { metadata }: { metadata: { deletionTimestamp?: string } },
): Promise<"apply" | "retire"> {
  return Promise.resolve(metadata.deletionTimestamp === undefined ? "apply" : "retire");
}
