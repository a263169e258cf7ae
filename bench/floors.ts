/** Floors: what no Deno program can be below, on this machine, now. */
import type { BenchRun } from "./bench_run.ts";
import { eachRound } from "./bench_run.ts";
import { ANYWHERE } from "./figures.ts";
import type { ObjectSet } from "./object_set.ts";
import { allInPlace } from "./observer.ts";
import { settledMemoryOf } from "./process_figures.ts";
import { FloorProcess } from "./process.ts";

export const IDLE_DENO = "idle Deno";
export const BARE_LOOP = "bare loop";
export const BARE_WATCH = "bare watch";

/** Memory and start of a Deno process that does nothing. */
export async function measureIdleDeno(run: BenchRun): Promise<void> {
  await eachRound(run, async () => {
    const startedAt = performance.now();
    await using idle = FloorProcess.start("idle");
    await idle.printed();
    run.figures.add(IDLE_DENO, ANYWHERE, "start", "ms", performance.now() - startedAt);
    const memory = await settledMemoryOf(idle.pid);
    run.figures.add(IDLE_DENO, ANYWHERE, "RssAnon", "bytes", memory.anon);
    run.figures.add(IDLE_DENO, ANYWHERE, "RSS", "bytes", memory.rss);
    run.figures.add(IDLE_DENO, ANYWHERE, "peak", "bytes", memory.peak);
  });
}

/** From spawn until the bare loop has written all files. */
export async function measureBareLoop({ api, figures }: BenchRun, set: ObjectSet, folder: string): Promise<void> {
  const env = { ...await api.inCluster(), ...set.environment(folder) };
  const startedAt = performance.now();
  await using _loop = FloorProcess.start("bare_loop", env);
  figures.add(BARE_LOOP, set.title, "spawn to files", "ms", await allInPlace(set, folder) - startedAt);
}
