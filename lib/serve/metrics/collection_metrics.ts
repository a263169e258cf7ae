/** The metrics of one collection. A collection that ends takes its values along. */
import type { FileEvent } from "../../reconcile/file_event.ts";
import type { Census } from "../../reconcile/census.ts";
import type { WatchTarget } from "../../objects/source.ts";
import type { Counter, Histogram, MetricsRegistry } from "../../runtime/metrics_registry.ts";
import type { ReloaderMetrics } from "./reloader_metrics.ts";

/** Times by the clock, in ms; `undefined`: never. */
export interface SourceState {
  source: WatchTarget;
  /** The API server last sent something. */
  contactAt: number | undefined;
  /** The last complete list. */
  syncedAt: number | undefined;
}

/** Part of a running collection: what its gauges show. */
export interface Measured {
  census(): Census;
  sources: readonly SourceState[];
  isNotificationPending: boolean;
  /** By the clock, in ms. */
  notificationPendingSince: number | undefined;
}

/** The kinds of notifications that a collection has. */
export type NotificationKind = "script" | "webhook";

/** Errors of the disk that are worth knowing before they happen. */
const DISK_ERRORS = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO", "other"] as const;

/** Seconds. */
const PROPAGATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const NOTIFICATION_BUCKETS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

type DownloadResult = "success" | "failure" | "refused";

/** The counters that collections share. */
export interface CollectionFamilies {
  writes: Counter<"collection">;
  removals: Counter<"collection">;
  writeErrors: Counter<"collection" | "code">;
  propagation: Histogram<"collection">;
  notifications: Counter<"collection" | "kind" | "result">;
  notificationDuration: Histogram<"collection" | "kind">;
  downloads: Counter<"collection" | "result">;
}

export function registerCollectionCounters(registry: MetricsRegistry): CollectionFamilies {
  return {
    writes: registry.counter("k8s_sidecar_file_writes_total", "Files written.", ["collection"]),
    removals: registry.counter("k8s_sidecar_file_removals_total", "Files removed.", ["collection"]),
    writeErrors: registry.counter(
      "k8s_sidecar_write_errors_total",
      "Failed attempts to write or remove the files of an object, by error of the system.",
      ["collection", "code"],
    ),
    propagation: registry.histogram(
      "k8s_sidecar_propagation_seconds",
      "From a changed object in a watch to its files on disk. Downloads and retries are not included.",
      ["collection"],
      PROPAGATION_BUCKETS,
    ),
    notifications: registry.counter(
      "k8s_sidecar_notifications_total",
      "Scripts that ran and webhooks that were called, by success and failure.",
      ["collection", "kind", "result"],
    ),
    notificationDuration: registry.histogram(
      "k8s_sidecar_notification_duration_seconds",
      "Time that scripts and webhook calls took, retries of one call included.",
      ["collection", "kind"],
      NOTIFICATION_BUCKETS,
    ),
    downloads: registry.counter(
      "k8s_sidecar_url_downloads_total",
      "Downloads for .url keys, by success, failure and refused (the host or the archive).",
      ["collection", "result"],
    ),
  };
}

export interface CollectionMetricsOptions {
  name: string;
  families: CollectionFamilies;
  reloader: Pick<ReloaderMetrics, "reloaded">;
  /** The collection does not run any more. */
  onEnd(): void;
}

export class CollectionMetrics {
  readonly #options: CollectionMetricsOptions;
  #measured: Measured | undefined;
  #census: Census | undefined;

  constructor(options: CollectionMetricsOptions) {
    this.#options = options;
    const { families } = options;
    const collection = options.name;
    families.writes.add({ collection }, 0);
    families.removals.add({ collection }, 0);
    families.propagation.init({ collection });
    for (const code of DISK_ERRORS) families.writeErrors.add({ collection, code }, 0);
    for (const result of ["success", "failure", "refused"]) families.downloads.add({ collection, result }, 0);
  }

  get name(): string {
    return this.#options.name;
  }

  /** What the gauges show; `undefined` before the collection is complete. */
  get measured(): Measured | undefined {
    return this.#measured;
  }

  /** What {@link CollectionMetrics.count} counted. */
  get census(): Census | undefined {
    return this.#census;
  }

  /** Counts objects and files once for all gauges. */
  count(): void {
    this.#census = this.#measured?.census();
  }

  /**
   * The collection is complete and about to run.
   *
   * @param kinds how it notifies its application
   */
  begin(measured: Measured, kinds: readonly NotificationKind[]): void {
    this.#measured = measured;
    const { families, name: collection } = this.#options;
    for (const kind of kinds) {
      for (const result of ["success", "failure"]) families.notifications.add({ collection, kind, result }, 0);
      families.notificationDuration.init({ collection, kind });
    }
  }

  /** It has stopped. If another one has begun under the name, that one has the metrics now. */
  end(measured: Measured): void {
    if (this.#measured === measured) this.#options.onEnd();
  }

  fileEvent(event: FileEvent): void {
    const { families, name: collection } = this.#options;
    if (event.type === "written") families.writes.add({ collection }, event.paths.length);
    if (event.type === "removed") families.removals.add({ collection }, event.paths.length);
  }

  /** @param code the error of the system, such as `ENOSPC` */
  diskError(code: string | undefined): void {
    const { families, name: collection } = this.#options;
    families.writeErrors.add({ collection, code: code ?? "other" });
  }

  propagated(seconds: number): void {
    const { families, name: collection } = this.#options;
    families.propagation.observe({ collection }, seconds);
  }

  downloaded(result: DownloadResult): void {
    const { families, name: collection } = this.#options;
    families.downloads.add({ collection, result });
  }

  notified(kind: NotificationKind, ok: boolean, seconds: number): void {
    const { families, reloader, name: collection } = this.#options;
    families.notifications.add({ collection, kind, result: ok ? "success" : "failure" });
    families.notificationDuration.observe({ collection, kind }, seconds);
    reloader.reloaded({ collection, kind, ok });
  }
}
