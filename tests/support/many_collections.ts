/** Several collections in one process, over the embedded API server and in a real folder. */
import assert from "node:assert/strict";
import type { Collection } from "../../lib/config/collection_settings.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { parseConfigFile } from "../../lib/config/config_file.ts";
import { given } from "../../lib/runtime/given.ts";
import { Garbage } from "../../lib/runtime/garbage.ts";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";
import { Collections } from "../../lib/sidecar/collections/collections.ts";
import type { FinalizerGuard } from "../../lib/sidecar/finalizer_guard.ts";
import { Liveness } from "../../lib/sidecar/liveness.ts";
import { SharedTransports } from "../../lib/sidecar/opening/open_transports.ts";
import { SharedSources } from "../../lib/sidecar/sources/shared_sources.ts";
import { NotificationHistory } from "../../lib/sidecar/collections/told.ts";
import { CONFIG_MAPS, NAMESPACES, type StoredMeta } from "../apiserver/resources.ts";
import { SharedDownloads } from "../../lib/downloads/shared_downloads.ts";
import { ApiGateway, keptLog } from "./api_gateway.ts";
import { countListeners } from "./counted_listeners.ts";
import { filesIn, tempFolder } from "./disk.ts";
import { FakeClock } from "./fake_clock.ts";

export interface StartOptions {
  env?: Record<string, string>;
  mode?: "watch" | "list" | "once";
  finalizerGuard?: FinalizerGuard;
}

export function collectionsPlace() {
  const folder = tempFolder();
  let now: Date | undefined;
  const gateway = new ApiGateway(() => now ?? new Date());
  const { registry } = gateway.server;
  /** `FOLDER` in the text stands for the folder. */
  const parse = (text: string, env: Record<string, string>): readonly Collection[] => {
    const { collections, faults } = parseConfigFile(text.replaceAll("FOLDER", folder.path), {
      path: "config.yaml",
      env,
    });
    assert.deepEqual(faults, []);
    return collections;
  };
  return {
    path: folder.path,
    gateway,
    create(name: string, data: Record<string, string>, metadata: Partial<StoredMeta> = {}, namespace = "default") {
      if (registry.store.get(NAMESPACES.storage, undefined, namespace) === undefined) {
        registry.create(NAMESPACES, undefined, { metadata: { name: namespace } });
      }
      const { creationTimestamp, ...rest } = metadata;
      if (creationTimestamp !== undefined) now = new Date(creationTimestamp);
      registry.create(CONFIG_MAPS, namespace, { metadata: { name, labels: { app: "" }, ...rest }, data });
      now = undefined;
    },
    remove: (name: string) => void registry.delete(CONFIG_MAPS, "default", name),
    files: (below: string) => filesIn(`${folder.path}/${below}`),
    /** Lists since the last call, as `configmaps?labelSelector=…`. */
    lists(): string[] {
      const seen = gateway.requests.splice(0).filter(({ path }) =>
        !path.includes("watch=1") || path.includes("sendInitialEvents")
      );
      return seen.map(({ path }) => {
        const { pathname, searchParams } = new URL(path, "http://api");
        return `${pathname.replace("/api/v1/", "")} ${searchParams.get("labelSelector") ?? ""}`.trim();
      }).sort();
    },
    async start(text: string, { env = {}, mode = "watch", finalizerGuard }: StartOptions = {}) {
      const clock = new FakeClock();
      let sweeps = 0;
      const log = keptLog();
      const liveness = new Liveness(clock);
      const { config } = parseConfig(env);
      const common = { clock, log, random: () => 0, env: {} };
      const sources = new SharedSources({
        ...{ ...common, client: gateway.client, mode, watch: config.watch, liveness },
        onRestart() {},
      });
      const transports = new SharedTransports(common);
      const history = new NotificationHistory();
      const collections = await Collections.open({
        ...{
          ...common,
          liveness,
          sources,
          transports,
          client: gateway.client,
          haveNamespacesLabels: true,
          configFiles: [],
        },
        ...given("finalizerGuard", finalizerGuard),
        config: { ...config, collections: parse(text, env), configFile: "config.yaml" },
        metrics: new SidecarMetrics({ build: { version: "", revision: "" }, clock, wallClock: () => 0 }),
        notificationHistory: history,
        sharedDownloads: new SharedDownloads(common),
        garbage: new Garbage({ clock, collector: () => void sweeps++ }),
      });
      const stop = new AbortController();
      const listeners = countListeners(stop.signal);
      let running: Promise<void> | undefined;
      return {
        collections,
        history,
        clock,
        log,
        liveness,
        sweeps: () => sweeps,
        /** Of the signal that ends the process. */
        listeners: () => listeners.count,
        run: () => void (running = collections.run(stop.signal)),
        list: () => collections.list(stop.signal),
        replace: (next: string) => collections.replace(parse(next, env)),
        async [Symbol.asyncDispose]() {
          stop.abort();
          await running;
          transports.close();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
