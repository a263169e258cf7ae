/** CHECK_PERIOD: restores files that somebody else changed or removed. */
import type { Clock } from "../../runtime/clock.ts";

export interface PeriodicDiskCheckOptions {
  diskCheck: { changedFiles(signal: AbortSignal): AsyncIterable<string> };
  /** Seconds between two checks; 0: never check. */
  period: number;
  heal(path: string): void;
  heartbeat: { expectWithin(seconds: number): void };
  clock: Clock;
}

/** Maximum seconds for one check, enough for a million files on a slow volume. */
const MAX_CHECK_SECONDS = 600;

/** Checks until the signal aborts. */
export async function checkDiskPeriodically(options: PeriodicDiskCheckOptions, signal: AbortSignal): Promise<void> {
  const { diskCheck, period, heal, heartbeat, clock } = options;
  if (period === 0) return;
  try {
    while (true) {
      heartbeat.expectWithin(period + MAX_CHECK_SECONDS);
      await clock.sleep(period, signal);
      for await (const path of diskCheck.changedFiles(signal)) heal(path);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
