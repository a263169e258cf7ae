/** Default maximum delay, in seconds (ERROR_THROTTLE_SLEEP: "doubles up to 30"). */
export const MAX_DELAY_SECONDS = 30;

/** Delays are shortened by up to this fraction at random, so that many sidecars do not retry at the same time. */
const JITTER = 0.25;

export interface BackoffOptions {
  /** Delay after the first failure, in seconds. */
  first: number;
  /** Maximum delay, in seconds. */
  longest?: number;
  /** Returns a number in [0, 1), like `Math.random`. */
  random: () => number;
}

/** Delays that double with each consecutive failure, up to a maximum, with jitter. */
export class Backoff {
  #failures = 0;
  readonly #first: number;
  readonly #longest: number;
  readonly #random: () => number;

  constructor({ first, longest = MAX_DELAY_SECONDS, random }: BackoffOptions) {
    this.#first = first;
    this.#longest = Math.max(first, longest);
    this.#random = random;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure. Returns the seconds to wait, which are at least `atLeast` (a server's Retry-After). */
  next(atLeast = 0): number {
    const delay = Math.min(this.#longest, this.#first * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.max(atLeast, delay * (1 - JITTER * this.#random()));
  }

  /** After a success: the next failure starts with the first delay again. */
  reset(): void {
    this.#failures = 0;
  }
}
