/**
 * The metrics of Thanos' reloader, under its names, for the alerts and dashboards that know them. The alert
 * ConfigReloaderSidecarErrors of kube-prometheus-stack fires when `reloader_last_reload_successful` stays 0.
 */
import type { MetricsRegistry } from "../../runtime/metrics_registry.ts";

export interface Reload {
  collection: string;
  kind: "script" | "webhook";
  ok: boolean;
}

export class ReloaderMetrics {
  /** Collections and kinds whose last attempt failed. */
  readonly #failing = new Set<string>();
  #succeededAt = 0;
  #reloads = 0;
  #failures = 0;
  readonly #wallClock: () => number;

  /** @param wallClock in ms since 1970 */
  constructor(registry: MetricsRegistry, wallClock: () => number) {
    this.#wallClock = wallClock;
    const read = (type: "gauge" | "counter", name: string, help: string, value: () => number) =>
      registry.read(type, `reloader_${name}`, help, [], () => [[{}, value()]]);
    read(
      "gauge",
      "last_reload_successful",
      "1 unless the last script or the last webhook call of a collection failed.",
      () => Number(this.#failing.size === 0),
    );
    read(
      "gauge",
      "last_reload_success_timestamp_seconds",
      "Last script or webhook call that succeeded, in seconds since 1970; 0 before the first.",
      () => this.#succeededAt,
    );
    read("counter", "reloads_total", "Scripts that ran and webhooks that were called.", () => this.#reloads);
    read("counter", "reloads_failed_total", "Those of them that failed.", () => this.#failures);
    read("counter", "config_apply_operations_total", "The same as reloader_reloads_total.", () => this.#reloads);
    read(
      "counter",
      "config_apply_operations_failed_total",
      "The same as reloader_reloads_failed_total.",
      () => this.#failures,
    );
  }

  reloaded({ collection, kind, ok }: Reload): void {
    const key = `${kind} ${collection}`;
    this.#reloads++;
    if (ok) {
      this.#failing.delete(key);
      this.#succeededAt = this.#wallClock() / 1000;
    } else {
      this.#failing.add(key);
      this.#failures++;
    }
  }

  forget(collection: string): void {
    for (const kind of ["script", "webhook"]) this.#failing.delete(`${kind} ${collection}`);
  }
}
