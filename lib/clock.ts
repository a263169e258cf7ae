/** Time as this project uses it: passed in, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds that only ever go forward; a jump of the wall clock does not show in them. */
  now(): number;
  /** Resolves after `seconds`; rejects with the signal's reason as soon as it aborts. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(seconds, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, Math.max(0, seconds * 1000));
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};
