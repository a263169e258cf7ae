import type { Clock } from "./clock.ts";

/** Whether `promise` resolved within `seconds`. Rejects if it rejects, and with the signal's reason. */
export async function within(seconds: number, promise: Promise<unknown>, clock: Clock, signal?: AbortSignal) {
  const sleep = new AbortController();
  const onAbort = () => sleep.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([promise.then(() => true), clock.sleep(seconds, sleep.signal).then(() => false)]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    sleep.abort();
  }
}
