/** CHECK_PERIOD: restores files that somebody else changed or removed. */
import type { Log } from "../../log/log.ts";
import { aboutFiles, summaryOf } from "../../reconcile/file_event.ts";
import type { Clock } from "../../runtime/clock.ts";

export interface PeriodicDiskCheckOptions {
  diskCheck: { changedFiles(signal: AbortSignal): AsyncIterable<string> };
  /** Seconds between two checks; 0: never check. */
  period: number;
  /** Returns whether an object claims the file, which is then restored. */
  heal(path: string): boolean;
  heartbeat: { expectWithin(seconds: number): void };
  clock: Clock;
  log: Pick<Log, "info">;
}

/** Maximum seconds for one check, enough for a million files on a slow volume. */
const MAX_CHECK_SECONDS = 600;

/** Checks until the signal aborts. */
export async function checkDiskPeriodically(options: PeriodicDiskCheckOptions, signal: AbortSignal): Promise<void> {
  const { diskCheck, period, heal, heartbeat, clock, log } = options;
  if (period === 0) return;
  try {
    while (true) {
      heartbeat.expectWithin(period + MAX_CHECK_SECONDS);
      await clock.sleep(period, signal);
      const restored: string[] = [];
      for await (const path of diskCheck.changedFiles(signal)) if (heal(path)) restored.push(path);
      if (restored.length === 0) continue;
      log.info(`somebody else changed or removed ${summaryOf(restored)}, which will be restored`, aboutFiles(restored));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
