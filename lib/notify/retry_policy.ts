/**
 * What follows the attempt to call a webhook. The table of README.md ("Telling the application") is this file: an outcome,
 * and the time of the next attempt.
 */

/** How an attempt ended. */
export type Outcome =
  /** 2xx. */
  | { type: "delivered" }
  /** No connection, or 408, 429, 502, 503, 504: the application is not there yet. `retryAfter` in seconds. */
  | { type: "unavailable"; retryAfter?: number }
  /** It was sent and no answer came: the application may well be at work on it. */
  | { type: "unanswered" }
  /** Any other 4xx, or a redirect to another origin. To ask again is useless, and harmful with a wrong password. */
  | { type: "refused" }
  /** Any other 5xx. */
  | { type: "failed" };

export type Failed = Exclude<Outcome, { type: "delivered" }>;

export interface NextAttempt {
  /** Seconds from the end of this attempt. */
  after: number;
  /** Changed files, or changed credentials, bring the next attempt at once. */
  orOnChange: boolean;
}

/** No delay is longer, in seconds. A longer `Retry-After` is a mistake of something in between. */
export const MAX_DELAY_SECONDS = 1800;

/** In seconds. */
const DELAYS = {
  unavailable: { first: 1, max: 60 },
  failed: { first: 10, max: 300 },
  unanswered: { first: 300, max: MAX_DELAY_SECONDS },
  /** The second delay; the first is {@link FIRST_REFUSED_DELAY}. */
  refused: { first: 300, max: MAX_DELAY_SECONDS },
};

/** Seconds. Grafana locks an account for five minutes after five wrong passwords: two attempts in the first minute at most. */
const FIRST_REFUSED_DELAY = 60;

/** Statuses of a server, or of a proxy before it, that is starting, stopping or busy. */
const UNAVAILABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** @param retryAfter seconds, as the answer's header says */
export function outcomeOf(status: number, retryAfter?: number): Outcome {
  if (status >= 200 && status <= 299) return { type: "delivered" };
  if (UNAVAILABLE_STATUSES.has(status)) {
    return retryAfter === undefined ? { type: "unavailable" } : { type: "unavailable", retryAfter };
  }
  // What is no error and no success, such as a 304, is nothing that a webhook should answer
  return { type: status >= 500 ? "failed" : "refused" };
}

/**
 * When to call again; `undefined`: there is no need.
 *
 * @param attempts attempts in a row that ended like this, this one included
 */
export function nextAttempt(outcome: Failed, attempts: number): NextAttempt;
export function nextAttempt(outcome: Outcome, attempts: number): NextAttempt | undefined;
export function nextAttempt(outcome: Outcome, attempts: number): NextAttempt | undefined {
  switch (outcome.type) {
    case "delivered":
      return undefined;
    case "unavailable": {
      const asked = Math.min(MAX_DELAY_SECONDS, outcome.retryAfter ?? 0);
      return { after: Math.max(asked, doubled(DELAYS.unavailable, attempts)), orOnChange: false };
    }
    case "failed":
      return { after: doubled(DELAYS.failed, attempts), orOnChange: false };
    case "unanswered":
      return { after: doubled(DELAYS.unanswered, attempts), orOnChange: true };
    case "refused": {
      const after = attempts === 1 ? FIRST_REFUSED_DELAY : doubled(DELAYS.refused, attempts - 1);
      return { after, orOnChange: true };
    }
  }
}

function doubled({ first, max }: { first: number; max: number }, attempts: number): number {
  return Math.min(max, first * 2 ** Math.min(attempts - 1, 30));
}
