/** Longest delay of the growing kind, in seconds (contract: ERROR_THROTTLE_SLEEP "doubles to 30"). */
export const LONGEST_DELAY = 30;

/** Share of a delay that chance may take away, so that a fleet that failed together does not come back together. */
const JITTER = 0.25;

export interface BackoffOptions {
  /** Delay after the first failure, in seconds. */
  first: number;
  /** Longest delay, in seconds. */
  longest?: number;
  /** A number in [0, 1), as `Math.random` gives it. */
  random: () => number;
}

/** Delays that double with every failure in a row, up to a limit, with jitter. */
export class Backoff {
  #failures = 0;
  readonly #first: number;
  readonly #longest: number;
  readonly #random: () => number;

  constructor({ first, longest = LONGEST_DELAY, random }: BackoffOptions) {
    this.#first = first;
    this.#longest = Math.max(first, longest);
    this.#random = random;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one more failure. Returns how long to wait now, in seconds; at least `atLeast` (a server's Retry-After). */
  next(atLeast = 0): number {
    const delay = Math.min(this.#longest, this.#first * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.max(atLeast, delay * (1 - JITTER * this.#random()));
  }

  /** Success: the next failure starts from the first delay again. */
  reset(): void {
    this.#failures = 0;
  }
}
