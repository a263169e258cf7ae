import type { DownloadScheduler } from "../../downloads/scheduler.ts";
import type { Log } from "../../log/log.ts";
import { aboutFiles, summaryOf } from "../../reconcile/file_event.ts";
import type { Changes } from "../../runtime/changes.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Deadline } from "../../runtime/deadline.ts";

export interface SettleDownloadsOptions {
  downloads: Pick<DownloadScheduler, "awaited" | "unpacking">;
  /** Of the downloads. */
  changes: Changes;
  /** For all downloads together. */
  seconds: number;
  clock: Clock;
  log: Log;
}

/** METHOD=LIST: waits until every URL was asked and every archive unpacked, and names what did not come in time. */
export async function settleDownloads(options: SettleDownloadsOptions, signal: AbortSignal): Promise<void> {
  const { downloads: { awaited, unpacking }, changes, seconds, clock, log } = options;
  using deadline = new Deadline(clock, seconds, signal);
  await changes.until(() => awaited.size === 0, deadline.signal);
  await changes.until(() => unpacking.size === 0, signal);
  if (awaited.size === 0 || signal.aborted) return;
  const missing = [...awaited];
  log.error(`not downloaded within ${seconds} s (URL_TIMEOUT): ${summaryOf(missing)}`, aboutFiles(missing));
}
