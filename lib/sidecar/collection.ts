/** One collection at work: its sources are followed, its files kept, its application told. */
import type { Clock } from "../runtime/clock.ts";
import type { Collection, Config, Selection } from "../config/config.ts";
import { openUrlFetcher } from "./open_downloads.ts";
import type { FileEvent } from "../reconcile/file_event.ts";
import { DiskCheck } from "../files/disk_check.ts";
import { Journal } from "../files/journal.ts";
import { resolvePath } from "../files/paths.ts";
import { Publisher } from "../files/publisher.ts";
import { DownloadScheduler } from "../downloads/scheduler.ts";
import type { Garbage } from "../runtime/garbage.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { describeSource, type Source } from "../objects/source.ts";
import { sourcesOf } from "./sources.ts";
import { soonestResync } from "../kube/watch/resync.ts";
import { Watcher } from "../kube/watch/watcher.ts";
import type { EventPoster } from "./event_poster.ts";
import type { FinalizerGuard } from "./finalizer_guard.ts";
import type { Log } from "../log/log.ts";
import { openNotifications, pendingIn } from "./open_notifications.ts";
import type { NotificationRunner } from "../notify/runner.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import type { Liveness } from "./liveness.ts";
import { checkDiskPeriodically } from "./periodic_disk_check.ts";
import { Readiness } from "./readiness.ts";
import type { SidecarMetrics } from "../serve/metrics.ts";
import { SourceFollower } from "./source_follower.ts";
import type { Transport } from "../http/transport.ts";
import { Changes } from "../runtime/changes.ts";

export interface CollectionOptions {
  collection: Collection;
  config: Config;
  client: ObjectApi;
  env: Record<string, string | undefined>;
  /** For all HTTP requests but the API server's. */
  transport: () => Promise<Transport>;
  metrics: SidecarMetrics;
  eventPoster?: EventPoster;
  finalizerGuard?: FinalizerGuard;
  liveness: Liveness;
  garbage: Garbage;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** How METHOD=LIST ended. */
export interface ListOutcome {
  /** Why a source could not be listed. */
  apiFailures: string[];
  /** Why files could not be written. */
  fileFailures: string[];
}

export class RunningCollection {
  readonly #options: CollectionOptions;
  readonly #sources: readonly Source[];
  readonly #notifications: NotificationRunner | undefined;
  readonly #downloads: DownloadScheduler;
  readonly #reconciler: Reconciler;
  readonly #diskCheck: DiskCheck;
  readonly #readiness: Readiness;
  /** Of downloads. */
  readonly #changes = new Changes();
  #followers: readonly SourceFollower[] = [];
  /** METHOD=LIST: all that happens belongs to the first sync. */
  #isListing = false;

  /**
   * Reads the journal and prepares the folder.
   *
   * @throws {PublishError} the folder can neither be found nor made
   */
  static async open(options: CollectionOptions): Promise<RunningCollection> {
    const { selection } = options.collection;
    const sources = sourcesOf(selection, selection.namespaces === "OWN" ? await options.client.namespace() : "");
    const id = await selectionId(selection);
    const journal = openJournal(options, id);
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
    this.#sources = sources;
    this.#notifications = notifications;
    const folder = folderOf(collection);
    const allowedFolders = collection.files.allowedFolders.map((allowed) => resolvePath("/", allowed));
    const publisher = new Publisher({
      folder,
      allowedFolders,
      mode: collection.files.mode,
      journal,
      id,
      beforeChange: (path) => this.#mustNotify() && journal.addPending([path]),
      log,
    });
    this.#downloads = new DownloadScheduler({
      fetcher: openUrlFetcher({ ...options, requests: config.requests }),
      publisher,
      onWritten: (ref, path) => {
        this.#reconciler.downloaded(path);
        this.#onEvent({ type: "written", ref, paths: [path] });
      },
      onFailed: (ref, path, reason) => {
        this.#reconciler.downloadFailed(path);
        this.#onEvent({ type: "failed", ref, reason });
      },
      onChange: () => {
        this.#readiness.check();
        this.#changes.notify();
      },
      firstBackoff,
      slowAfter: config.requests.timeout,
      // Each resync is to ask again, however soon it comes
      refresh: soonestResync(config.watch.resyncPeriod),
      clock,
      random,
      log,
    });
    this.#diskCheck = new DiskCheck({ journal, clock });
    this.#reconciler = new Reconciler({
      settings: { ...collection.files, folder, allowedFolders },
      sources,
      publisher,
      journal,
      downloads: this.#downloads,
      read: (source, ref, signal) => client.read(source, ref, signal),
      onEvent: (event) => this.#onEvent(event),
      onReleased: options.finalizerGuard && ((ref) => options.finalizerGuard?.release(ref)),
      heartbeat: options.liveness.heartbeat("the work queue"),
      onChange: () => this.#readiness.check(),
      firstBackoff,
      clock,
      random,
      log,
    });
    this.#readiness = new Readiness({ lacks: () => this.#lacks(), onReady: () => this.#onReady() });
  }

  get objects(): number {
    return this.#reconciler.objects;
  }

  get files(): number {
    return this.#reconciler.files;
  }

  /** Seconds since the last sign of the API server, for each source. */
  get contacts(): { source: string; silence: number }[] {
    return this.#followers.map(({ source, silence }) => ({ source: describeSource(source), silence }));
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
    this.#followers = this.#sources.map((source) => this.#follower(source, mode));
    await Promise.all([
      ...this.#followers.map((follower) => follower.run(signal, { once: false })),
      this.#reconciler.run(signal),
      this.#checkDisk(signal),
      this.#notifications?.run(signal),
    ]);
    await this.#downloads.close();
  }

  /** METHOD=LIST: every source once, every file once, and the application is told once. */
  async list(signal: AbortSignal): Promise<ListOutcome> {
    this.#isListing = true;
    const followers = this.#sources.map((source) => this.#follower(source, "list"));
    await Promise.all(followers.map((follower) => follower.run(signal, { once: true })));
    await this.#reconciler.settle(signal);
    await this.#changes.until(() => this.#downloads.undecided.size === 0, signal);
    const outcome = {
      apiFailures: followers.flatMap(({ failure }) => failure ?? []),
      fileFailures: [
        ...this.#reconciler.failures,
        ...[...this.#downloads.failed].map((path) => `no content for ${path}`),
      ],
    };
    await this.#downloads.close();
    await this.#notifications?.flush(signal);
    return outcome;
  }

  async #checkDisk(signal: AbortSignal): Promise<void> {
    const { config, liveness, clock } = this.#options;
    await checkDiskPeriodically({
      diskCheck: this.#diskCheck,
      period: config.watch.checkPeriod,
      heal: (path) => this.#reconciler.heal(path),
      heartbeat: liveness.heartbeat("the disk check"),
      clock,
    }, signal);
  }

  #follower(source: Source, mode: "watch" | "list"): SourceFollower {
    const { config, client, liveness, clock, random, metrics, log } = this.#options;
    const watcher = new Watcher({
      client,
      source,
      mode,
      ...config.watch,
      clock,
      random,
      heartbeat: liveness.heartbeat(`the watch of ${describeSource(source)}`),
      onContact: () => follower.contacted(),
    });
    const follower: SourceFollower = new SourceFollower({
      source,
      watcher,
      reconciler: this.#reconciler,
      admit: this.#options.finalizerGuard?.admit,
      onFailure: (error) => metrics.watchFailed(error),
      clock,
      log,
    });
    return follower;
  }

  /** What the first sync lacks: a source, files, or downloads. */
  #lacks(): string | undefined {
    const [source] = this.#reconciler.unlisted;
    if (source !== undefined) {
      const failure = this.#followers.find((follower) => follower.source === source)?.failure;
      return failure === undefined ? describeSource(source) : `${describeSource(source)}: ${failure}`;
    }
    if (!this.#reconciler.isSettled) return this.#reconciler.failures[0] ?? "files are being written";
    const [download] = this.#downloads.awaited;
    return download === undefined ? undefined : `waiting for the content of ${download}`;
  }

  #onReady(): void {
    if (this.#isListing) return;
    this.#options.log.info("Initial sync complete, sidecar is ready.", { objects: this.objects, files: this.files });
    this.#options.garbage.sweep();
  }

  get #isFirstSync(): boolean {
    return this.#isListing || !this.#readiness.isReady;
  }

  #onEvent(event: FileEvent): void {
    this.#options.metrics.fileEvent(event);
    this.#options.eventPoster?.tell(event);
    if (event.type !== "written" && event.type !== "removed") return;
    this.#notifications?.changed(event.paths, { initial: this.#isFirstSync });
  }

  /** Whether a change of files now must be told to somebody. */
  #mustNotify(): boolean {
    const { script, webhook, skipInit } = this.#options.collection.notification;
    return script !== undefined || (webhook !== undefined && !(skipInit && this.#isFirstSync));
  }
}

function folderOf(collection: Collection): string {
  return resolvePath(Deno.cwd(), collection.files.folder);
}

function openJournal({ collection, log }: CollectionOptions, id: string): Journal {
  return new Journal({ folder: folderOf(collection), id, stateFile: collection.files.stateFile, log });
}

/** Tells selections apart, so that sidecars with different ones can share a folder. */
async function selectionId({ labelSelector, names, kinds, namespaces }: Selection): Promise<string> {
  // In whatever order they are set
  const objects = names.map((name) => JSON.stringify(name)).sort();
  const spaces = typeof namespaces === "string" ? namespaces : namespaces.toSorted();
  const text = JSON.stringify([labelSelector ?? null, objects, kinds, spaces]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).slice(0, 5).toHex();
}
