/** From the API server's answer to an update until the bytes are on disk, one update after the other. */
import { type BenchRun, eachRound, LARGE, STANDARD } from "./bench_run.ts";
import { quantile } from "./figures.ts";
import { BARE_WATCH } from "./floors.ts";
import type { ObjectSet, SetSize } from "./object_set.ts";
import { allInPlace, inPlaceAt } from "./observer.ts";
import { memoryOf } from "./process_figures.ts";
import { FloorProcess } from "./process.ts";
import { SIDECAR } from "./start_up.ts";

/** So many updates in all, and so many until it is the other one's turn. */
const UPDATES: readonly [size: SetSize, full: number, quick: number, turn: number][] = [
  [STANDARD, 1_000, 300, 50],
  [LARGE, 100, 15, 5],
];

/** Whose files are looked at. */
interface Subject {
  who: string;
  process: { kill(signal: Deno.Signal): void };
  folder: string;
  fromAnswer: number[];
  fromRequest: number[];
}

export async function measureLatency(run: BenchRun): Promise<void> {
  for (const [size, full, quick, turn] of UPDATES) {
    const set = await run.set(size);
    await eachRound(run, async () => {
      const { process, folder } = await run.sync(set);
      await using sidecar = process;
      const floorFolder = await run.folder();
      const env = { ...await run.api.inCluster(), ...set.environment(floorFolder) };
      await using watch = FloorProcess.start("bare_watch", env);
      const subjects: Subject[] = [
        { who: SIDECAR, process: sidecar, folder, fromAnswer: [], fromRequest: [] },
        { who: BARE_WATCH, process: watch, folder: floorFolder, fromAnswer: [], fromRequest: [] },
      ];
      await takeTurns(set, subjects, run.options.quick ? quick : full, turn);
      for (const subject of subjects) report(run, set, subject);
      run.figures.add(SIDECAR, set.title, "peak with single updates", "bytes", memoryOf(sidecar.pid).peak);
    });
  }
}

/**
 * Measures each in turn, so that what else the machine does is there for all of them; the others stand still meanwhile,
 * and catch up before it is their turn.
 */
async function takeTurns(set: ObjectSet, subjects: readonly Subject[], updates: number, turn: number): Promise<void> {
  for (const { process, folder } of subjects) {
    await allInPlace(set, folder);
    process.kill("SIGSTOP");
  }
  for (let done = 0; done < updates; done += turn) {
    for (const subject of subjects) {
      subject.process.kill("SIGCONT");
      await allInPlace(set, subject.folder);
      for (let update = done; update < Math.min(done + turn, updates); update++) {
        const index = update % set.size.count;
        const { sentAt, answeredAt } = await set.update(index);
        const at = inPlaceAt(set, subject.folder, index);
        subject.fromAnswer.push(at - answeredAt);
        subject.fromRequest.push(at - sentAt);
      }
      subject.process.kill("SIGSTOP");
    }
  }
  for (const { process } of subjects) process.kill("SIGCONT");
}

function report({ figures }: BenchRun, set: ObjectSet, { who, fromAnswer, fromRequest }: Subject): void {
  figures.add(who, set.title, "update to file, p50", "ms", quantile(fromAnswer, 0.5));
  figures.add(who, set.title, "update to file, p99", "ms", quantile(fromAnswer, 0.99));
  figures.add(who, set.title, "update to file, max", "ms", Math.max(...fromAnswer));
  figures.add(who, set.title, "sent update to file, p50", "ms", quantile(fromRequest, 0.5));
}
