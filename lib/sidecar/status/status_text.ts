/** The text of `/status` and of the page at `/`. It is loaded when it is asked for the first time. */
import type { Status } from "../../serve/status.ts";
import type { Garbage } from "../../runtime/garbage.ts";
import { collectStatus, type StatusParts } from "./collect.ts";

/** Memory for an answer, as a multiple of its text: the status, the text and its bytes. */
const MEMORY = 8;

/** Characters of a file as JSON. */
const FILE_LENGTH = 250;

/** @param garbage told of the text, which is of no use once it was sent */
export function statusText(
  { env, ...parts }: Omit<StatusParts, "hostname" | "wallClock"> & { env: Record<string, string | undefined> },
  garbage: Pick<Garbage, "count">,
  write: (status: Status) => string,
): string {
  const status = collectStatus({ ...parts, hostname: env.HOSTNAME ?? "", wallClock: Date.now });
  const text = write(status);
  // A page shows some of the files, but the status has them all
  garbage.count(MEMORY * Math.max(text.length, FILE_LENGTH * status.files.length));
  return text;
}
