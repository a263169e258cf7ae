/** Allows a burst, then one at a time. */
export interface Rate {
  /** How many may come at once. */
  burst: number;
  /** Seconds until there is one more. */
  refill: number;
}

/** The usual token bucket. Times are by a monotonic clock, in ms. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAt: number;

  /** Full at `now`. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Takes a token. Returns false when there is none. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** When there is a token: `now`, or later. */
  availableAt(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? now : this.#filledAt + this.#rate.refill * 1000;
  }

  /** Tokens come whole, so that what {@link TokenBucket.availableAt} promised is there at that time. */
  #fill(now: number): void {
    const { burst, refill } = this.#rate;
    const fresh = Math.floor((now - this.#filledAt) / (refill * 1000));
    if (fresh <= 0) return;
    this.#tokens = Math.min(burst, this.#tokens + fresh);
    this.#filledAt = this.#tokens === burst ? now : this.#filledAt + fresh * refill * 1000;
  }
}
