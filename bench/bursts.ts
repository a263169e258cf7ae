/** Every object is updated, as fast as the API server takes it. */
import { type BenchRun, eachRound, LARGE, SMALL, STANDARD } from "./bench_run.ts";
import type { SetSize } from "./object_set.ts";
import { allInPlace } from "./observer.ts";
import { memoryOf, processorTimeOf, settledMemoryOf } from "./process_figures.ts";
import { MANY, SIDECAR } from "./start_up.ts";

export const BURSTS = 5;

/** The others are there for their memory and their throughput. */
const SIZES: readonly [size: SetSize, bursts: number][] = [
  [STANDARD, BURSTS],
  [{ count: 5_000, bytes: SMALL }, 2],
  [MANY, 1],
  [{ count: 100, bytes: 200_000 }, 2],
  [LARGE, 2],
];

export function afterBurst(number: number): string {
  return `RssAnon after burst ${number}`;
}

export async function measureBursts(run: BenchRun): Promise<void> {
  for (const [size, bursts] of run.options.quick ? SIZES.slice(0, 1) : SIZES) {
    const { figures } = run;
    const set = await run.set(size);
    const { count } = size;
    await eachRound(run, async () => {
      const { process, folder } = await run.sync(set);
      await using sidecar = process;
      for (let burst = 1; burst <= bursts; burst++) {
        const busy = processorTimeOf(sidecar.pid);
        const { sentAt, answeredAt } = await set.updateAll();
        const doneAt = await allInPlace(set, folder, { lastFirst: true });
        const { anon } = await settledMemoryOf(sidecar.pid);
        figures.add(SIDECAR, set.title, "updates written", "per s", count / (doneAt - sentAt) * 1000);
        figures.add(SIDECAR, set.title, "last answer to last file", "ms", doneAt - answeredAt);
        figures.add(
          SIDECAR,
          set.title,
          "CPU per 1,000 updates",
          "ms",
          (processorTimeOf(sidecar.pid) - busy) / count * 1000,
        );
        figures.add(SIDECAR, set.title, afterBurst(burst), "bytes", anon);
      }
      figures.add(SIDECAR, set.title, "RSS after bursts", "bytes", memoryOf(sidecar.pid).rss);
      figures.add(SIDECAR, set.title, "peak with bursts", "bytes", memoryOf(sidecar.pid).peak);
    });
  }
}
