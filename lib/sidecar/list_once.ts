/** METHOD=LIST: every collection once, and how it ended. */
import type { Log } from "../log/log.ts";
import type { ListOutcome } from "./sync_progress.ts";

/** How a run ended: as wanted, or METHOD=LIST without all objects or without all files. */
export type Outcome = "done" | "apiFailed" | "filesFailed";

/** What a list needs of a collection. */
export interface Listing {
  readonly files: number;
  list(signal: AbortSignal): Promise<ListOutcome>;
}

/** An object's own fault was logged with the object, and makes nothing incomplete. */
export async function listOnce(collections: readonly Listing[], log: Log, signal: AbortSignal): Promise<Outcome> {
  const outcomes = await Promise.all(collections.map((collection) => collection.list(signal)));
  if (signal.aborted) return "done";
  const apiFailures = outcomes.flatMap((outcome) => outcome.apiFailures);
  const fileFailures = outcomes.flatMap((outcome) => outcome.fileFailures);
  const refused = outcomes.reduce((sum, outcome) => sum + outcome.refused, 0);
  const files = collections.reduce((sum, collection) => sum + collection.files, 0);
  for (const failure of [...apiFailures, ...fileFailures]) log.error(`incomplete: ${failure}`);
  const faults = refused === 0
    ? ""
    : `, ${refused} ${refused === 1 ? "object" : "objects"} refused in whole or in part`;
  const properties = { files, refused };
  if (apiFailures.length > 0) {
    log.error(`List incomplete: not all objects could be listed or read${faults}.`, properties);
    return "apiFailed";
  }
  if (fileFailures.length > 0) {
    log.error(`List incomplete: not all files could be written${faults}.`, properties);
    return "filesFailed";
  }
  if (refused === 0) log.info("List complete, all files are in place.", { files });
  else log.warn(`List complete, all files but those of refused objects are in place${faults}.`, properties);
  return "done";
}
