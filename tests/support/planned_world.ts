/** Objects in memory and a folder on the disk, for a plan and for the run that follows it. */
import assert from "node:assert/strict";
import type { Config } from "../../lib/config/config.ts";
import { loadConfig } from "../../lib/config/load_config.ts";
import { SharedDownloads } from "../../lib/downloads/shared_downloads.ts";
import { plainCredentials } from "../../lib/kube/client/plain_credentials.ts";
import type { ObjectApi } from "../../lib/kube/client/object_api.ts";
import type { Kind } from "../../lib/objects/kind.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import { matchesSelector, parseSelector } from "../../lib/objects/selector_grammar.ts";
import type { WatchTarget } from "../../lib/objects/source.ts";
import type { Plan } from "../../lib/plan/plan.ts";
import { makePlan, type PlanOptions } from "../../lib/plan/make_plan.ts";
import { Garbage } from "../../lib/runtime/garbage.ts";
import { Semaphore } from "../../lib/runtime/semaphore.ts";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";
import { Collections } from "../../lib/sidecar/collections/collections.ts";
import { Liveness } from "../../lib/sidecar/liveness.ts";
import { SharedTransports } from "../../lib/sidecar/opening/open_transports.ts";
import { SharedSources } from "../../lib/sidecar/sources/shared_sources.ts";
import { NotificationHistory } from "../../lib/sidecar/collections/told.ts";
import { keptLog } from "./api_gateway.ts";
import { tempFolder } from "./disk.ts";
import { FakeClock } from "./fake_clock.ts";

/** An object, with the kind that the API leaves out in lists. */
export interface WorldObject extends KubeObject {
  kind: Kind | "Namespace";
}

export function plannedWorld() {
  const folder = tempFolder();
  const objects = new Map<string, WorldObject>();
  /** What was asked of the API: `list configmaps` and so on. */
  const asked: string[] = [];
  let version = 1;
  const selected = ({ kind, namespace, name, labelSelector = "" }: WatchTarget) =>
    [...objects.values()].filter(({ kind: other, metadata }) =>
      other === kind && (namespace ?? metadata.namespace) === metadata.namespace &&
      (name ?? metadata.name) === metadata.name &&
      matchesSelector(parseSelector(labelSelector), metadata.labels)
    );
  const api: ObjectApi = {
    streamingLists: false,
    lists: new Semaphore(Infinity),
    async *list(target) {
      asked.push("list");
      yield structuredClone(selected(target));
      return { resourceVersion: String(version) };
    },
    watch() {
      throw new Error("a plan and METHOD=LIST watch nothing");
    },
    read(source, { namespace, name }) {
      asked.push("read");
      return Promise.resolve(structuredClone(selected({ ...source, namespace, name })[0]));
    },
    namespace: () => Promise.resolve("default"),
    close() {},
  };
  const configOf = async (env: Record<string, string>): Promise<Config> => {
    const { config, faults } = await loadConfig(env, {});
    assert.deepEqual(faults, []);
    return config;
  };
  const options = async (env: Record<string, string>): Promise<PlanOptions> => ({
    ...{ config: await configOf(env), env, client: api, configFiles: [], random: () => 0, clock: new FakeClock() },
    credentials: plainCredentials("http://api:1"),
  });
  return {
    path: folder.path,
    asked,
    put(kind: WorldObject["kind"], namespace: string, name: string, rest: Partial<KubeObject["metadata"]> & {
      data?: Record<string, string>;
    } = {}): void {
      const { data, ...metadata } = rest;
      const key = `${kind}/${namespace}/${name}`;
      const before = objects.get(key);
      objects.set(key, {
        kind,
        metadata: {
          ...{ namespace, name, uid: before?.metadata.uid ?? key, resourceVersion: String(++version) },
          creationTimestamp: "2026-01-01T00:00:00Z",
          ...metadata,
        },
        data: kind === "Secret" && data !== undefined
          ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)]))
          : data ?? {},
      });
    },
    delete: (kind: Kind, namespace: string, name: string) => void objects.delete(`${kind}/${namespace}/${name}`),
    /** For a plan. */
    options,
    async plan(env: Record<string, string>): Promise<Plan> {
      return await makePlan(await options(env), new AbortController().signal);
    },
    /** METHOD=LIST. */
    async run(env: Record<string, string>): Promise<void> {
      const config = await configOf({ ...env, METHOD: "LIST" });
      const clock = new FakeClock();
      const common = { clock, log: keptLog(), random: () => 0, env: {} };
      const liveness = new Liveness(clock);
      const transports = new SharedTransports(common);
      const collections = await Collections.open({
        ...{ ...common, config, liveness, transports, client: api, haveNamespacesLabels: true, configFiles: [] },
        sources: new SharedSources({
          ...{ ...common, client: api, mode: "once", watch: config.watch, liveness },
          onRestart() {},
        }),
        metrics: new SidecarMetrics({ build: { version: "", revision: "" }, clock, wallClock: () => 0 }),
        notificationHistory: new NotificationHistory(),
        sharedDownloads: new SharedDownloads(common),
        garbage: new Garbage({ clock, collector() {} }),
      });
      await collections.list(new AbortController().signal);
      transports.close();
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** What a path holds. */
export interface Entry {
  /** Of a file its content and mode, of a symlink its target. */
  text: string;
  /** Inode and time: they change when somebody writes. */
  stamp: string;
  isDirectory: boolean;
}

/** Everything below a folder, the sidecar's own files included. */
export function treeOf(folder: string, below = ""): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { name, isDirectory, isFile, isSymlink } of Deno.readDirSync(folder + below)) {
    const path = `${folder}${below}/${name}`;
    const { ino, mtime, ctime, mode } = Deno.lstatSync(path);
    const content = isFile ? Deno.readTextFileSync(path) : isSymlink ? Deno.readLinkSync(path) : "";
    const text = `${isFile ? "file" : isSymlink ? "link" : "directory"} ${(mode! & 0o7777).toString(8)} ${content}`;
    entries.set(path, { text, stamp: `${ino} ${mtime?.getTime()} ${ctime?.getTime()}`, isDirectory });
    if (isDirectory) { for (const [path, entry] of treeOf(folder, `${below}/${name}`)) entries.set(path, entry); }
  }
  return entries;
}

/** Files that differ, as a plan names them: `create /path`. */
export function changesBetween(before: Map<string, Entry>, after: Map<string, Entry>): string[] {
  const isFile = (entry: Entry | undefined) => entry !== undefined && !entry.isDirectory;
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].flatMap((path) => {
    if (path.includes("/..k8s-sidecar-") || path.endsWith("/record")) return [];
    const [was, is] = [before.get(path), after.get(path)];
    if (isFile(was) && isFile(is)) return was?.text === is?.text ? [] : [`change ${path}`];
    return isFile(was) ? [`remove ${path}`] : isFile(is) ? [`create ${path}`] : [];
  }).sort();
}

export function plannedChanges({ collections }: Plan): string[] {
  return collections.flatMap(({ changes }) => changes.map(({ action, path }) => `${action} ${path}`)).sort();
}
