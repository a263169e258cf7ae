/** The metrics of this program, with their full names. */
import { ApiError } from "../kube/client/errors.ts";
import { Metrics } from "../runtime/metrics_registry.ts";
import type { FileEvent } from "../reconcile/file_event.ts";

/** Part of a collection: the values of gauges. */
export interface Measured {
  objects: number;
  files: number;
  isNotificationPending: boolean;
}

export class SidecarMetrics {
  readonly #metrics = new Metrics();
  readonly #files = this.#metrics.counter<"action">("k8s_sidecar_files_total", "Files written and removed.");
  readonly #objects = this.#metrics.counter<"event">(
    "k8s_sidecar_object_events_total",
    "Objects that were refused, collided, or whose files could not be written.",
  );
  readonly #requests = this.#metrics.counter<"method" | "status">(
    "k8s_sidecar_api_requests_total",
    "Requests to the API server; status 0 for no answer.",
  );
  readonly #failures = this.#metrics.counter<"cause">(
    "k8s_sidecar_watch_failures_total",
    "Lists and watches that failed, by cause.",
  );
  readonly #notifications = this.#metrics.counter<"kind" | "result">(
    "k8s_sidecar_notifications_total",
    "Scripts that ran and webhooks that were called, by result.",
  );
  readonly #notificationSeconds = this.#metrics.counter<"kind">(
    "k8s_sidecar_notification_seconds_total",
    "Time that scripts and webhooks took.",
  );

  #isConfigUsed = true;

  fileEvent(event: FileEvent): void {
    if (event.type === "written" || event.type === "removed") this.#files({ action: event.type }, event.paths.length);
    else this.#objects({ event: event.type });
  }

  apiRequest(method: string, status: number): void {
    this.#requests({ method, status: String(status) });
  }

  watchFailed(error: unknown): void {
    this.#failures({
      cause: error instanceof ApiError ? String(error.status) : error instanceof Error ? error.name : "",
    });
  }

  notified(kind: "script" | "webhook", ok: boolean, seconds: number): void {
    this.#notifications({ kind, result: ok ? "success" : "failure" });
    this.#notificationSeconds({ kind }, seconds);
  }

  /** A version of CONFIG_FILE was used, or refused. */
  configReloaded(isUsed: boolean): void {
    this.#isConfigUsed = isUsed;
  }

  /**
   * Adds gauges, which are read from the collections whenever they are rendered.
   *
   * @param contacts for each source, the seconds since the API server last answered
   */
  measure(
    collections: () => readonly Measured[],
    contacts: () => readonly { source: string; silence: number }[],
  ): void {
    const sum = (read: (collection: Measured) => number) =>
      collections().reduce((total, collection) => total + read(collection), 0);
    this.#metrics.gauge(
      "k8s_sidecar_config_last_reload_successful",
      "Whether the version of CONFIG_FILE that was read last is used.",
      () => [[{}, Number(this.#isConfigUsed)]],
    );
    this.#metrics.gauge(
      "k8s_sidecar_objects",
      "Selected objects.",
      () => [[{}, sum((collection) => collection.objects)]],
    );
    this.#metrics.gauge(
      "k8s_sidecar_files",
      "Files that the selected objects want.",
      () => [[{}, sum((collection) => collection.files)]],
    );
    this.#metrics.gauge(
      "k8s_sidecar_notification_pending",
      "Collections with changes that the application has not been notified of.",
      () => [
        [{}, sum((collection) => Number(collection.isNotificationPending))],
      ],
    );
    this.#metrics.gauge(
      "k8s_sidecar_watch_silence_seconds",
      "Seconds since the API server last answered.",
      () => contacts().map(({ source, silence }) => [{ source }, Math.max(0, silence)]),
    );
  }

  render(): string {
    return this.#metrics.render();
  }
}
