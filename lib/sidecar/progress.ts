/** Until the watchers have heartbeats: whether they make progress. */
import type { Clock } from "../runtime/clock.ts";

/**
 * What one watcher did last. A watcher that made no progress for longer than its own timeouts allow is stuck, whatever
 * the reason.
 */
export class Progress {
  readonly #clock: Clock;
  readonly #allowed: number;
  #at: number;

  /**
   * @param what names the watcher in a reason
   * @param allowed seconds
   */
  constructor(readonly what: string, allowed: number, clock: Clock) {
    this.#clock = clock;
    this.#allowed = allowed;
    this.#at = clock.now();
  }

  /** @param pause seconds that the watcher now waits on purpose */
  made(pause = 0): void {
    this.#at = this.#clock.now() + pause * 1000;
  }

  /** Seconds since the last sign of progress. */
  get silence(): number {
    return (this.#clock.now() - this.#at) / 1000;
  }

  /** Why the watcher counts as stuck; `undefined`: it does not. */
  get stuck(): string | undefined {
    const { silence } = this;
    if (silence <= this.#allowed) return undefined;
    return `no sign of the API server for ${
      Math.round(silence)
    } s (allowed: ${this.#allowed} s) while watching ${this.what}`;
  }
}
