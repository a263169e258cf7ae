/**
 * Collects garbage by volume, and gives memory back when calm returns. V8 collects when the heap nears a limit that it
 * sets by itself, and that is far above what this program keeps: text that passed through would lie there for hours, and
 * pages that are empty would stay ours. It needs V8's `gc()`, which `--expose-gc` gives; the binary and the tasks set it.
 */
import type { Clock } from "./clock.ts";

export interface GarbageOptions {
  clock: Clock;
  /** Default: V8's own, if there is a way to it. */
  collector?: Collector;
}

export type Collector = (flavor: Flavor) => void;

/** `last-resort` also forgets compiled code that is not in use, and returns empty pages to the system. */
type Flavor = "regular" | "last-resort";

/** Bytes of answers read between two collections: each takes some 10 ms. */
const VOLUME = 4 * 2 ** 20;

/** The least that is worth a sweep, in bytes of answers. */
const LEAST = 2 ** 19;

/** Seconds in which nothing was read, after which it is calm. */
const CALM = 0.4;

export class Garbage implements Disposable {
  readonly #clock: Clock;
  #collector: Collector | undefined;
  /** Bytes since the last collection, and since the last sweep. */
  #passed = 0;
  #unswept = 0;
  #isWaiting = false;
  readonly #closed = new AbortController();

  constructor({ clock, collector = exposedCollector() }: GarbageOptions) {
    this.#clock = clock;
    this.#collector = collector;
  }

  /** Text of so many bytes was read, and will be done with soon. */
  count(bytes: number): void {
    this.#passed += bytes;
    this.#unswept += bytes;
    if (this.#passed >= VOLUME) this.#collect("regular");
    if (this.#unswept >= LEAST && !this.#isWaiting) this.#waitForCalm();
  }

  /** What was needed until now is not needed any more: collects it, and returns its memory to the system. */
  sweep(): void {
    this.#unswept = 0;
    this.#collect("last-resort");
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  #collect(flavor: Flavor): void {
    this.#passed = 0;
    if (this.#collector !== undefined) return this.#collector(flavor);
    this.#collector = () => {};
    hiddenCollector().then((collector) => {
      this.#collector = collector;
      collector(flavor);
    }, () => {});
  }

  async #waitForCalm(): Promise<void> {
    this.#isWaiting = true;
    let before: number;
    try {
      do {
        before = this.#unswept;
        await this.#clock.sleep(CALM, this.#closed.signal);
      } while (this.#unswept > before);
      if (this.#unswept > 0) this.sweep();
    } catch {
      // closed
    }
    this.#isWaiting = false;
  }
}

type HostGc = (options: { type: "major"; execution: "sync"; flavor: string }) => void;

function exposedCollector(): Collector | undefined {
  const { gc } = globalThis as { gc?: HostGc };
  return gc && collectorOf(gc);
}

/** Where `--expose-gc` was not given, a new context has `gc()` all the same. It costs 3 MB, and saves more. */
async function hiddenCollector(): Promise<Collector> {
  const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
  v8.setFlagsFromString("--expose-gc");
  return collectorOf(vm.runInNewContext("gc"));
}

function collectorOf(gc: HostGc): Collector {
  return (flavor) => gc({ type: "major", execution: "sync", flavor });
}
