/** METHOD=LIST: lists every collection once and reports the result. */
import type { Log } from "../../log/log.ts";
import { given } from "../../runtime/given.ts";
import type { ListOutcome } from "./list_outcome.ts";

/** How a run ended. `apiFailed`, `filesFailed`: METHOD=LIST could not read all objects, or not write all files. */
export type Outcome = "done" | "apiFailed" | "filesFailed";

/** The part of the collections that is used here. */
export interface Listing {
  list(signal: AbortSignal): Promise<ListOutcome[]>;
}

/** Refused objects are counted in the last line, but do not make the list incomplete. */
export async function listOnce(collections: Listing, log: Log, signal: AbortSignal): Promise<Outcome> {
  const outcomes = await collections.list(signal);
  if (signal.aborted) return "done";
  for (const kind of ["apiFailures", "fileFailures"] as const) {
    for (const { collection, [kind]: failures } of outcomes) {
      for (const failure of failures) log.error(`incomplete: ${failure}`, given("collection", collection));
    }
  }
  const apiFailures = outcomes.flatMap((outcome) => outcome.apiFailures);
  const fileFailures = outcomes.flatMap((outcome) => outcome.fileFailures);
  const files = outcomes.reduce((sum, outcome) => sum + outcome.files, 0);
  const refused = outcomes.reduce((sum, outcome) => sum + outcome.refused, 0);
  const inPlace = `${files} ${files === 1 ? "file is" : "files are"} in place`;
  const faults = refused === 0
    ? ""
    : `; ${refused} ${refused === 1 ? "object was" : "objects were"} refused in whole or in part, see the errors above`;
  const properties = { files, refused };
  if (apiFailures.length > 0) {
    log.error(`List incomplete, not all objects could be read: ${inPlace}${faults}`, properties);
    return "apiFailed";
  }
  if (fileFailures.length > 0) {
    log.error(`List incomplete, not all files could be written: ${inPlace}${faults}`, properties);
    return "filesFailed";
  }
  if (refused === 0) log.info("List complete, all files are in place.", { files });
  else log.warn(`List complete: ${inPlace}${faults}`, properties);
  return "done";
}
