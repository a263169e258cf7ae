/** Many namespaces with watches of their own, as without the right to watch the whole cluster. */
import { ApiServer } from "./api_server.ts";
import { type BenchRun, eachRound } from "./bench_run.ts";
import type { Figures } from "./figures.ts";
import { BARE_WATCH } from "./floors.ts";
import { FloorProcess, startSidecar } from "./process.ts";
import { openFilesOf, settledMemoryOf } from "./process_figures.ts";
import { SIDECAR } from "./start_up.ts";

export const NAMESPACES = Array.from({ length: 300 }, (_, index) => `team-${index}`);

/** ConfigMaps and Secrets. */
const WATCHES = 2 * NAMESPACES.length;

export const MANY_WATCHES = `${WATCHES} watches`;

const SELECTION = { LABEL: "bench", LABEL_VALUE: "nothing" };

const POLL_MS = 10;
const TIMEOUT_MS = 120_000;

export async function measureManyWatches(run: BenchRun): Promise<void> {
  await using api = await ApiServer.startEmbedded({ clusterWide: false });
  await eachRound(run, async () => {
    await measureFloor(api, run.figures);
    await measureSidecar(api, run);
  });
}

async function measureFloor(api: ApiServer, figures: Figures): Promise<void> {
  const env = { ...await api.inCluster(), ...SELECTION, NAMESPACE: "default" };
  await using floor = FloorProcess.start("bare_watches", env, [String(WATCHES)]);
  await floor.printed();
  await add(figures, BARE_WATCH, floor.pid);
}

async function measureSidecar(api: ApiServer, run: BenchRun): Promise<void> {
  const folder = await run.folder();
  const env = { ...await api.inCluster(), ...SELECTION, NAMESPACE: NAMESPACES.join(","), FOLDER: folder };
  const startedAt = performance.now();
  const sidecar = startSidecar(env, `${folder}.log`);
  try {
    while ((await sidecar.health("/readyz").catch(() => undefined))?.status !== 200) {
      if (performance.now() > startedAt + TIMEOUT_MS) throw new Error(`not ready with ${MANY_WATCHES}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    run.figures.add(SIDECAR, MANY_WATCHES, "spawn to ready", "ms", performance.now() - startedAt);
    await add(run.figures, SIDECAR, sidecar.pid);
  } finally {
    await sidecar.kill9();
  }
}

async function add(figures: Figures, of: string, pid: number): Promise<void> {
  const { anon } = await settledMemoryOf(pid);
  const files = openFilesOf(pid);
  if (files < WATCHES) throw new Error(`${of} has ${files} open files: not every source has a watch of its own`);
  figures.add(of, MANY_WATCHES, "RssAnon", "bytes", anon);
  figures.add(of, MANY_WATCHES, "open files", "files", files);
}
