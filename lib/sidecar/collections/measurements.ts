/** Connects the parts of a collection with its metrics. */
import type { NotificationSettings } from "../../config/collection_settings.ts";
import { ArchiveError } from "../../downloads/archive_error.ts";
import { ByteLimitError } from "../../downloads/byte_limits.ts";
import type { DownloadScheduler } from "../../downloads/scheduler.ts";
import { errnoOf } from "../../files/file_calls.ts";
import { isDiskFault, PublishError } from "../../files/publish_error.ts";
import { RefusedHostError } from "../../http/transport.ts";
import { keyOf } from "../../objects/ref.ts";
import type { FileEvent } from "../../reconcile/file_event.ts";
import { Propagation } from "../../reconcile/propagation.ts";
import type { Reconciler } from "../../reconcile/reconciler.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { CollectionMetrics, Measured, NotificationKind } from "../../serve/metrics/collection_metrics.ts";
import type { Followers } from "../sources/followers.ts";
import type { Notifications } from "./notifications.ts";

/** Errors of content that is not wanted. */
const REFUSALS = [ArchiveError, RefusedHostError, ByteLimitError];

/** The parts that gauges are read from. */
export interface MeasuredParts {
  reconciler: Pick<Reconciler, "census">;
  downloads: Pick<DownloadScheduler, "refused">;
  followers: Pick<Followers, "states">;
  notifications: Pick<Notifications, "isPending" | "pendingSince">;
}

export class Measurements {
  readonly #metrics: CollectionMetrics;
  readonly propagation: Propagation;
  #measured: Measured | undefined;

  constructor(metrics: CollectionMetrics, clock: Clock) {
    this.#metrics = metrics;
    this.propagation = new Propagation({ onWritten: (seconds) => metrics.propagated(seconds), clock });
  }

  /** The collection is complete. */
  begin(parts: MeasuredParts, notification: NotificationSettings): void {
    this.#measured = measured(parts);
    this.#metrics.begin(this.#measured, kindsOf(notification));
  }

  /** The collection has stopped. */
  end(): void {
    if (this.#measured !== undefined) this.#metrics.end(this.#measured);
  }

  fileEvent(event: FileEvent): void {
    this.#metrics.fileEvent(event);
    if (event.type === "written") this.propagation.written(keyOf(event.ref));
  }

  diskError(error: PublishError): void {
    this.#metrics.diskError(error.code);
  }

  /** An attempt to download a file, or to unpack it, has ended. */
  downloadAttempt(isDownload: boolean, error?: unknown): void {
    if (error instanceof PublishError) this.diskError(error);
    else if (isDiskFault(error)) this.#metrics.diskError(errnoOf(error));
    if (!isDownload) return;
    const isRefused = REFUSALS.some((kind) => error instanceof kind);
    this.#metrics.downloaded(error === undefined ? "success" : isRefused ? "refused" : "failure");
  }
}

function measured({ reconciler, downloads, followers, notifications }: MeasuredParts): Measured {
  return {
    census: () => reconciler.census(downloads.refused),
    get sources() {
      return followers.states;
    },
    get isNotificationPending() {
      return notifications.isPending;
    },
    get notificationPendingSince() {
      return notifications.pendingSince;
    },
  };
}

function kindsOf({ script, webhook }: NotificationSettings): NotificationKind[] {
  return [...(script === undefined ? [] : ["script" as const]), ...(webhook === undefined ? [] : ["webhook" as const])];
}
