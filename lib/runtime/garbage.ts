/**
 * Collects garbage after a certain volume of text, and returns memory to the system when no more text arrives.
 *
 * V8 only collects when the heap nears a limit that V8 chooses, far above what this program keeps: text that has been
 * processed would stay for hours, and empty pages would never be returned. It needs V8's `gc()`, so the binary and the
 * tasks run with `--expose-gc`.
 */
import type { Clock } from "./clock.ts";

export interface GarbageOptions {
  clock: Clock;
  collector: Collector;
}

export type Collector = (flavor: Flavor) => void;

/** `last-resort` also drops compiled code that is not in use, and returns empty pages to the system. */
type Flavor = "regular" | "last-resort";

/** Bytes of text between two collections, which take about 10 ms each. */
const COLLECT_BYTES = 4 * 2 ** 20;

/** Minimum bytes of text for a sweep. */
const MIN_SWEEP_BYTES = 2 ** 19;

/** A sweep follows when no text was read for this long. */
const QUIET_SECONDS = 0.4;

export class Garbage implements Disposable {
  readonly #clock: Clock;
  readonly #collect: Collector;
  /** Bytes since the last collection, and since the last sweep. */
  #passed = 0;
  #unswept = 0;
  #isWaiting = false;
  readonly #closed = new AbortController();

  constructor({ clock, collector }: GarbageOptions) {
    this.#clock = clock;
    this.#collect = collector;
  }

  /** Text of this many bytes was read, and will soon be garbage. */
  count(bytes: number): void {
    this.#passed += bytes;
    this.#unswept += bytes;
    if (this.#passed >= COLLECT_BYTES) {
      this.#passed = 0;
      this.#collect("regular");
    }
    if (this.#unswept >= MIN_SWEEP_BYTES && !this.#isWaiting) this.#sweepWhenQuiet();
  }

  /** Collects all garbage, and returns its memory to the system. */
  sweep(): void {
    this.#passed = this.#unswept = 0;
    this.#collect("last-resort");
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  async #sweepWhenQuiet(): Promise<void> {
    this.#isWaiting = true;
    let before: number;
    try {
      do {
        before = this.#unswept;
        await this.#clock.sleep(QUIET_SECONDS, this.#closed.signal);
      } while (this.#unswept > before);
      if (this.#unswept > 0) this.sweep();
    } catch {
      // closed
    }
    this.#isWaiting = false;
  }
}

type HostGc = (options: { type: "major"; execution: "sync"; flavor: string }) => void;

/** V8's own collector. Without `--expose-gc` it is loaded at the first collection, which costs 3 MB but saves more. */
export function v8Collector(): Collector {
  const { gc } = globalThis as { gc?: HostGc };
  if (gc !== undefined) return collectorOf(gc);
  let collector: Collector | undefined;
  return (flavor) => {
    if (collector !== undefined) return collector(flavor);
    collector = () => {};
    hiddenCollector().then((hidden) => (collector = hidden)(flavor), () => {});
  };
}

/** A new context gets `gc()` even if the program was started without `--expose-gc`. */
async function hiddenCollector(): Promise<Collector> {
  const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
  v8.setFlagsFromString("--expose-gc");
  return collectorOf(vm.runInNewContext("gc"));
}

function collectorOf(gc: HostGc): Collector {
  return (flavor) => gc({ type: "major", execution: "sync", flavor });
}
