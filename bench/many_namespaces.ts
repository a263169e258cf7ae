/** Many namespaces with the right to watch the whole cluster: one watch for each kind. */
import { ApiServer } from "./api_server.ts";
import { type BenchRun, eachRound } from "./bench_run.ts";
import { NAMESPACES } from "./many_watches.ts";
import { startSidecar } from "./process.ts";
import { openFilesOf, settledMemoryOf } from "./process_figures.ts";
import { SIDECAR } from "./start_up.ts";

export const MANY_NAMESPACES = `${NAMESPACES.length} namespaces, cluster-wide`;

/** Two watches and what any Deno program has open; with a watch for each namespace it would be hundreds. */
const MAX_OPEN_FILES = 60;

const POLL_MS = 10;
const TIMEOUT_MS = 60_000;

export async function measureManyNamespaces(run: BenchRun): Promise<void> {
  await using api = await ApiServer.startEmbedded({ clusterWide: true });
  await eachRound(run, async () => {
    const folder = await run.folder();
    const env = { LABEL: "bench", LABEL_VALUE: "nothing", NAMESPACE: NAMESPACES.join(","), FOLDER: folder };
    const startedAt = performance.now();
    const sidecar = startSidecar({ ...await api.inCluster(), ...env }, `${folder}.log`);
    try {
      while ((await sidecar.health("/readyz").catch(() => undefined))?.status !== 200) {
        if (performance.now() > startedAt + TIMEOUT_MS) throw new Error(`not ready with ${MANY_NAMESPACES}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      run.figures.add(SIDECAR, MANY_NAMESPACES, "spawn to ready", "ms", performance.now() - startedAt);
      const { anon } = await settledMemoryOf(sidecar.pid);
      const files = openFilesOf(sidecar.pid);
      if (files > MAX_OPEN_FILES) throw new Error(`${files} open files: namespaces have watches of their own`);
      run.figures.add(SIDECAR, MANY_NAMESPACES, "RssAnon", "bytes", anon);
    } finally {
      await sidecar.kill9();
    }
  });
}
