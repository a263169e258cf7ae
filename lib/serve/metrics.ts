/** The metrics of this program. docs/operations.md has a table of them, generated from here. */
import { type Verb, VERBS } from "../kube/client/verb.ts";
import { RELISTS, type Restart, WATCH_RESTARTS } from "../kube/watch/restarts.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Counter, type Family, type MetricsFormat, MetricsRegistry } from "../runtime/metrics_registry.ts";
import {
  type CollectionFamilies,
  CollectionMetrics,
  registerCollectionCounters,
  type SourceState,
} from "./metrics/collection_metrics.ts";
import { oldest, registerCollectionGauges } from "./metrics/collection_gauges.ts";
import { registerProcessMetrics } from "./metrics/process_metrics.ts";
import { ReloaderMetrics } from "./metrics/reloader_metrics.ts";

export interface Build {
  version: string;
  /** The commit; empty when run from source. */
  revision: string;
}

export interface SidecarMetricsOptions {
  build: Build;
  clock: Pick<Clock, "now">;
  /** In ms since 1970. */
  wallClock: () => number;
}

/** Milliseconds of a rendering whose text is kept, and how many times as long as it took the text is used. */
const SLOW_MS = 5;
const PAUSE_FACTOR = 10;

export class SidecarMetrics {
  readonly #options: SidecarMetricsOptions;
  readonly #registry = new MetricsRegistry();
  /** By name. */
  readonly #collections = new Map<string, CollectionMetrics>();
  readonly #families: CollectionFamilies;
  readonly #reloader: ReloaderMetrics;
  readonly #requests: Counter<"verb" | "code">;
  readonly #watchRestarts: Counter<"reason">;
  readonly #relists: Counter<"reason">;
  /** The last rendering of each format that took long. */
  readonly #slow = new Map<MetricsFormat, { text: string; until: number }>();
  #isConfigLoaded = true;
  #configLoadedAt: number;

  constructor(options: SidecarMetricsOptions) {
    this.#options = options;
    this.#configLoadedAt = options.wallClock() / 1000;
    const registry = this.#registry;
    const { version, revision } = options.build;
    const build = { version, revision, deno_version: Deno.version.deno };
    registry.read(
      "gauge",
      "k8s_sidecar_build_info",
      "Always 1: the version, the commit (empty when run from source) and Deno's version.",
      ["version", "revision", "deno_version"],
      () => [[build, 1]],
    );
    registerCollectionGauges(registry, () => this.#collections.values(), (at) => this.#timestampOf(at));
    this.#families = registerCollectionCounters(registry);
    this.#timestamp(
      "last_contact",
      "When the API server last sent something for the source, in seconds since 1970; 0: never.",
      ({ contactAt }) => contactAt,
    );
    this.#timestamp(
      "last_sync",
      "When the source was last listed in full, in seconds since 1970; 0: never.",
      ({ syncedAt }) => syncedAt,
    );
    this.#watchRestarts = registry.counter(
      "k8s_sidecar_watch_restarts_total",
      "Watches that were made again from where they ended, by reason.",
      ["reason"],
    );
    for (const reason of WATCH_RESTARTS) this.#watchRestarts.add({ reason }, 0);
    this.#relists = registry.counter(
      "k8s_sidecar_relists_total",
      "Lists that were made again, by reason. Without those of METHOD=SLEEP.",
      ["reason"],
    );
    for (const reason of RELISTS) this.#relists.add({ reason }, 0);
    this.#requests = registry.counter(
      "k8s_sidecar_api_requests_total",
      "Requests to the API server, by verb and status; code 0 for no answer.",
      ["verb", "code"],
    );
    for (const verb of VERBS) {
      for (const code of ["0", verb === "create" ? "201" : "200"]) this.#requests.add({ verb, code }, 0);
    }
    const config = "k8s_sidecar_config_last_reload_success";
    registry.read(
      "gauge",
      `${config}ful`,
      "0 while CONFIG_FILE has faults and the last version without faults is used, else 1.",
      [],
      () => [[{}, Number(this.#isConfigLoaded)]],
    );
    registry.read(
      "gauge",
      `${config}_timestamp_seconds`,
      "When the configuration in use was read, in seconds since 1970.",
      [],
      () => [[{}, this.#configLoadedAt]],
    );
    registerProcessMetrics(registry);
    this.#reloader = new ReloaderMetrics(registry, options.wallClock);
  }

  /** All metrics, without their values. */
  get families(): Family[] {
    return this.#registry.families;
  }

  /** The metrics of a collection. They begin when they are first asked for. */
  forCollection(name: string): CollectionMetrics {
    const known = this.#collections.get(name);
    if (known !== undefined) return known;
    const onEnd = () => this.#forget(name);
    const metrics = new CollectionMetrics({ name, families: this.#families, reloader: this.#reloader, onEnd });
    this.#collections.set(name, metrics);
    return metrics;
  }

  /** @param status 0 for no answer */
  apiRequest(verb: Verb, status: number): void {
    this.#requests.add({ verb, code: String(status) });
  }

  restarted({ request, reason }: Restart): void {
    if (request === "watch") this.#watchRestarts.add({ reason });
    else this.#relists.add({ reason });
  }

  /** CONFIG_FILE was read again. */
  configReloaded(ok: boolean): void {
    this.#isConfigLoaded = ok;
    if (ok) this.#configLoadedAt = this.#options.wallClock() / 1000;
  }

  /** After a rendering that took long, its text is used again, so that requests for it leave most of the time to probes. */
  render(format: MetricsFormat): string {
    const { clock } = this.#options;
    const begunAt = clock.now();
    const known = this.#slow.get(format);
    if (known !== undefined && begunAt < known.until) return known.text;
    for (const collection of this.#collections.values()) collection.count();
    const text = [...this.#registry.render(format)].join("");
    const took = clock.now() - begunAt;
    if (took < SLOW_MS) this.#slow.delete(format);
    else this.#slow.set(format, { text, until: clock.now() + PAUSE_FACTOR * took });
    return text;
  }

  #forget(name: string): void {
    this.#collections.delete(name);
    this.#registry.forget("collection", name);
    this.#reloader.forget(name);
  }

  #timestamp(name: string, help: string, time: (state: SourceState) => number | undefined): void {
    this.#registry.read("gauge", `k8s_sidecar_${name}_timestamp_seconds`, help, ["source"], () => {
      const sources = [...this.#collections.values()].flatMap(({ measured }) => measured?.sources ?? []);
      return oldest(sources, time).map(([source, at]) => [{ source }, this.#timestampOf(at)]);
    });
  }

  /** Seconds since 1970 of a time by the clock, 0 for none; right even if the wall clock has been set since. */
  #timestampOf(at: number | undefined): number {
    if (at === undefined) return 0;
    const { clock, wallClock } = this.#options;
    return Math.round(wallClock() - (clock.now() - at)) / 1000;
  }
}
