/** Assembles the parts of a running collection. */
import { type SettingName, SETTINGS } from "../../config/settings.ts";
import { settingOf } from "../status/words.ts";
import type { Garbage } from "../../runtime/garbage.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Config } from "../../config/config.ts";
import type { Collection } from "../../config/collection_settings.ts";
import { byteLimitsOf, openUnpacker, openUrlFetcher, type UrlFetcher } from "../opening/open_downloads.ts";
import type { FileEvent } from "../../reconcile/file_event.ts";
import { DownloadAllowance } from "./download_allowance.ts";
import { Followers } from "../sources/followers.ts";
import type { SharedSources } from "../sources/shared_sources.ts";
import type { ConfigFile } from "../../files/config_files.ts";
import { DiskCheck } from "../../files/disk_check.ts";
import { folderFault } from "../../files/folder_probe.ts";
import type { RecordedCollection } from "../../files/record_format.ts";
import type { Journal } from "../../files/journal.ts";
import { Publisher } from "../../files/publisher.ts";
import { DownloadScheduler } from "../../downloads/scheduler.ts";
import type { SharedDownloads } from "../../downloads/shared_downloads.ts";
import type { ObjectApi } from "../../kube/client/object_api.ts";
import type { Source } from "../../objects/source.ts";
import { sourcesOf } from "../sources/sources.ts";
import { soonestResync } from "../../kube/watch/resync.ts";
import type { EventPoster } from "../event_poster.ts";
import type { FinalizerGuard } from "../finalizer_guard.ts";
import { aboutObject, describeRef } from "../../objects/ref.ts";
import type { Log } from "../../log/log.ts";
import { allowedFoldersOf, folderOf, openJournal } from "../opening/open_files.ts";
import { openNotifications } from "../opening/open_notifications.ts";
import { Notifications } from "./notifications.ts";
import { Debounce } from "../../reconcile/debounce.ts";
import type { SharedClaims } from "../../reconcile/shared_claims.ts";
import { Reconciler } from "../../reconcile/reconciler.ts";
import type { Liveness } from "../liveness.ts";
import { pendingIn } from "./pending_notification.ts";
import { Readiness } from "./readiness.ts";
import type { SidecarMetrics } from "../../serve/metrics.ts";
import { Measurements } from "./measurements.ts";
import { SelectedNamespaces } from "../sources/selected_namespaces.ts";
import { SelectedObjects } from "../sources/selected_objects.ts";
import type { SharedTransports } from "../opening/open_transports.ts";
import { type NotificationHistory, Told } from "./told.ts";
import { Changes } from "../../runtime/changes.ts";

export interface CollectionOptions {
  collection: Collection;
  place: RecordedCollection;
  /** By a later version of CONFIG_FILE: the application runs already, and is notified of the first sync in any case. */
  isAdded: boolean;
  config: Config;
  client: ObjectApi;
  /** `false` with `--manifests`, where namespaces have no labels. */
  haveNamespacesLabels: boolean;
  env: Record<string, string | undefined>;
  /** Files that no object may write to, besides those that the collection names. */
  configFiles: readonly ConfigFile[];
  transports: Pick<SharedTransports, "of">;
  /** Told of what downloads bring. */
  garbage: Pick<Garbage, "count">;
  /** Shared by all collections: the last notifications. */
  notificationHistory: NotificationHistory;
  /** Shared by all collections: the queue of downloads. */
  sharedDownloads: SharedDownloads;
  /** Shared by all collections; `undefined`: there is only one, for good. */
  claims?: SharedClaims | undefined;
  metrics: SidecarMetrics;
  eventPoster?: EventPoster;
  finalizerGuard?: FinalizerGuard;
  liveness: Pick<Liveness, "heartbeat">;
  /** Shared by all collections. */
  sources: Pick<SharedSources, "follow" | "failureOf" | "timesOf">;
  /** Its first sync is complete. Returns whether the process is ready. */
  onReady(): boolean;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** What the parts call. */
export interface CollectionHooks {
  isFirstSync(): boolean;
  onEvent(event: FileEvent): void;
  /** The first sync is complete. */
  onReady(): void;
}

export interface CollectionParts {
  journal: Journal;
  publisher: Publisher;
  /** FOLDER, and the other folders that files may be in. */
  folders: readonly string[];
  notifications: Notifications;
  told: Told;
  fetcher: UrlFetcher;
  downloads: DownloadScheduler;
  /** Of downloads. */
  changes: Changes;
  allowance: DownloadAllowance;
  reconciler: Reconciler;
  debounce: Debounce;
  followers: Followers;
  diskCheck: DiskCheck;
  readiness: Readiness;
  measurements: Measurements;
}

/**
 * Reads the journal and prepares the folder.
 *
 * @throws {PublishError} the folder does not exist and cannot be created
 */
export async function openParts(options: CollectionOptions, hooks: CollectionHooks): Promise<CollectionParts> {
  const { selection } = options.collection;
  const sources = sourcesOf(selection, selection.namespaces === "OWN" ? await options.client.namespace() : "");
  const journal = await openJournal(options.collection, options.place.id, options);
  const heartbeat = options.liveness.heartbeat("the notification loop");
  const told = new Told(options.collection.name, options.notificationHistory, options.clock);
  const notifications = await Notifications.open(
    options.collection,
    ({ notification, requests }) =>
      openNotifications({
        ...options,
        settings: notification,
        requests,
        transport: options.transports.of(requests).webhook,
        pending: pendingIn(journal),
        ...{ heartbeat, told },
        nameOf: (setting) => setting in SETTINGS ? settingOf(options.collection, setting as SettingName) : setting,
        onResult: (...result) => options.metrics.forCollection(options.collection.name).notified(...result),
      }),
  );
  return { ...assemble(options, hooks, sources, journal, notifications), told };
}

function assemble(
  options: CollectionOptions,
  { isFirstSync, onEvent, onReady }: CollectionHooks,
  sources: readonly Source[],
  journal: Journal,
  notifications: Notifications,
): Omit<CollectionParts, "told"> {
  const { collection, config, client, clock, random, log } = options;
  const { firstBackoff } = config.watch;
  const measurements = new Measurements(options.metrics.forCollection(collection.name), clock);
  const namespaces = new SelectedNamespaces(collection.selection, { haveLabels: options.haveNamespacesLabels });
  namespaces.onChange = (namespace) => reconciler.reconsider(namespace);
  const objects = new SelectedObjects({ client, namespaces, finalizerGuard: options.finalizerGuard, log });
  const folder = folderOf(collection);
  const allowedFolders = allowedFoldersOf(collection);
  const publisher = new Publisher({
    folder,
    allowedFolders,
    mode: collection.files.mode,
    atomicWrites: collection.files.atomicWrites,
    journal,
    configFiles: options.configFiles,
    id: options.place.id,
    beforeChange: (path) => notifications.concerns({ isFirstSync: isFirstSync() }) && journal.addPending([path]),
    log,
  });
  const fetcher = openUrlFetcher({ ...options, transport: options.transports.of(collection.requests).downloads });
  const changes = new Changes();
  const downloads = new DownloadScheduler({
    fetcher,
    unpack: openUnpacker(collection),
    limits: byteLimitsOf(collection),
    publisher,
    onWritten: (ref, path) => {
      log.info(`${describeRef(ref)}: wrote ${path}`, { ...aboutObject(ref), path });
      reconciler.disk.downloaded(path);
      onEvent({ type: "written", ref, paths: [path] });
    },
    onFailed: (ref, path, reason) => {
      reconciler.disk.downloadFailed(path);
      onEvent({ type: "failed", ref, reason });
    },
    onRefused: (ref, path, reason) => {
      reconciler.disk.downloadFailed(path);
      onEvent({ type: "refused", ref, reason });
    },
    onAttempt: (...attempt) => measurements.downloadAttempt(...attempt),
    onChange: () => {
      readiness.check();
      changes.notify();
    },
    retries: config.method !== "LIST",
    firstBackoff,
    turns: options.sharedDownloads.join(collection.requests.urlMaxOpen),
    // Each resync is to ask again, however soon it comes
    refresh: soonestResync(config.watch.resyncPeriod),
    clock,
    random,
    log,
  });
  const diskCheck = new DiskCheck({ journal, clock, log });
  const reconciler: Reconciler = new Reconciler({
    settings: { ...collection.files, folder, allowedFolders },
    collisions: collection.files.collisions,
    joinClaims: options.claims &&
      ((member) => options.claims!.join(collection.name, collection.files.collisions, member)),
    sources,
    publisher,
    journal,
    downloads,
    selects: (source, namespace) => objects.selects(source, namespace),
    // METHOD=LIST does not wait. With a finalizer, the object exists until its files are removed
    removeDelay: config.method === "LIST" || config.finalizer !== undefined ? 0 : collection.files.removeDelay,
    read: (source, ref, signal) => objects.read(source, ref, signal),
    onEvent,
    onDiskError: (error) => measurements.diskError(error),
    onReleased: options.finalizerGuard && ((ref) => options.finalizerGuard?.release(ref)),
    heartbeat: options.liveness.heartbeat("the work queue"),
    onChange: () => readiness.check(),
    retries: config.method !== "LIST",
    firstBackoff,
    clock,
    random,
    log,
  });
  const debounce = new Debounce(reconciler, clock, measurements.propagation);
  const followers = new Followers({
    shared: options.sources,
    sources,
    namespaces,
    sinkFor: (source) => objects.sinkFor(source, debounce),
    log,
  });
  const allowance = new DownloadAllowance(clock, () => readiness.check());
  const readiness: Readiness = new Readiness({
    namespaces,
    followers,
    reconciler,
    downloads,
    folderFault: () => folderFault(folder),
    allowance,
    onReady,
  });
  measurements.begin({ reconciler, downloads, followers, notifications }, collection.notification);
  return {
    ...{
      journal,
      publisher,
      folders: [folder, ...allowedFolders],
      notifications,
      fetcher,
      downloads,
      changes,
      allowance,
    },
    ...{ reconciler, debounce, followers, diskCheck, readiness, measurements },
  };
}
