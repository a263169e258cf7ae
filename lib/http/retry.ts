import type { Clock } from "../runtime/clock.ts";
import { DeadlineError } from "../runtime/deadline.ts";
import { StatusError } from "./redirects.ts";
import { TransportError } from "./transport.ts";

/** Longest wait before a retry, in seconds (urllib3's DEFAULT_BACKOFF_MAX). */
export const LONGEST_RETRY_DELAY = 120;

/** Answers that a later attempt may better (kiwigrid's `status_forcelist`). */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUSES.has(status);
}

/** What a failed attempt is charged to; "status" is charged to the total alone. */
export type Failure = "connect" | "read" | "status";

/**
 * How many retries follow a first attempt, by kind of failure. The meaning is that of `urllib3.util.Retry`, which
 * kiwigrid's REQ_RETRY_* variables are handed to: every retry is charged to `total`, one after a failed connection to
 * `connect` too, one after a lost or late answer to `read` too, and the first budget that is used up ends it. `total`
 * 5 makes six attempts at most, and a `connect` above `total` changes nothing.
 */
export interface RetryLimits {
  total: number;
  connect: number;
  read: number;
  /** Seconds; retry n waits `backoffFactor` × 2^(n-1), at most {@link LONGEST_RETRY_DELAY}. */
  backoffFactor: number;
}

/** What is left of the {@link RetryLimits} of one call. */
export class RetryBudget {
  #retries = 0;
  #left: { total: number; connect: number; read: number };
  readonly #backoffFactor: number;

  constructor({ total, connect, read, backoffFactor }: RetryLimits) {
    this.#left = { total, connect, read };
    this.#backoffFactor = backoffFactor;
  }

  /** Whether an attempt that fails like this would be repeated. */
  allows(failure: Failure): boolean {
    return this.#left.total > 0 && (failure === "status" || this.#left[failure] > 0);
  }

  /** Pays for one retry. Returns the seconds to wait before it, or `undefined` when a budget is used up. */
  spend(failure: Failure): number | undefined {
    if (!this.allows(failure)) return undefined;
    this.#left.total--;
    if (failure !== "status") this.#left[failure]--;
    return Math.min(LONGEST_RETRY_DELAY, this.#backoffFactor * 2 ** this.#retries++);
  }
}

/** The kind of a failure that is worth a retry; `undefined` for any other error. */
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
  /** Told before each wait. */
  onRetry?(error: unknown, delay: number): void;
}

/**
 * Repeats `attempt` while its errors are worth it ({@link failureOf}) and the budget lasts; then the last error is
 * thrown as it is. `attempt` is given the budget, to see whether it is the last one.
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
      options.onRetry?.(error, delay);
      await options.clock.sleep(delay, options.signal);
    }
  }
}
