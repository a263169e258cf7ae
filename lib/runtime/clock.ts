/** Time as this project uses it: passed in, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds that only ever go forward; a jump of the wall clock does not show in them. */
  now(): number;
  /** Resolves after `seconds`, which may be `Infinity`; rejects with the signal's reason as soon as it aborts. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

interface Sleeper {
  /** By `performance.now()`. */
  readonly due: number;
  wake(): void;
}

const sleepers = new Set<Sleeper>();

/** When alarms go off, by `performance.now()`. One that nobody needs any more goes off all the same. */
const alarms = new Set<number>();

/** Milliseconds; a timer counts in 32 bits. */
const LONGEST_ALARM = 24 * 3600 * 1000;

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
      setAlarm(sleeper.due);
    });
  },
};

/**
 * Sees to it that {@link wakeSleepers} is called at a time, or before it. With a timer of AbortSignal's: the first
 * `setTimeout` of a program takes 6 ms and 1.6 MB, for it is Node's (Deno 2.9.6).
 */
function setAlarm(due: number): void {
  const now = performance.now();
  const at = Math.min(due, now + LONGEST_ALARM);
  if (Math.min(...alarms) <= at) return;
  alarms.add(at);
  AbortSignal.timeout(Math.max(0, Math.ceil(at - now))).addEventListener("abort", () => {
    alarms.delete(at);
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
  if (next < Infinity) setAlarm(next);
}
