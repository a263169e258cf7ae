/** Assembles client, collections and health endpoints from a configuration, and runs them. */
import type { Clock } from "../runtime/clock.ts";
import { isApplicationsPort } from "../config/applications_port.ts";
import type { Config } from "../config/config.ts";
import type { ConfigFile } from "../files/config_files.ts";
import { Deadline } from "../runtime/deadline.ts";
import { SharedDownloads } from "../downloads/shared_downloads.ts";
import { Garbage, v8Collector } from "../runtime/garbage.ts";
import type { KubeClient } from "../kube/client/client.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import type { EventPoster } from "./event_poster.ts";
import type { FinalizerGuard } from "./finalizer_guard.ts";
import { openClient } from "./opening/open_client.ts";
import type { Log } from "../log/log.ts";
import { Collections } from "./collections/collections.ts";
import { type Build, SidecarMetrics } from "../serve/metrics.ts";
import type { ServerOptions } from "../serve/server.ts";
import { ApiContact } from "./api_contact.ts";
import { listOnce, type Outcome } from "./collections/list_once.ts";
import { Liveness } from "./liveness.ts";
import { SharedSources } from "./sources/shared_sources.ts";
import type { FollowedFile, Reload } from "./collections/reload.ts";
import { NotificationHistory } from "./collections/told.ts";
import { SharedTransports } from "./opening/open_transports.ts";

interface CommonOptions {
  config: Config;
  /** CONFIG_FILE; `undefined`: all collections are the environment's. */
  configFile?: FollowedFile;
  env: Record<string, string | undefined>;
  /** Files that no object may write to. */
  configFiles: readonly ConfigFile[];
  /** The API server, or the folder of manifests. */
  origin: string;
  userAgent: string;
  build: Build;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** Objects come from a cluster. */
export interface ClusterOptions extends CommonOptions {
  credentials: Credentials;
}

/** Objects come from a folder of manifests. There are no Events and no finalizers. */
export interface ManifestOptions extends CommonOptions {
  manifests: ObjectApi;
}

export type SidecarOptions = ClusterOptions | ManifestOptions;

/** How sources are followed. */
const MODES = { WATCH: "watch", SLEEP: "list", LIST: "once" } as const;

/** Seconds for the last Events and finalizers before the program ends. */
const FLUSH_SECONDS = 0.5;

/**
 * Runs METHOD. Resolves when the signal aborts, or when METHOD=LIST is done.
 *
 * @throws {PublishError} a folder does not exist and cannot be created
 */
export async function runSidecar(options: SidecarOptions, signal: AbortSignal): Promise<Outcome> {
  const { config, log } = options;
  const metrics = new SidecarMetrics({ build: options.build, clock: options.clock, wallClock: Date.now });
  using garbage = new Garbage({ clock: options.clock, collector: v8Collector() });
  const onAnswer = () => contact?.answered();
  const cluster = "credentials" in options ? openClient(options, metrics, garbage, onAnswer) : undefined;
  const contact = cluster && openContact(options, cluster);
  const client = "manifests" in options ? options.manifests : cluster!;
  const transports = new SharedTransports(options);
  const liveness = new Liveness(options.clock);
  const history = new NotificationHistory();
  const startedAt = options.clock.now();
  try {
    const clusterParts = await openClusterParts(options, cluster, liveness);
    const { eventPoster, finalizerGuard } = clusterParts;
    const sources = new SharedSources({
      ...{ ...options, client: cluster ?? client, mode: MODES[config.method], watch: config.watch, liveness },
      onRestart: (restart) => metrics.restarted(restart),
    });
    const collections = await Collections.open({
      ...{ ...options, ...clusterParts, client, haveNamespacesLabels: cluster !== undefined },
      ...{ metrics, liveness, sources, garbage, transports, sharedDownloads: new SharedDownloads(options) },
      notificationHistory: history,
    });
    let outcome: Outcome = "done";
    if (config.method === "LIST") outcome = await listOnce(collections, log, signal);
    else {
      const reload = await openReload(options, collections, metrics, liveness);
      const stuck = () => liveness.stuck() ?? contact?.lost;
      const state = { notReady: () => collections.notReady(), stuck };
      const status: ServerOptions["status"] = async (write) => {
        const { statusText } = await import("./status/status_text.ts");
        const inner = collections.running.map(({ inner }) => inner);
        const { instance } = collections;
        return statusText(
          { ...options, startedAt, health: state, collections: inner, instance, reload, history },
          garbage,
          write,
        );
      };
      const served = { health: state, status, instance: () => collections.instance };
      const health = await openHealth(options, served, metrics);
      try {
        await Promise.all([
          collections.run(signal),
          eventPoster?.run(signal),
          finalizerGuard?.run(signal),
          contact?.run(signal),
          reload?.run(signal),
        ]);
      } finally {
        health?.close();
      }
    }
    using soon = new Deadline(options.clock, FLUSH_SECONDS, new AbortController().signal);
    await Promise.all([eventPoster?.flush(soon.signal), finalizerGuard?.flush(soon.signal)]);
    return outcome;
  } finally {
    await client.close();
    transports.close();
  }
}

function openContact({ config, clock }: SidecarOptions, client: KubeClient): ApiContact | undefined {
  const { contactThreshold: threshold } = config.health;
  if (threshold === undefined) return undefined;
  return new ApiContact({ threshold, ask: (signal) => client.request("GET", "/version", signal), clock });
}

/** EVENT_LOGGING and FINALIZERS, where there is a cluster. */
async function openClusterParts(
  { config, clock, random, log }: SidecarOptions,
  client: KubeClient | undefined,
  liveness: Liveness,
): Promise<{ eventPoster?: EventPoster; finalizerGuard?: FinalizerGuard }> {
  if (client === undefined) return {};
  const options = { client, clock, random, log, retries: config.method !== "LIST" };
  const parts: { eventPoster?: EventPoster; finalizerGuard?: FinalizerGuard } = {};
  if (config.events) {
    const { openEventPoster } = await import("./event_poster.ts");
    parts.eventPoster = openEventPoster({ ...options, heartbeat: liveness.heartbeat("the recorder of Events") });
  }
  if (config.finalizer !== undefined) {
    const { openFinalizerGuard } = await import("./finalizer_guard.ts");
    const heartbeat = liveness.heartbeat("the release of finalizers");
    parts.finalizerGuard = openFinalizerGuard({ ...options, name: config.finalizer, heartbeat });
  }
  return parts;
}

async function openHealth(
  { config, clock, log }: SidecarOptions,
  served: Pick<ServerOptions, "health" | "status" | "instance">,
  metrics: SidecarMetrics,
): Promise<{ close(): Promise<void> } | undefined> {
  if (!config.health.enabled || isApplicationsPort(config)) return undefined;
  const { startServer } = await import("../serve/server.ts");
  const { port, host, statusPage } = config.health;
  return startServer({ port, host, statusPage, ...served, metrics: (format) => metrics.render(format), clock, log });
}

/** With CONFIG_FILE: follows it. */
async function openReload(
  { configFile: file, clock, log }: SidecarOptions,
  collections: Collections,
  metrics: SidecarMetrics,
  liveness: Liveness,
): Promise<Reload | undefined> {
  if (file === undefined) return undefined;
  const { Reload } = await import("./collections/reload.ts");
  const heartbeat = liveness.heartbeat("the loop that follows CONFIG_FILE");
  return new Reload({ file, collections, onResult: (isUsed) => metrics.configReloaded(isUsed), heartbeat, clock, log });
}
