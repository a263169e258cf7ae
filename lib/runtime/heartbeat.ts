import type { Clock } from "./clock.ts";

/**
 * Distinguishes a loop that hangs from one that waits on purpose. Before each step, the loop announces how long the step may
 * take, including its own deadlines. If a step takes longer, the loop is stuck and only a restart helps.
 */
export class Heartbeat {
  readonly #what: string;
  readonly #clock: Clock;
  /** By the clock, in ms. */
  #beganAt = 0;
  #dueAt = Infinity;

  /** @param what names the loop in a sentence: `the watch of configmaps` */
  constructor(what: string, clock: Clock) {
    this.#what = what;
    this.#clock = clock;
  }

  /** The loop calls again within `seconds`. */
  expectWithin(seconds: number): void {
    this.#beganAt = this.#clock.now();
    this.#dueAt = this.#beganAt + seconds * 1000;
  }

  /** The loop waits for work without a limit, or has ended. */
  idle(): void {
    this.#dueAt = Infinity;
  }

  /** Which loop is stuck, and for how long; `undefined` when it is not. */
  get overdue(): string | undefined {
    const now = this.#clock.now();
    if (now <= this.#dueAt) return undefined;
    const taken = Math.round((now - this.#beganAt) / 1000);
    const allowed = Math.round((this.#dueAt - this.#beganAt) / 1000);
    return `${this.#what} is stuck: its last step has taken ${taken} s, and ${allowed} s are allowed`;
  }
}
