/** A clock for simulations: an hour of many thousand sleepers passes in seconds. */
import { setImmediate } from "node:timers";
import type { Clock } from "../lib/runtime/clock.ts";

interface Sleeper {
  wake: () => void;
  isAwake: boolean;
}

/** Sleepers that are due within so many milliseconds are woken together. */
const STEP_MS = 100;

export class SimulatedTime implements Clock {
  #now = 0;
  /** By step, each with those that are due in it. */
  readonly #due = new Map<number, Sleeper[]>();

  now(): number {
    return this.#now;
  }

  sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = {
        isAwake: false,
        wake() {
          this.isAwake = true;
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        sleeper.isAwake = true;
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const step = Math.max(Math.ceil((this.#now + seconds * 1000) / STEP_MS), Math.floor(this.#now / STEP_MS) + 1);
      if (step === Infinity) return;
      const sleepers = this.#due.get(step) ?? [];
      sleepers.push(sleeper);
      this.#due.set(step, sleepers);
    });
  }

  /** Lets this many seconds pass. */
  async pass(seconds: number): Promise<void> {
    const end = this.#now + seconds * 1000;
    await settle();
    for (let step = Math.floor(this.#now / STEP_MS) + 1; step * STEP_MS <= end; step++) {
      this.#now = step * STEP_MS;
      const sleepers = this.#due.get(step);
      if (sleepers === undefined) continue;
      this.#due.delete(step);
      for (const sleeper of sleepers) if (!sleeper.isAwake) sleeper.wake();
      await settle();
    }
  }
}

/** What was started is under way before the next ones are woken. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
