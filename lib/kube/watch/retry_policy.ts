/**
 * What follows a failure of a list or a watch (410 Gone, 403, a cut connection …): when to try again, and whether to
 * resume or to list. The rules follow client-go's `tools/cache/reflector.go` where it has them.
 */
import { Backoff, MAX_DELAY_SECONDS } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { ApiError } from "../client/errors.ts";
import type { ResumePoint } from "./state.ts";
import { ShortWatchError, VersionError } from "./watch_errors.ts";

/**
 * Minimum lifetime of a watch, in seconds. A shorter one counts as a failure and backs off, unless it delivered a newer
 * version.
 */
export const MIN_WATCH_SECONDS = 1;

/**
 * Consecutive refusals after which a version counts as expired, although no answer said so. client-go lists after the
 * first.
 */
export const MAX_REFUSALS = 3;

/**
 * Consecutive watches that end at once, cleanly and without an event, after which the version counts as expired: some
 * proxies end a watch like that instead of answering 410.
 */
export const MAX_EMPTY_WATCHES = 3;

/** Delay after a 403, as a multiple of the first delay: a retry fails until somebody changes RBAC. */
const FORBIDDEN_FACTOR = 8;

/** Maximum for Retry-After, in seconds: a longer one is probably a mistake of a proxy. */
const MAX_RETRY_AFTER_SECONDS = 300;

/** Statuses that say nothing about the requested version: they are about credentials, RBAC or load. */
const VERSION_NEUTRAL: ReadonlySet<number> = new Set([401, 403, 429, 503]);

/** The server's history no longer contains our version, so only a new list helps. */
export function losesVersion(error: unknown): boolean {
  return error instanceof VersionError || isExpired(error);
}

/** One of the refusals that {@link MAX_REFUSALS} counts. */
export function refusesVersion(error: unknown): boolean {
  return error instanceof ApiError && !VERSION_NEUTRAL.has(error.status);
}

/**
 * Whether to ask the server for its current version before a watch resumes. If etcd was restored from a backup, a watch
 * at a version that the backup does not contain stays silent for ever. A 5xx may come from a proxy in front of such a
 * server.
 */
export function requiresVersionCheck(error: unknown): boolean {
  return !(error instanceof ApiError && error.status < 500);
}

/**
 * Whether to list without a delay, because only a list can help.
 *
 * @param sinceList seconds since the last list. A version that expires right after its list must not cause a hot loop of
 *   lists
 */
export function relistsAtOnce(error: unknown, sinceList: number): boolean {
  return isExpired(error) && sinceList >= MIN_WATCH_SECONDS;
}

/** Minimum delay before the next attempt, in seconds, even if the backoff is shorter. */
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
  /** Consecutive failures. */
  failures: number;
  /** Seconds until the next attempt. */
  retryIn: number;
  /** The next attempt is a list; otherwise a watch resumes. */
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

  /** Whether a recovery must be reported now. The next call returns `false`. */
  takeFailing(): boolean {
    const isFailing = this.#isFailing;
    this.#isFailing = false;
    return isFailing;
  }

  /**
   * A list, or a watch that lived for {@link MIN_WATCH_SECONDS}, has succeeded: the next failure starts the backoff
   * again.
   */
  succeeded(): void {
    this.#backoff.reset();
  }

  /** @param resumePoint of the state that failed; `undefined` while it was listing */
  failed(resumePoint: ResumePoint | undefined, error: unknown): Verdict {
    const { clock, firstBackoff } = this.#options;
    const sinceList = resumePoint === undefined ? 0 : (clock.now() - resumePoint.listedAt) / 1000;
    // A list counts as a success unless the first watch after it fails at once: that would be a hot loop of lists
    if (resumePoint?.noWatchYet && sinceList >= MIN_WATCH_SECONDS) this.#backoff.reset();
    const relists = resumePoint === undefined || isLost(resumePoint, error);
    const delay = this.#backoff.next(minDelay(error, firstBackoff));
    const retryIn = relistsAtOnce(error, sinceList) ? 0 : delay;
    this.#isFailing ||= retryIn > 0;
    return { failures: this.#backoff.failures, retryIn, relists };
  }
}

/** Records a failure. Returns whether the version can no longer be used. */
function isLost(resumePoint: ResumePoint, error: unknown): boolean {
  resumePoint.noWatchYet = false;
  resumePoint.randomizeLifetime = true;
  resumePoint.mustVerifyVersion ||= requiresVersionCheck(error);
  if (refusesVersion(error)) resumePoint.refusals++;
  return losesVersion(error) || resumePoint.refusals >= MAX_REFUSALS || resumePoint.emptyWatches >= MAX_EMPTY_WATCHES;
}
