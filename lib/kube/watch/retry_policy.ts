/**
 * What follows a failure of a list or a watch (410 Gone, 403, a cut connection …): when to try again, and whether to
 * resume or to list. The rules are those of client-go's `tools/cache/reflector.go`, where it has one.
 */
import { Backoff, MAX_DELAY_SECONDS } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { ApiError } from "../client/errors.ts";
import type { Known } from "./state.ts";
import { ShortWatchError, VersionError } from "./watch_errors.ts";

/**
 * Minimum lifetime of a watch, in seconds. A shorter one counts as a failure and backs off, unless it brought news.
 */
export const MIN_WATCH_SECONDS = 1;

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

/** The server's history no longer contains our version: only a new list helps. */
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

export interface RetryPolicyOptions {
  /** Seconds. */
  firstBackoff: number;
  clock: Clock;
  random: () => number;
}

/** What a failure leads to. */
export interface Verdict {
  /** Failures in a row. */
  failures: number;
  /** Seconds until the next attempt. */
  retryIn: number;
  /** Whether that is a list; else a watch resumes. */
  relists: boolean;
}

/** Applies the rules above, and remembers the failures so far. */
export class RetryPolicy {
  readonly #options: RetryPolicyOptions;
  readonly #backoff: Backoff;
  /** A failure has been reported and its recovery has not. */
  #isFailing = false;

  constructor(options: RetryPolicyOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ first: options.firstBackoff, random: options.random });
  }

  /** Whether a failure was reported whose recovery has not been reported until now. */
  takeFailing(): boolean {
    const isFailing = this.#isFailing;
    this.#isFailing = false;
    return isFailing;
  }

  /** A list, or a watch that lived for {@link MIN_WATCH_SECONDS}, has succeeded: the next failure is a first one. */
  succeeded(): void {
    this.#backoff.reset();
  }

  /** @param known what the state that failed had to resume from */
  failed(known: Known | undefined, error: unknown): Verdict {
    const { clock, firstBackoff } = this.#options;
    const sinceList = known === undefined ? 0 : (clock.now() - known.listedAt) / 1000;
    // A list counts as a success unless the first watch after it fails at once: that would be a hot loop of lists
    if (known?.isFresh && sinceList >= MIN_WATCH_SECONDS) this.#backoff.reset();
    const relists = known === undefined || isLost(known, error);
    const delay = this.#backoff.next(minDelay(error, firstBackoff));
    const retryIn = relistsAtOnce(error, sinceList) ? 0 : delay;
    this.#isFailing ||= retryIn > 0;
    return { failures: this.#backoff.failures, retryIn, relists };
  }
}

/** Takes note of a failure. Returns whether the version is given up. */
function isLost(known: Known, error: unknown): boolean {
  known.isFresh = false;
  known.isSpread = true;
  known.isDoubtful ||= makesDoubtful(error);
  if (refusesVersion(error)) known.refusals++;
  return losesVersion(error) || known.refusals >= MAX_REFUSALS || known.emptyWatches >= MAX_EMPTY_WATCHES;
}
