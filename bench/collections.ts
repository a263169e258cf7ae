/** Several collections in one process, each with objects, a folder and a webhook of its own. */
import { join } from "node:path";
import { Application } from "../tests/support/application.ts";
import { requestsOf } from "../tests/support/request_count.ts";
import type { SidecarProcess } from "../tests/support/sidecar_process.ts";
import { type BenchRun, eachRound } from "./bench_run.ts";
import { between, CountingProxy } from "./counting_proxy.ts";
import { ObjectSet } from "./object_set.ts";
import { startSidecar } from "./process.ts";
import { settledMemoryOf } from "./process_figures.ts";
import { SIDECAR } from "./start_up.ts";

export const COLLECTIONS = 5;
const OBJECTS = 100;
const BYTES = 2_000;

const POLL_MS = 20;
const TIMEOUT_MS = 60_000;

export function collectionsTitle(count: number): string {
  return `${count} ${count === 1 ? "collection" : "collections"} × ${OBJECTS} objects`;
}

export async function measureCollections(run: BenchRun): Promise<void> {
  const sets: ObjectSet[] = [];
  for (let index = 0; index < COLLECTIONS; index++) {
    sets.push(await ObjectSet.create(run.api, { count: OBJECTS, bytes: BYTES }, `collection-${index}`));
  }
  await using application = new Application();
  await eachRound(run, async () => {
    await measure(run, sets.slice(0, 1), application.url);
    await measure(run, sets, application.url);
    const four = sets.slice(0, 4);
    await measurePod(run, "1 sidecar for 4 collections", [four], application.url);
    await measurePod(run, "4 sidecars, each for 1", four.map((set) => [set]), application.url);
  });
}

async function measure(run: BenchRun, sets: readonly ObjectSet[], url: string): Promise<void> {
  const title = collectionsTitle(sets.length);
  const startedAt = performance.now();
  await using sidecar = await ready(run, sets, url, await run.api.inCluster());
  run.figures.add(SIDECAR, title, "spawn to ready", "ms", performance.now() - startedAt);
  const { anon } = await settledMemoryOf(sidecar.pid);
  run.figures.add(SIDECAR, title, "RssAnon", "bytes", anon);
  await sidecar.kill9();
}

/** What the sidecars of a pod ask of the API server when they start, and the memory that they take together. */
async function measurePod(run: BenchRun, title: string, sidecars: readonly ObjectSet[][], url: string): Promise<void> {
  await using proxy = new CountingProxy(run.api.url);
  await using stack = new AsyncDisposableStack();
  const way = await run.api.inCluster(proxy.url);
  const before = proxy.traffic;
  let [requests, memory] = [0, 0];
  const processes = await Promise.all(sidecars.map((sets) => ready(run, sets, url, way)));
  for (const process of processes) stack.use(process);
  for (const process of processes) {
    memory += (await settledMemoryOf(process.pid)).anon;
    requests += await requestsOf(process);
  }
  const { up, down, connections } = between(before, proxy.traffic);
  run.figures.add(SIDECAR, title, "RssAnon", "bytes", memory);
  run.figures.add(SIDECAR, title, "requests of a start", "requests", requests);
  run.figures.add(SIDECAR, title, "connections of a start", "connections", connections);
  run.figures.add(SIDECAR, title, "bytes up of a start", "bytes", up);
  run.figures.add(SIDECAR, title, "bytes down of a start", "bytes", down);
  for (const process of processes) await process.kill9();
}

/** A sidecar with a collection for each set, which has synced all of them. */
async function ready(
  run: BenchRun,
  sets: readonly ObjectSet[],
  url: string,
  way: Record<string, string>,
): Promise<SidecarProcess> {
  const folder = await run.folder();
  const collections = sets.map((set) => {
    const { LABEL, LABEL_VALUE, NAMESPACE } = set.environment(folder);
    const notify = { onFirstSync: false, webhook: { url } };
    const folderOf = join(folder, set.namespace);
    return {
      name: set.namespace,
      label: LABEL,
      labelValue: LABEL_VALUE,
      namespaces: [NAMESPACE],
      folder: folderOf,
      notify,
    };
  });
  const file = `${folder}.yaml`;
  Deno.writeTextFileSync(file, JSON.stringify({ version: 1, collections }));
  const startedAt = performance.now();
  const sidecar = startSidecar({ ...way, CONFIG_FILE: file }, `${folder}.log`);
  try {
    while ((await sidecar.health("/readyz").catch(() => undefined))?.status !== 200) {
      if (performance.now() > startedAt + TIMEOUT_MS) {
        throw new Error(`not ready with ${collectionsTitle(sets.length)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return sidecar;
  } catch (error) {
    await sidecar.kill9();
    throw error;
  }
}
