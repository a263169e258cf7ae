/** One running collection: follows its sources, writes its files and notifies its application. */
import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/config.ts";
import type { Collection } from "../config/collection_settings.ts";
import { byteLimitsOf, openUnpacker, openUrlFetcher, type UrlFetcher } from "./open_downloads.ts";
import type { FileEvent } from "../reconcile/file_event.ts";
import { DownloadAllowance } from "./download_allowance.ts";
import { settleDownloads } from "./settle_downloads.ts";
import { Followers } from "./followers.ts";
import type { SharedSources } from "./shared_sources.ts";
import type { ConfigFile } from "../files/config_files.ts";
import { DiskCheck } from "../files/disk_check.ts";
import type { RecordedCollection } from "../files/record_format.ts";
import type { Journal } from "../files/journal.ts";
import { Publisher } from "../files/publisher.ts";
import { DownloadScheduler } from "../downloads/scheduler.ts";
import type { SharedDownloads } from "../downloads/shared_downloads.ts";
import type { Garbage } from "../runtime/garbage.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import type { Source } from "../objects/source.ts";
import { sourcesOf } from "./sources.ts";
import { soonestResync } from "../kube/watch/resync.ts";
import type { EventPoster } from "./event_poster.ts";
import type { FinalizerGuard } from "./finalizer_guard.ts";
import type { Log } from "../log/log.ts";
import { allowedFoldersOf, folderOf, openJournal } from "./open_files.ts";
import { openNotifications } from "./open_notifications.ts";
import { Notifications } from "./notifications.ts";
import type { Belongings, Neighbour } from "./leftovers.ts";
import { Debounce } from "../reconcile/debounce.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import type { Liveness } from "./liveness.ts";
import { checkDiskPeriodically } from "./periodic_disk_check.ts";
import { pendingIn } from "./pending_notification.ts";
import { Readiness } from "./readiness.ts";
import type { SidecarMetrics } from "../serve/metrics.ts";
import { Measurements } from "./measurements.ts";
import { SelectedNamespaces } from "./selected_namespaces.ts";
import { SelectedObjects } from "./selected_objects.ts";
import { describeMissing } from "./describe_selection.ts";
import { type ListOutcome, listOutcome } from "./list_outcome.ts";
import type { SharedTransports } from "./open_transports.ts";
import { Changes } from "../runtime/changes.ts";

export interface CollectionOptions {
  collection: Collection;
  place: RecordedCollection;
  config: Config;
  client: ObjectApi;
  /** `false` with `--manifests`, where namespaces have no labels. */
  haveNamespacesLabels: boolean;
  env: Record<string, string | undefined>;
  /** Files that no object may write to, besides those that the collection names. */
  configFiles: readonly ConfigFile[];
  transports: Pick<SharedTransports, "of">;
  /** Shared by all collections: the queue of downloads. */
  sharedDownloads: SharedDownloads;
  metrics: SidecarMetrics;
  eventPoster?: EventPoster;
  finalizerGuard?: FinalizerGuard;
  liveness: Pick<Liveness, "heartbeat">;
  /** Shared by all collections. */
  sources: Pick<SharedSources, "follow" | "failureOf" | "timesOf">;
  garbage: Garbage;
  /** Its first sync is complete. */
  onReady(): void;
  clock: Clock;
  random: () => number;
  log: Log;
}

export class RunningCollection implements Neighbour {
  readonly folders: readonly string[];
  readonly belongings: Belongings & { publisher: Publisher };
  readonly #options: CollectionOptions;
  readonly #notifications: Notifications;
  readonly #fetcher: UrlFetcher;
  readonly #downloads: DownloadScheduler;
  readonly #reconciler: Reconciler;
  readonly #measurements: Measurements;
  readonly #debounce: Debounce;
  readonly #diskCheck: DiskCheck;
  readonly #journal: Journal;
  readonly #readiness: Readiness;
  readonly #allowance: DownloadAllowance;
  /** Of downloads. */
  readonly #changes = new Changes();
  readonly #followers: Followers;
  /** METHOD=LIST: the whole run counts as the first sync. */
  #isListing = false;

  /**
   * Reads the journal and prepares the folder.
   *
   * @throws {PublishError} the folder does not exist and cannot be created
   */
  static async open(options: CollectionOptions): Promise<RunningCollection> {
    const { selection } = options.collection;
    const sources = sourcesOf(selection, selection.namespaces === "OWN" ? await options.client.namespace() : "");
    const journal = await openJournal(options.collection, options.place.id, options);
    const heartbeat = options.liveness.heartbeat("the notification loop");
    const notifications = await Notifications.open(
      options.collection,
      ({ notification, requests }) =>
        openNotifications({
          ...options,
          settings: notification,
          requests,
          transport: options.transports.of(requests).webhook,
          pending: pendingIn(journal),
          heartbeat,
          onResult: (...result) => options.metrics.forCollection(options.collection.name).notified(...result),
        }),
    );
    return new RunningCollection(options, sources, journal, notifications);
  }

  private constructor(
    options: CollectionOptions,
    sources: readonly Source[],
    journal: Journal,
    notifications: Notifications,
  ) {
    const { collection, config, client, clock, random, log } = options;
    const { firstBackoff } = config.watch;
    this.#options = options;
    const measurements = this.#measurements = new Measurements(options.metrics.forCollection(collection.name), clock);
    const namespaces = new SelectedNamespaces(collection.selection, { haveLabels: options.haveNamespacesLabels });
    namespaces.onChange = (namespace) => this.#reconciler.reconsider(namespace);
    const objects = new SelectedObjects({ client, namespaces, finalizerGuard: options.finalizerGuard, log });
    this.#notifications = notifications;
    this.#journal = journal;
    const folder = folderOf(collection);
    const allowedFolders = allowedFoldersOf(collection);
    this.folders = [folder, ...allowedFolders];
    const publisher = new Publisher({
      folder,
      allowedFolders,
      mode: collection.files.mode,
      atomicWrites: collection.files.atomicWrites,
      journal,
      configFiles: options.configFiles,
      id: options.place.id,
      beforeChange: (path) => notifications.concerns({ isFirstSync: this.#isFirstSync }) && journal.addPending([path]),
      log,
    });
    this.belongings = { journal, publisher };
    this.#fetcher = openUrlFetcher({ ...options, transport: options.transports.of(collection.requests).downloads });
    this.#downloads = new DownloadScheduler({
      fetcher: this.#fetcher,
      unpack: openUnpacker(collection),
      limits: byteLimitsOf(collection),
      publisher,
      onWritten: (ref, path) => {
        this.#reconciler.disk.downloaded(path);
        this.#onEvent({ type: "written", ref, paths: [path] });
      },
      onFailed: (ref, path, reason) => {
        this.#reconciler.disk.downloadFailed(path);
        this.#onEvent({ type: "failed", ref, reason });
      },
      onRefused: (ref, path, reason) => {
        this.#reconciler.disk.downloadFailed(path);
        this.#onEvent({ type: "refused", ref, reason });
      },
      onAttempt: (...attempt) => measurements.downloadAttempt(...attempt),
      onChange: () => {
        this.#readiness.check();
        this.#changes.notify();
      },
      firstBackoff,
      turns: options.sharedDownloads.join(collection.requests.urlMaxOpen),
      // Each resync is to ask again, however soon it comes
      refresh: soonestResync(config.watch.resyncPeriod),
      clock,
      random,
      log,
    });
    this.#diskCheck = new DiskCheck({ journal, clock, log });
    this.#reconciler = new Reconciler({
      settings: { ...collection.files, folder, allowedFolders },
      collisions: collection.files.collisions,
      sources,
      publisher,
      journal,
      downloads: this.#downloads,
      selects: (source, namespace) => objects.selects(source, namespace),
      // METHOD=LIST does not wait. With a finalizer, the object exists until its files are removed
      removeDelay: config.method === "LIST" || config.finalizer !== undefined ? 0 : collection.files.removeDelay,
      read: (source, ref, signal) => objects.read(source, ref, signal),
      onEvent: (event) => this.#onEvent(event),
      onDiskError: (error) => measurements.diskError(error),
      onReleased: options.finalizerGuard && ((ref) => options.finalizerGuard?.release(ref)),
      heartbeat: options.liveness.heartbeat("the work queue"),
      onChange: () => this.#readiness.check(),
      firstBackoff,
      clock,
      random,
      log,
    });
    this.#debounce = new Debounce(this.#reconciler, clock, measurements.propagation);
    this.#followers = new Followers({
      shared: options.sources,
      sources,
      namespaces,
      sinkFor: (source) => objects.sinkFor(source, this.#debounce),
      log,
    });
    this.#allowance = new DownloadAllowance(clock, () => this.#readiness.check());
    this.#readiness = new Readiness({
      namespaces,
      followers: this.#followers,
      reconciler: this.#reconciler,
      downloads: this.#downloads,
      allowance: this.#allowance,
      onReady: () => this.#onReady(),
    });
    const parts = { reconciler: this.#reconciler, downloads: this.#downloads, followers: this.#followers };
    measurements.begin({ ...parts, notifications }, collection.notification);
  }

  get name(): string {
    return this.#options.collection.name;
  }

  get place(): RecordedCollection {
    return this.#options.place;
  }

  get isReady(): boolean {
    return this.#readiness.check() === undefined;
  }

  /** Whether the file at a path is one of this collection's. */
  owns(path: string): boolean {
    return this.#journal.ownerOf(path) !== undefined;
  }

  /** From now on, no object writes to these files, either. */
  protect(files: readonly ConfigFile[]): void {
    this.belongings.publisher.protect(files);
  }

  /** Whether it selects an object, or has files with its content. */
  holds(key: string): boolean {
    return this.#reconciler.selects(key) || [...this.#journal.files()].some(([, { owner }]) => owner === key);
  }

  /** The collections of the process that wrote the record last. */
  get recordedCollections(): readonly RecordedCollection[] {
    return this.#journal.collections;
  }

  recordCollections(places: readonly RecordedCollection[]): void {
    this.#journal.recordCollections(places);
  }

  get objects(): number {
    return this.#reconciler.objects;
  }

  get files(): number {
    return this.#reconciler.files;
  }

  get isNotificationPending(): boolean {
    return this.#notifications.isPending;
  }

  /** Why the first sync is not complete, in one line; `undefined` once it is. */
  notReady(): string | undefined {
    return this.#readiness.check();
  }

  /** METHOD=WATCH and METHOD=SLEEP: until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // If NAMESPACE_EXCLUDE leaves no source, the collection is ready at once
    this.#readiness.check();
    await Promise.all([
      this.#followers.run(signal),
      this.#debounce.run(signal),
      this.#reconciler.run(signal),
      this.#checkDisk(signal),
      this.#notifications.run(signal),
    ]);
    this.#allowance.close();
    await this.#downloads.close();
    this.#measurements.end();
  }

  /** Continues with other settings of its notifications and requests. */
  async replaceRequests(collection: Collection): Promise<void> {
    this.#fetcher.replace({ collection, transport: this.#options.transports.of(collection.requests).downloads });
    await this.#notifications.replace(collection);
  }

  /** METHOD=LIST: lists every source, writes every file and notifies the application, once. */
  async list(signal: AbortSignal): Promise<ListOutcome> {
    this.#isListing = true;
    const unlisted = await this.#followers.list(signal);
    await this.#reconciler.settle(signal);
    this.#allowance.close();
    const { collection: { requests }, clock, log } = this.#options;
    const options = { downloads: this.#downloads, changes: this.#changes, seconds: requests.urlTimeout, clock, log };
    await settleDownloads(options, signal);
    const parts = { journal: this.#journal, reconciler: this.#reconciler, downloads: this.#downloads };
    const outcome = listOutcome(parts, unlisted);
    if (unlisted.length === 0 && !signal.aborted) this.#warnOfMissing();
    await this.#downloads.close();
    await this.#notifications.flush(signal);
    return outcome;
  }

  async #checkDisk(signal: AbortSignal): Promise<void> {
    const { config, liveness, clock } = this.#options;
    await checkDiskPeriodically({
      diskCheck: this.#diskCheck,
      period: config.watch.checkPeriod,
      heal: (path) => this.#reconciler.disk.heal(path),
      heartbeat: liveness.heartbeat("the disk check"),
      clock,
    }, signal);
  }

  #warnOfMissing(): void {
    const { collection: { selection }, log } = this.#options;
    const { outcome, objects } = this.#reconciler;
    for (const line of describeMissing(selection, (item) => outcome.has(item), objects)) log.warn(line);
  }

  #onReady(): void {
    this.#allowance.close();
    if (this.#isListing) return;
    this.#options.log.info("Initial sync complete, sidecar is ready.", { objects: this.objects, files: this.files });
    this.#warnOfMissing();
    this.#options.garbage.sweep();
    this.#options.onReady();
  }

  get #isFirstSync(): boolean {
    return this.#isListing || !this.#readiness.isReady;
  }

  #onEvent(event: FileEvent): void {
    this.#measurements.fileEvent(event);
    this.#options.eventPoster?.post(event);
    if (event.type !== "written" && event.type !== "removed") return;
    this.#notifications.changed(event.paths, { isFirstSync: this.#isFirstSync });
  }
}
