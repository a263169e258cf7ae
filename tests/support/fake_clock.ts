import type { Clock } from "../../lib/runtime/clock.ts";

interface Sleeper {
  due: number;
  wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = {
        due: this.#now + seconds * 1000,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Seconds until the next sleeper is due; `undefined` when nobody sleeps. */
  get nextDue(): number | undefined {
    const dues = [...this.#sleepers].map((sleeper) => sleeper.due);
    return dues.length === 0 ? undefined : (Math.min(...dues) - this.#now) / 1000;
  }

  /** Moves time on, waking sleepers in their order; lets what they started settle in between. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds * 1000;
    await settle();
    while (true) {
      const due = [...this.#sleepers].filter((sleeper) => sleeper.due <= end).sort((a, b) => a.due - b.due)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.due);
      this.#sleepers.delete(due);
      due.wake();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets every promise that can settle without outside help do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
