/**
 * What follows an attempt to call the webhook: from its outcome to the time of the next attempt. This is the table in
 * docs/notifications.md ("Webhook").
 */

/** How an attempt ended. */
export type Outcome =
  /** 2xx. */
  | { type: "delivered" }
  /** No connection, or 408, 429, 502, 503, 504: the application is not ready. `retryAfter` in seconds. */
  | { type: "unavailable"; retryAfter?: number }
  /** The request was sent and not answered: the application may still be processing it. */
  | { type: "unanswered" }
  /** Any other 4xx, or a redirect to another origin. A retry is useless, and harmful with a wrong password. */
  | { type: "refused" }
  /** Any other 5xx. */
  | { type: "failed" };

export type Failed = Exclude<Outcome, { type: "delivered" }>;

export interface NextAttempt {
  /** Seconds from the end of this attempt. */
  after: number;
  /** Changed files, or changed credentials, make the next attempt due at once. */
  orOnChange: boolean;
}

/** Maximum delay, in seconds. A longer `Retry-After` is probably a mistake of a proxy. */
export const MAX_DELAY_SECONDS = 1800;

/** In seconds. */
const DELAYS = {
  unavailable: { first: 1, max: 60 },
  failed: { first: 10, max: 300 },
  unanswered: { first: 300, max: MAX_DELAY_SECONDS },
  /** The second delay; the first is {@link FIRST_REFUSED_DELAY}. */
  refused: { first: 300, max: MAX_DELAY_SECONDS },
};

/**
 * Seconds. Grafana locks an account for five minutes after five wrong passwords, so there are at most two attempts in
 * the first minute.
 */
const FIRST_REFUSED_DELAY = 60;

/** Statuses of a server, or of a proxy in front of it, that is starting, stopping or busy. */
const UNAVAILABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** @param retryAfter the `Retry-After` header of the answer, in seconds */
export function outcomeOf(status: number, retryAfter?: number): Outcome {
  if (status >= 200 && status <= 299) return { type: "delivered" };
  if (UNAVAILABLE_STATUSES.has(status)) {
    return retryAfter === undefined ? { type: "unavailable" } : { type: "unavailable", retryAfter };
  }
  // Other statuses, such as 304, are not valid answers of a webhook
  return { type: status >= 500 ? "failed" : "refused" };
}

/**
 * When to call again; `undefined`: not at all.
 *
 * @param attempts consecutive attempts that ended in the same way, including this one
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
