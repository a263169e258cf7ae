/** From the spawn to the first complete sync, and what it leaves in memory. */
import { type BenchRun, eachRound, LARGE, SMALL, STANDARD, type SyncedSidecar } from "./bench_run.ts";
import { measureBareLoop } from "./floors.ts";
import type { ObjectSet, SetSize } from "./object_set.ts";
import { memoryOf, processorTimeOf, settledMemoryOf } from "./process_figures.ts";

export const SIDECAR = "sidecar";
export const WITH_KUBECONFIG = "sidecar, kubeconfig";

export const MANY: SetSize = { count: 20_000, bytes: SMALL };

const SIZES: readonly SetSize[] = [
  { count: 10, bytes: SMALL },
  STANDARD,
  { count: 5_000, bytes: SMALL },
  MANY,
  { count: 100, bytes: 200_000 },
  LARGE,
];

const QUICK_SIZES: readonly SetSize[] = [{ count: 10, bytes: SMALL }, STANDARD];

export async function measureStartUp(run: BenchRun): Promise<void> {
  for (const size of run.options.quick ? QUICK_SIZES : SIZES) {
    const set = await run.set(size);
    await eachRound(run, async () => {
      // It is half a second: of one only, something else on the machine may take most
      for (let time = 0; time < (run.options.quick && size === STANDARD ? 3 : 1); time++) {
        await measureBareLoop(run, set, await run.folder());
        await measureSidecar(run, set, SIDECAR, await run.sync(set));
      }
      if (size === STANDARD) {
        await measureSidecar(run, set, WITH_KUBECONFIG, await run.sync(set, await run.api.kubeconfig()));
      }
    });
  }
}

async function measureSidecar(
  { figures }: BenchRun,
  set: ObjectSet,
  who: string,
  { process, syncTime }: SyncedSidecar,
): Promise<void> {
  await using sidecar = process;
  figures.add(who, set.title, "spawn to complete sync", "ms", syncTime);
  figures.add(who, set.title, "CPU time of it", "ms", processorTimeOf(sidecar.pid));
  const { anon, rss } = await settledMemoryOf(sidecar.pid);
  figures.add(who, set.title, "RssAnon after sync", "bytes", anon);
  figures.add(who, set.title, "RSS after sync", "bytes", rss);
  figures.add(who, set.title, "peak of sync", "bytes", memoryOf(sidecar.pid).peak);
}
