/**
 * What follows a failure of a list or a watch: when to try again, and whether to resume or to list. The rules are those
 * of client-go's `tools/cache/reflector.go`, where it has one.
 */
import { MAX_DELAY_SECONDS } from "../../runtime/backoff.ts";
import { AnswerError, ApiError } from "../client/errors.ts";

/**
 * Minimum lifetime of a watch, in seconds. A shorter one counts as a failure and backs off, unless it brought news.
 */
export const MIN_WATCH_SECONDS = 1;

/**
 * Seconds after the last initial event, spent waiting, in which a streaming list has to end. Servers that ignore
 * `sendInitialEvents` send the objects and then watch for ever.
 */
export const MAX_INITIAL_EVENT_GAP_SECONDS = 30;

/**
 * Refusals in a row before a version counts as expired although no answer said so. client-go lists after the first.
 */
export const MAX_REFUSALS = 3;

/**
 * Watches in a row that end at once, cleanly and without an event, before the version counts as expired: some front ends
 * answer like that instead of 410.
 */
export const MAX_EMPTY_WATCHES = 3;

/** Delay after a 403, in first delays: it lasts until somebody changes RBAC. */
const FORBIDDEN_FACTOR = 8;

/** Limit for Retry-After, in seconds: a longer one is a mistake of something in between. */
const MAX_RETRY_AFTER_SECONDS = 300;

/** Answers that say nothing about the version that was asked for: credentials, RBAC, load. */
const VERSION_NEUTRAL: ReadonlySet<number> = new Set([401, 403, 429, 503]);

/** The server's resourceVersion went backwards (etcd was restored), so the cached state is invalid. */
export class VersionError extends Error {
  override readonly name = "VersionError";
}

/** This server has no streaming lists, or does not end them. */
export class StreamingListError extends Error {
  override readonly name = "StreamingListError";
}

/** A watch ended sooner than {@link MIN_WATCH_SECONDS}. */
export class ShortWatchError extends AnswerError {}

/** Only a list leads on: the server's history does not contain our version. */
export function losesVersion(error: unknown): boolean {
  return error instanceof VersionError || isExpired(error);
}

/** One of the refusals that {@link MAX_REFUSALS} counts. */
export function refusesVersion(error: unknown): boolean {
  return error instanceof ApiError && !VERSION_NEUTRAL.has(error.status);
}

/**
 * Whether the server has to be asked for its current version before a watch resumes. After a restore from a backup a
 * watch at a version of the lost future stays silent for ever. A 5xx may come from a proxy in front of such a server.
 */
export function makesDoubtful(error: unknown): boolean {
  return !(error instanceof ApiError && error.status < 500);
}

/**
 * Whether a list follows without a delay: it is certain to be needed.
 *
 * @param sinceList seconds since the last list. A version that expires as soon as it was listed would be listed in a hot
 *   loop
 */
export function relistsAtOnce(error: unknown, sinceList: number): boolean {
  return isExpired(error) && sinceList >= MIN_WATCH_SECONDS;
}

/** Seconds that the next attempt waits at least, whatever the backoff says. */
export function minDelay(error: unknown, firstBackoff: number): number {
  if (error instanceof ShortWatchError) return MIN_WATCH_SECONDS;
  if (!(error instanceof ApiError)) return 0;
  if (error.retryAfter !== undefined) return Math.min(error.retryAfter, MAX_RETRY_AFTER_SECONDS);
  return error.isForbidden ? Math.min(MAX_DELAY_SECONDS, firstBackoff * FORBIDDEN_FACTOR) : 0;
}

function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.isExpired || error.isAheadOfServer);
}
