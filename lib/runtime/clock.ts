/** Time, passed in so that tests need not wait. */
export interface Clock {
  /** Monotonic time in milliseconds; the wall clock does not affect it. */
  now(): number;
  /** Resolves after `seconds`, which may be `Infinity`. Rejects with the signal's reason when it aborts. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

interface Sleeper {
  /** By `performance.now()`. */
  readonly due: number;
  wake(): void;
}

const sleepers = new Set<Sleeper>();

/** The times of scheduled timers, by `performance.now()`. They cannot be cancelled. */
const timers = new Set<number>();

/** A timer counts in 32 bits. */
const MAX_TIMER_MS = 24 * 3600 * 1000;

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(seconds, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        due: performance.now() + seconds * 1000,
        wake() {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
      schedule(sleeper.due);
    });
  },
};

/**
 * Calls {@link wakeSleepers} at `due` or before. Uses `AbortSignal.timeout`, because the first `setTimeout` of a program
 * loads Node's timers, which takes 6 ms and 1.6 MB (Deno 2.9.6).
 */
function schedule(due: number): void {
  const now = performance.now();
  const at = Math.min(due, now + MAX_TIMER_MS);
  if (Math.min(...timers) <= at) return;
  timers.add(at);
  AbortSignal.timeout(Math.max(0, Math.ceil(at - now))).addEventListener("abort", () => {
    timers.delete(at);
    wakeSleepers();
  }, { once: true });
}

function wakeSleepers(): void {
  const now = performance.now();
  let next = Infinity;
  for (const sleeper of sleepers) {
    if (sleeper.due > now) next = Math.min(next, sleeper.due);
    else {
      sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
  if (next < Infinity) schedule(next);
}
