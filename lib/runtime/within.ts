import type { Clock } from "./clock.ts";

/**
 * Whether `promise` resolved within `seconds`. Rejects if it rejects, and with the signal's reason. A later rejection of
 * `promise` is ignored.
 */
export async function within(seconds: number, promise: Promise<unknown>, clock: Clock, signal?: AbortSignal) {
  const sleep = new AbortController();
  const onAbort = () => sleep.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([clock.sleep(seconds, sleep.signal).then(() => false), promise.then(() => true)]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    sleep.abort();
  }
}
