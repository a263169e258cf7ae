/** The text of `/status` and of the page at `/`. It is loaded when it is asked for the first time. */
import type { Status } from "../../serve/status.ts";
import type { Garbage } from "../../runtime/garbage.ts";
import { collectStatus, type StatusParts } from "./collect.ts";

/** Memory for an answer, as a multiple of its text: the status, the text and its bytes. */
const MEMORY = 8;

/** @param garbage told of the text, which is of no use once it was sent */
export function statusText(
  { env, ...parts }: Omit<StatusParts, "hostname" | "wallClock"> & { env: Record<string, string | undefined> },
  garbage: Pick<Garbage, "count">,
  write: (status: Status) => string,
): string {
  const text = write(collectStatus({ ...parts, hostname: env.HOSTNAME ?? "", wallClock: Date.now }));
  garbage.count(MEMORY * text.length);
  return text;
}
