/** One running collection: follows its sources, writes its files and notifies its application. */
import type { Clock } from "../runtime/clock.ts";
import type { Collection, Config } from "../config/config.ts";
import { openUnpacker, openUrlFetcher } from "./open_downloads.ts";
import type { FileEvent } from "../reconcile/file_event.ts";
import { DownloadAllowance } from "./download_allowance.ts";
import { settleDownloads } from "./settle_downloads.ts";
import { Followers } from "./followers.ts";
import type { Outages } from "./outages.ts";
import type { ConfigFile } from "../files/config_files.ts";
import { DiskCheck } from "../files/disk_check.ts";
import type { Journal } from "../files/journal.ts";
import { Publisher } from "../files/publisher.ts";
import { DownloadScheduler } from "../downloads/scheduler.ts";
import type { Garbage } from "../runtime/garbage.ts";
import type { ListWatch, ObjectApi } from "../kube/client/object_api.ts";
import type { Source } from "../objects/source.ts";
import { sourcesOf } from "./sources.ts";
import { soonestResync } from "../kube/watch/resync.ts";
import type { EventPoster } from "./event_poster.ts";
import type { FinalizerGuard } from "./finalizer_guard.ts";
import type { Log } from "../log/log.ts";
import { allowedFoldersOf, folderOf, openJournal } from "./open_files.ts";
import { openNotifications } from "./open_notifications.ts";
import type { NotificationRunner } from "../notify/runner.ts";
import { Debounce } from "../reconcile/debounce.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import type { Liveness } from "./liveness.ts";
import { checkDiskPeriodically } from "./periodic_disk_check.ts";
import { pendingIn } from "./pending_notification.ts";
import { Readiness } from "./readiness.ts";
import type { SidecarMetrics } from "../serve/metrics.ts";
import { SelectedNamespaces } from "./selected_namespaces.ts";
import { SelectedObjects } from "./selected_objects.ts";
import { selectionId } from "./selection_id.ts";
import { describeMissing } from "./describe_selection.ts";
import { type ListOutcome, listOutcome } from "./list_outcome.ts";
import type { Transport } from "../http/transport.ts";
import { Changes } from "../runtime/changes.ts";

export interface CollectionOptions {
  collection: Collection;
  config: Config;
  client: ObjectApi;
  /** Lists and watches namespaces; `undefined` with `--manifests`, where namespaces have no labels. */
  cluster?: ListWatch;
  env: Record<string, string | undefined>;
  /** Files that no object may write to. */
  configFiles: readonly ConfigFile[];
  /** For webhooks. */
  transport: () => Promise<Transport>;
  /** For `.url` keys. Asks allowed hosts only. */
  downloadTransport: () => Promise<Transport>;
  metrics: SidecarMetrics;
  eventPoster?: EventPoster;
  finalizerGuard?: FinalizerGuard;
  liveness: Liveness;
  /** Shared by all collections, so that an outage of the API server is logged once. */
  outages: Outages;
  garbage: Garbage;
  clock: Clock;
  random: () => number;
  log: Log;
}

export class RunningCollection {
  readonly #options: CollectionOptions;
  readonly #notifications: NotificationRunner | undefined;
  readonly #downloads: DownloadScheduler;
  readonly #reconciler: Reconciler;
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
    const id = await selectionId(selection);
    const journal = await openJournal(options.collection, id, options);
    const notifications = await openNotifications({
      ...options,
      settings: options.collection.notification,
      requests: options.config.requests,
      pending: pendingIn(journal),
      heartbeat: options.liveness.heartbeat("the notification loop"),
      onResult: (kind, ok, seconds) => options.metrics.notified(kind, ok, seconds),
    });
    return new RunningCollection(options, sources, id, journal, notifications);
  }

  private constructor(
    options: CollectionOptions,
    sources: readonly Source[],
    id: string,
    journal: Journal,
    notifications: NotificationRunner | undefined,
  ) {
    const { collection, config, client, clock, random, log } = options;
    const { firstBackoff } = config.watch;
    this.#options = options;
    const namespaces = new SelectedNamespaces(collection.selection, { haveLabels: options.cluster !== undefined });
    namespaces.onChange = (namespace) => this.#reconciler.reconsider(namespace);
    const objects = new SelectedObjects({ client, namespaces, finalizerGuard: options.finalizerGuard, log });
    this.#notifications = notifications;
    this.#journal = journal;
    const folder = folderOf(collection);
    const allowedFolders = allowedFoldersOf(collection);
    const publisher = new Publisher({
      folder,
      allowedFolders,
      mode: collection.files.mode,
      atomicWrites: collection.files.atomicWrites,
      journal,
      configFiles: options.configFiles,
      id,
      beforeChange: (path) => this.#mustNotify() && journal.addPending([path]),
      log,
    });
    this.#downloads = new DownloadScheduler({
      fetcher: openUrlFetcher({ ...options, requests: config.requests, transport: options.downloadTransport }),
      unpack: openUnpacker(collection),
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
      onChange: () => {
        this.#readiness.check();
        this.#changes.notify();
      },
      firstBackoff,
      maxOpen: config.requests.urlMaxOpen,
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
      onReleased: options.finalizerGuard && ((ref) => options.finalizerGuard?.release(ref)),
      heartbeat: options.liveness.heartbeat("the work queue"),
      onChange: () => this.#readiness.check(),
      firstBackoff,
      clock,
      random,
      log,
    });
    this.#debounce = new Debounce(this.#reconciler, clock);
    this.#followers = new Followers({
      ...options,
      client: options.cluster ?? client,
      sources,
      namespaces,
      sinkFor: (source) => objects.sinkFor(source, this.#debounce),
      watch: config.watch,
      onFailure: (error) => options.metrics.watchFailed(error),
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
  }

  get objects(): number {
    return this.#reconciler.objects;
  }

  get files(): number {
    return this.#reconciler.files;
  }

  /** Seconds since the API server last sent something, for each source. */
  get contacts(): { source: string; silence: number }[] {
    return this.#followers.contacts;
  }

  get isNotificationPending(): boolean {
    return this.#notifications?.isPending ?? false;
  }

  /** Why the first sync is not complete, in one line; `undefined` once it is. */
  notReady(): string | undefined {
    return this.#readiness.check();
  }

  /** METHOD=WATCH and METHOD=SLEEP: until the signal aborts. */
  async run(mode: "watch" | "list", signal: AbortSignal): Promise<void> {
    // If NAMESPACE_EXCLUDE leaves no source, the collection is ready at once
    this.#readiness.check();
    await Promise.all([
      this.#followers.run(mode, signal),
      this.#debounce.run(signal),
      this.#reconciler.run(signal),
      this.#checkDisk(signal),
      this.#notifications?.run(signal),
    ]);
    this.#allowance.close();
    await this.#downloads.close();
  }

  /** METHOD=LIST: lists every source, writes every file and notifies the application, once. */
  async list(signal: AbortSignal): Promise<ListOutcome> {
    this.#isListing = true;
    const unlisted = await this.#followers.list(signal);
    await this.#reconciler.settle(signal);
    this.#allowance.close();
    const { config: { requests }, clock, log } = this.#options;
    const options = { downloads: this.#downloads, changes: this.#changes, seconds: requests.urlTimeout, clock, log };
    await settleDownloads(options, signal);
    const parts = { journal: this.#journal, reconciler: this.#reconciler, downloads: this.#downloads };
    const outcome = listOutcome(parts, unlisted);
    if (unlisted.length === 0 && !signal.aborted) this.#warnOfMissing();
    await this.#downloads.close();
    await this.#notifications?.flush(signal);
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
  }

  get #isFirstSync(): boolean {
    return this.#isListing || !this.#readiness.isReady;
  }

  #onEvent(event: FileEvent): void {
    this.#options.metrics.fileEvent(event);
    this.#options.eventPoster?.post(event);
    if (event.type !== "written" && event.type !== "removed") return;
    this.#notifications?.changed(event.paths, { initial: this.#isFirstSync });
  }

  /** Whether the script or the webhook must be notified of a file that changes now. */
  #mustNotify(): boolean {
    const { script, webhook, skipInit } = this.#options.collection.notification;
    return script !== undefined || (webhook !== undefined && !(skipInit && this.#isFirstSync));
  }
}
