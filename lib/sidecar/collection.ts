/** One collection at work: its sources are followed, its files kept, its application told. */
import type { Clock } from "../runtime/clock.ts";
import type { Collection, Config, Selection } from "../config/config.ts";
import { openUrlFetcher } from "./open_downloads.ts";
import type { FileEvent } from "../reconcile/file_event.ts";
import { Journal } from "../files/journal.ts";
import { RESERVED_PREFIX, resolvePath } from "../files/projection.ts";
import { Publisher } from "../files/publisher.ts";
import { UrlDownloads } from "../downloads/scheduler.ts";
import type { Garbage } from "../runtime/garbage.ts";
import type { KubeClient } from "../kube/client/client.ts";
import { describeSource, type Source } from "../objects/source.ts";
import { sourcesOf } from "./sources.ts";
import { soonestResync } from "../kube/watch/resync.ts";
import { Watcher } from "../kube/watch/watcher.ts";
import type { Events, Holds } from "./kubernetes_side.ts";
import type { Log } from "../log/log.ts";
import { openNotifications } from "./open_notifications.ts";
import type { NotificationRunner } from "../notify/runner.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Progress } from "../serve/health.ts";
import type { SidecarMetrics } from "../serve/metrics.ts";
import { SourceFollower } from "./source_follower.ts";
import type { Transport } from "../http/transport.ts";

export interface CollectionOptions {
  collection: Collection;
  config: Config;
  client: KubeClient;
  /** For all HTTP requests but the API server's. */
  transport: () => Promise<Transport>;
  metrics: SidecarMetrics;
  events: Events | undefined;
  holds: Holds | undefined;
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

/** What the parts of a collection tell each other. */
interface Phase {
  isFirstSync: boolean;
}

export class RunningCollection {
  readonly #options: CollectionOptions;
  readonly #sources: readonly Source[];
  readonly #phase: Phase = { isFirstSync: true };
  readonly #notifications: NotificationRunner | undefined;
  readonly #downloads: UrlDownloads;
  readonly #reconciler: Reconciler;
  #followers: readonly SourceFollower[] = [];
  readonly progress: readonly Progress[];

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
      // The publisher has each path recorded before it changes it
      debt: { load: () => journal.owed && [...journal.owed], owe: () => {}, paid: () => journal.paid() },
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
    this.progress = sources.map((source) => new Progress(describeSource(source), clock));
    const folder = folderOf(collection);
    const allowedFolders = collection.files.allowedFolders.map((allowed) => resolvePath("/", allowed));
    const publisher = new Publisher({
      folder,
      allowedFolders,
      mode: collection.files.mode,
      journal,
      id,
      random,
      beforeChange: (path) => this.#owes() && journal.owe([path]),
      log,
    });
    this.#downloads = new UrlDownloads({
      content: openUrlFetcher({ ...options, requests: config.requests }),
      publisher,
      onWritten: (ref, path) => this.#onEvent({ type: "written", ref, paths: [path] }),
      onFailed: (ref, reason) => this.#onEvent({ type: "failed", ref, reason }),
      firstBackoff,
      turn: config.requests.timeout,
      // Each resync is to ask again, however soon it comes
      refresh: soonestResync(config.watch.resyncPeriod),
      clock,
      random,
      log,
    });
    this.#reconciler = new Reconciler({
      settings: { ...collection.files, folder, allowedFolders },
      sources,
      publisher,
      journal,
      downloads: this.#downloads,
      read: (source, ref, signal) => client.read(source, ref, signal),
      onEvent: (event) => this.#onEvent(event),
      onReleased: (ref) => options.holds?.release(ref),
      firstBackoff,
      clock,
      random,
      log,
    });
  }

  get objects(): number {
    return this.#reconciler.objects;
  }

  get files(): number {
    return this.#reconciler.files;
  }

  get isNotificationOwed(): boolean {
    return this.#notifications?.owed ?? false;
  }

  /** Why the first sync is not complete, in one line; `undefined` once it is. */
  notReady(): string | undefined {
    if (!this.#phase.isFirstSync) return undefined;
    const [source] = this.#reconciler.unsynced;
    if (source === undefined) {
      const [download] = this.#downloads.untried;
      const waiting = download === undefined ? "files are being written" : `waiting for the content of ${download}`;
      return `not synced yet: ${this.#reconciler.failures[0] ?? waiting}`;
    }
    const failure = this.#followers.find((follower) => follower.source === source)?.failure;
    return `not synced yet: ${describeSource(source)}${failure === undefined ? "" : `: ${failure}`}`;
  }

  /** METHOD=WATCH and METHOD=SLEEP: until the signal aborts. */
  async run(mode: "watch" | "list", signal: AbortSignal): Promise<void> {
    this.#reconciler.synced.then(() => {
      this.#phase.isFirstSync = false;
      this.#options.log.info("Initial sync complete, sidecar is ready.", { objects: this.objects, files: this.files });
      this.#options.garbage.sweep();
    });
    this.#followers = this.#sources.map((source, index) => this.#follower(source, this.progress[index]!, mode));
    await Promise.all([
      ...this.#followers.map((follower) => follower.run(signal, { once: false })),
      this.#reconciler.run(signal),
      this.#notifications?.run(signal),
    ]);
    await this.#downloads.close();
  }

  /** METHOD=LIST: every source once, every file once, and the application is told once. */
  async list(signal: AbortSignal): Promise<ListOutcome> {
    const followers = this.#sources.map((source, index) => this.#follower(source, this.progress[index]!, "list"));
    await Promise.all(followers.map((follower) => follower.run(signal, { once: true })));
    await this.#reconciler.settle(signal);
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

  #follower(source: Source, progress: Progress, mode: "watch" | "list"): SourceFollower {
    const { config, client, clock, random, metrics, log } = this.#options;
    const watcher = new Watcher({
      client,
      source,
      mode,
      ...config.watch,
      clock,
      random,
      heartbeat: progress.heartbeat,
      onContact: () => progress.contact(),
    });
    return new SourceFollower({
      source,
      watcher,
      reconciler: this.#reconciler,
      admit: this.#options.holds?.admit,
      onFailure: (error) => metrics.watchFailed(error),
      log,
    });
  }

  #onEvent(event: FileEvent): void {
    this.#options.metrics.fileEvent(event);
    this.#options.events?.tell(event);
    if (event.type !== "written" && event.type !== "removed") return;
    this.#notifications?.changed(event.paths, { initial: this.#phase.isFirstSync });
  }

  /** Whether a change of files now must be told to somebody. */
  #owes(): boolean {
    const { script, webhook, skipInit } = this.#options.collection.notification;
    return script !== undefined || (webhook !== undefined && !(skipInit && this.#phase.isFirstSync));
  }
}

function folderOf(collection: Collection): string {
  return resolvePath(Deno.cwd(), collection.files.folder);
}

function openJournal({ collection, log }: CollectionOptions, id: string): Journal {
  const { stateFile = `${folderOf(collection)}/${RESERVED_PREFIX}${id}` } = collection.files;
  return new Journal(stateFile === "none" ? undefined : stateFile, log);
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
