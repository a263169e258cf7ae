/** Why a watcher makes a watch or a list again, for metrics. */
import { TransportError } from "../../http/transport.ts";
import { AnswerError, ApiError, CredentialsError } from "../client/errors.ts";
import { losesVersion } from "./retry_policy.ts";
import type { State } from "./state.ts";
import { ShortWatchError, StreamingListError } from "./watch_errors.ts";

/** What went wrong. */
export const FAILURES = [
  /** 410 Gone, or the resourceVersion went backwards. */
  "expired",
  /** No connection, or it broke. */
  "disconnected",
  /** The watch ended as soon as it had begun. */
  "short",
  "unauthorized",
  "forbidden",
  /** 429. */
  "throttled",
  "client_error",
  "server_error",
  /** The answer is not the API server's. */
  "bad_answer",
  "credentials",
  "other",
] as const;

/** `ended`: the server ended the watch in time, or its time was over. */
export const WATCH_RESTARTS = ["ended", ...FAILURES] as const;

/** `resync`: RESYNC_PERIOD. `streaming_list`: the API server has no streaming lists. */
export const RELISTS = ["resync", "streaming_list", ...FAILURES] as const;

export type Restart =
  | { request: "watch"; reason: typeof WATCH_RESTARTS[number] }
  | { request: "list"; reason: typeof RELISTS[number] };

/** Whether nothing went wrong: it was made again in its turn, or in the way that the API server knows. */
export function isExpected({ reason }: Restart): boolean {
  return reason === "ended" || reason === "resync" || reason === "streaming_list";
}

/**
 * The restart that a step of the watcher leads to. The lists of METHOD=SLEEP are none, because they are made on purpose.
 *
 * @param error the failure of the step; `undefined` if it succeeded
 */
export function restartOf(from: State, to: State, error: unknown): Restart | undefined {
  if (error === undefined) {
    if (from.type === "watching" && to.type === "resuming") return { request: "watch", reason: "ended" };
    if (from.type === "resuming" && to.type === "empty") return { request: "list", reason: "resync" };
    return undefined;
  }
  if (error instanceof StreamingListError) return { request: "list", reason: "streaming_list" };
  const next = to.type === "waiting" ? to.then : to;
  return { request: next.type === "empty" ? "list" : "watch", reason: failureOf(error) };
}

/** What went wrong, in a word. */
export function failureOf(error: unknown): typeof FAILURES[number] {
  if (losesVersion(error)) return "expired";
  if (error instanceof TransportError) return "disconnected";
  if (error instanceof ShortWatchError) return "short";
  if (error instanceof AnswerError) return "bad_answer";
  if (error instanceof CredentialsError) return "credentials";
  if (!(error instanceof ApiError)) return "other";
  const { status } = error;
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "throttled";
  return status >= 500 ? "server_error" : "client_error";
}
