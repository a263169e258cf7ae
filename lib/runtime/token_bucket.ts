/** Allows a burst, then one every `refill` seconds. */
export interface Rate {
  /** Maximum number of tokens. */
  burst: number;
  /** Seconds until another token is added. */
  refill: number;
}

/** A token bucket. Times are of a monotonic clock, in ms. */
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

  /** Takes a token. Returns false if there is none. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** The time at which there is a token: `now`, or later. */
  availableAt(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? now : this.#filledAt + this.#rate.refill * 1000;
  }

  /** Adds whole tokens only, so that one is there at the time that {@link TokenBucket.availableAt} returned. */
  #fill(now: number): void {
    const { burst, refill } = this.#rate;
    const fresh = Math.floor((now - this.#filledAt) / (refill * 1000));
    if (fresh <= 0) return;
    this.#tokens = Math.min(burst, this.#tokens + fresh);
    this.#filledAt = this.#tokens === burst ? now : this.#filledAt + fresh * refill * 1000;
  }
}
