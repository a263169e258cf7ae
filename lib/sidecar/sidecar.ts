/** Assembly: client, collections and health, from one configuration; runs until it is done or told to stop. */
import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/config.ts";
import { Deadline } from "../runtime/deadline.ts";
import { Garbage, v8Collector } from "../runtime/garbage.ts";
import { KubeClient } from "../kube/client/client.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { sourcesOf } from "./sources.ts";
import type { Events, Holds } from "./kubernetes_side.ts";
import type { Log } from "../log/log.ts";
import { RunningCollection } from "./collection.ts";
import type { HealthState } from "../serve/health.ts";
import { SidecarMetrics } from "../serve/metrics.ts";
import { Liveness } from "./liveness.ts";
import { openTransport } from "../http/open_transport.ts";
import type { Transport } from "../http/transport.ts";

interface CommonOptions {
  config: Config;
  env: Record<string, string | undefined>;
  userAgent: string;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** Objects come from a cluster. */
export interface ClusterOptions extends CommonOptions {
  credentials: Credentials;
}

/** Objects come from a folder of manifests: nothing is told to a cluster. */
export interface ManifestOptions extends CommonOptions {
  manifests: ObjectApi;
}

export type SidecarOptions = ClusterOptions | ManifestOptions;

/** How a run ended: as wanted, or METHOD=LIST without all objects or without all files. */
export type Outcome = "done" | "apiFailed" | "filesFailed";

/** Seconds for what is left to tell Kubernetes when the work is done. */
const FLUSH_TIMEOUT = 0.5;

/**
 * Runs METHOD. Resolves at once after the signal aborts, or when METHOD=LIST is done.
 *
 * @throws {PublishError} a folder can neither be found nor made
 */
export async function runSidecar(options: SidecarOptions, signal: AbortSignal): Promise<Outcome> {
  const { config, log } = options;
  const metrics = new SidecarMetrics();
  using garbage = new Garbage({ clock: options.clock, collector: v8Collector() });
  const cluster = "credentials" in options ? openClient(options, metrics, garbage) : undefined;
  const client = "manifests" in options ? options.manifests : cluster!;
  const transport = lazyTransport(options);
  const liveness = new Liveness(options.clock);
  try {
    const { events, holds } = await openKubernetesSide(options, cluster);
    const parts = { ...options, client, transport: transport.open, metrics, events, holds, liveness, garbage };
    const collections = await Promise.all(
      config.collections.map((collection) => RunningCollection.open({ ...parts, collection })),
    );
    metrics.measure(() => collections);
    let outcome: Outcome = "done";
    if (config.method === "LIST") outcome = await listOnce(collections, log, signal);
    else {
      const health = await openHealth(options, collections, liveness, metrics);
      const mode = config.method === "SLEEP" ? "list" : "watch";
      try {
        await Promise.all([
          ...collections.map((collection) => collection.run(mode, signal)),
          events?.run(signal),
          holds?.run(signal),
        ]);
      } finally {
        health?.close();
      }
    }
    using soon = new Deadline(options.clock, FLUSH_TIMEOUT, new AbortController().signal);
    await Promise.all([events?.flush(soon.signal), holds?.flush(soon.signal)]);
    return outcome;
  } finally {
    await client.close();
    transport.close();
  }
}

/**
 * `k8s-sidecar remove-finalizers`: takes ours off every object that the selection matches.
 *
 * @throws {CredentialsError}
 */
export async function runRemoveFinalizers(options: ClusterOptions, signal: AbortSignal): Promise<Outcome> {
  const { config, log } = options;
  using garbage = new Garbage({ clock: options.clock, collector: v8Collector() });
  const client = openClient(options, new SidecarMetrics(), garbage);
  try {
    const { removeFinalizers } = await import("../kube/finalizers/remove_finalizers.ts");
    const ownNamespace = await client.namespace();
    const sources = config.collections.flatMap((collection) => sourcesOf(collection.selection, ownNamespace));
    const { failed } = await removeFinalizers(client, sources, config.finalizerName, signal, log);
    return failed === 0 ? "done" : "apiFailed";
  } catch (error) {
    if (signal.aborted) return "done";
    throw error;
  } finally {
    client.close();
  }
}

async function listOnce(collections: readonly RunningCollection[], log: Log, signal: AbortSignal): Promise<Outcome> {
  const outcomes = await Promise.all(collections.map((collection) => collection.list(signal)));
  if (signal.aborted) return "done";
  const apiFailures = outcomes.flatMap((outcome) => outcome.apiFailures);
  const fileFailures = outcomes.flatMap((outcome) => outcome.fileFailures);
  for (const failure of [...apiFailures, ...fileFailures]) log.error(`incomplete: ${failure}`);
  if (apiFailures.length > 0) return "apiFailed";
  if (fileFailures.length > 0) return "filesFailed";
  const files = collections.reduce((sum, collection) => sum + collection.files, 0);
  log.info("List complete, all files are in place.", { files });
  return "done";
}

async function openKubernetesSide(
  { config, clock, random, log }: SidecarOptions,
  client: KubeClient | undefined,
): Promise<{ events: Events | undefined; holds: Holds | undefined }> {
  if (client === undefined || (!config.events && config.finalizer === undefined)) {
    return { events: undefined, holds: undefined };
  }
  const { openEvents, openHolds } = await import("./kubernetes_side.ts");
  const options = { client, clock, random, log };
  return {
    events: config.events ? await openEvents(options) : undefined,
    holds: config.finalizer === undefined ? undefined : await openHolds({ ...options, name: config.finalizer }),
  };
}

function openClient(
  { config, credentials, env, userAgent, clock, log }: ClusterOptions,
  metrics: SidecarMetrics,
  garbage: Garbage,
): KubeClient {
  return new KubeClient({
    credentials,
    skipTlsVerify: config.api.skipTlsVerify,
    userAgent,
    env,
    clock,
    onRead: (bytes) => garbage.count(bytes),
    onRequest: ({ method, path, status, seconds }) => {
      metrics.apiRequest(method, status);
      if (config.log.apiRequests) log.debug(`${method} ${path}`, { status, ms: Math.round(seconds * 1000) });
    },
  });
}

/** The transport of webhooks and downloads: most sidecars need none. */
function lazyTransport({ config, env }: SidecarOptions): { open: () => Promise<Transport>; close(): void } {
  let opened: Transport | undefined;
  return {
    open: () => Promise.resolve(opened ??= openTransport({ env, skipTlsVerify: config.requests.skipTlsVerify })),
    close: () => opened?.close(),
  };
}

async function openHealth(
  { config, log }: SidecarOptions,
  collections: readonly RunningCollection[],
  liveness: Liveness,
  metrics: SidecarMetrics,
): Promise<{ close(): Promise<void> } | undefined> {
  if (!config.health.enabled) return undefined;
  const { startServer } = await import("../serve/server.ts");
  const firstOf = (reasons: (string | undefined)[]) => reasons.find((reason) => reason !== undefined);
  const health: HealthState = {
    notReady: () => firstOf(collections.map((collection) => collection.notReady())),
    stuck: () => liveness.stuck(),
  };
  const { port, host } = config.health;
  return startServer({ port, host, health, metrics: () => metrics.render(), log });
}
