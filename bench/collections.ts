/** Several collections in one process, each with objects, a folder and a webhook of its own. */
import { join } from "node:path";
import { Application } from "../tests/support/application.ts";
import { type BenchRun, eachRound } from "./bench_run.ts";
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
  });
}

async function measure(run: BenchRun, sets: readonly ObjectSet[], url: string): Promise<void> {
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
  const sidecar = startSidecar({ ...await run.api.inCluster(), CONFIG_FILE: file }, `${folder}.log`);
  const title = collectionsTitle(sets.length);
  try {
    while ((await sidecar.health("/readyz").catch(() => undefined))?.status !== 200) {
      if (performance.now() > startedAt + TIMEOUT_MS) throw new Error(`not ready with ${title}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    run.figures.add(SIDECAR, title, "spawn to ready", "ms", performance.now() - startedAt);
    const { anon } = await settledMemoryOf(sidecar.pid);
    run.figures.add(SIDECAR, title, "RssAnon", "bytes", anon);
  } finally {
    await sidecar.kill9();
  }
}
