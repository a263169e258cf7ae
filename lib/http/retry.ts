import type { Clock } from "../runtime/clock.ts";
import { DeadlineError } from "../runtime/deadline.ts";
import { StatusError } from "./redirects.ts";
import { TransportError } from "./transport.ts";

/** Maximum delay before a retry, in seconds (urllib3's DEFAULT_BACKOFF_MAX). */
export const MAX_RETRY_DELAY_SECONDS = 120;

/** Statuses after which another attempt may succeed (kiwigrid's `status_forcelist`). */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUSES.has(status);
}

/** The kinds of failure that are retried: no connection, no complete answer, one of the retried statuses. */
export type Failure = "connect" | "read" | "status";

/**
 * Maximum retries after a first attempt, by kind of failure, as in `urllib3.util.Retry`, which kiwigrid passes REQ_RETRY_*
 * to. Every retry counts towards `total`; a retry after a failed connection also towards `connect`, one after a lost or
 * late answer also towards `read`. The first limit that is reached ends the retries. With a `total` of 5 there are six
 * attempts at most, and a `connect` above `total` has no effect.
 */
export interface RetryLimits {
  total: number;
  connect: number;
  read: number;
  /** Seconds; retry n waits `backoffFactor` × 2^(n-1), at most {@link MAX_RETRY_DELAY_SECONDS}. */
  backoffFactor: number;
}

/** The retries that are left of the {@link RetryLimits} of one call. */
export class RetryBudget {
  #retries = 0;
  #left: { total: number; connect: number; read: number };
  readonly #backoffFactor: number;

  constructor({ total, connect, read, backoffFactor }: RetryLimits) {
    this.#left = { total, connect, read };
    this.#backoffFactor = backoffFactor;
  }

  /** Whether an attempt that fails like this would be retried. */
  allows(failure: Failure): boolean {
    return this.#left.total > 0 && (failure === "status" || this.#left[failure] > 0);
  }

  /** Takes one retry. Returns the seconds to wait before it, or `undefined` when a limit is reached. */
  spend(failure: Failure): number | undefined {
    if (!this.allows(failure)) return undefined;
    this.#left.total--;
    if (failure !== "status") this.#left[failure]--;
    return delayBefore(this.#retries++, this.#backoffFactor);
  }
}

function delayBefore(retries: number, backoffFactor: number): number {
  return Math.min(MAX_RETRY_DELAY_SECONDS, backoffFactor * 2 ** retries);
}

/** The kind of a failure that is retried; `undefined` for any other error. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof TransportError) return error.phase;
  if (error instanceof DeadlineError) return "read";
  if (error instanceof StatusError && isRetriedStatus(error.status)) return "status";
  return undefined;
}

export interface RetryOptions {
  limits: RetryLimits;
  clock: Clock;
  signal: AbortSignal;
  /** Called before each wait. */
  onRetry(error: unknown, delay: number): void;
}

/**
 * Repeats `attempt` while its errors can be retried ({@link failureOf}) and the budget lasts; then throws the last error
 * unchanged. `attempt` gets the budget, so that it knows whether it is the last one.
 */
export async function retry<T>(attempt: (budget: RetryBudget) => Promise<T>, options: RetryOptions): Promise<T> {
  const budget = new RetryBudget(options.limits);
  while (true) {
    try {
      return await attempt(budget);
    } catch (error) {
      options.signal.throwIfAborted();
      const failure = failureOf(error);
      const delay = failure && budget.spend(failure);
      if (delay === undefined) throw error;
      options.onRetry(error, delay);
      await options.clock.sleep(delay, options.signal);
    }
  }
}
