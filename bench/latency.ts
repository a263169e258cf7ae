/** From the API server's answer to an update until the bytes are on disk, one update after the other. */
import { type BenchRun, eachRound, LARGE, STANDARD } from "./bench_run.ts";
import { quantile } from "./figures.ts";
import { BARE_WATCH } from "./floors.ts";
import type { ObjectSet, SetSize } from "./object_set.ts";
import { allInPlace, inPlaceAt } from "./observer.ts";
import { memoryOf } from "./process_figures.ts";
import { FloorProcess } from "./process.ts";
import { SIDECAR } from "./start_up.ts";

const UPDATES: readonly [size: SetSize, full: number, quick: number][] = [[STANDARD, 1_000, 300], [LARGE, 100, 16]];

/** Milliseconds of each update. */
interface Latencies {
  fromAnswer: number[];
  fromRequest: number[];
}

export async function measureLatency(run: BenchRun): Promise<void> {
  for (const [size, full, quick] of UPDATES) {
    const set = await run.set(size);
    const updates = run.options.quick ? quick : full;
    await eachRound(run, async () => {
      // One half before and one after, so that what else the machine does meanwhile meets both
      const bare = await bareLatencies(run, set, updates / 2);
      const { process, folder } = await run.sync(set);
      {
        await using sidecar = process;
        report(run, set, SIDECAR, await latencies(set, folder, updates));
        run.figures.add(SIDECAR, set.title, "peak with single updates", "bytes", memoryOf(sidecar.pid).peak);
      }
      const { fromAnswer, fromRequest } = await bareLatencies(run, set, updates / 2);
      report(run, set, BARE_WATCH, {
        fromAnswer: [...bare.fromAnswer, ...fromAnswer],
        fromRequest: [...bare.fromRequest, ...fromRequest],
      });
    });
  }
}

async function bareLatencies(run: BenchRun, set: ObjectSet, updates: number): Promise<Latencies> {
  const folder = await run.folder();
  const env = { ...await run.api.inCluster(), ...set.environment(folder) };
  await using _watch = FloorProcess.start("bare_watch", env);
  await allInPlace(set, folder);
  return await latencies(set, folder, updates);
}

async function latencies(set: ObjectSet, folder: string, updates: number): Promise<Latencies> {
  const found: Latencies = { fromAnswer: [], fromRequest: [] };
  for (let update = 0; update < updates; update++) {
    const index = update % set.size.count;
    const { sentAt, answeredAt } = await set.update(index);
    const at = inPlaceAt(set, folder, index);
    found.fromAnswer.push(at - answeredAt);
    found.fromRequest.push(at - sentAt);
  }
  return found;
}

function report({ figures }: BenchRun, set: ObjectSet, who: string, { fromAnswer, fromRequest }: Latencies): void {
  figures.add(who, set.title, "update to file, p50", "ms", quantile(fromAnswer, 0.5));
  figures.add(who, set.title, "update to file, p99", "ms", quantile(fromAnswer, 0.99));
  figures.add(who, set.title, "update to file, max", "ms", Math.max(...fromAnswer));
  figures.add(who, set.title, "sent update to file, p50", "ms", quantile(fromRequest, 0.5));
}
