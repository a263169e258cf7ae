import type { Clock } from "./clock.ts";

/** Seconds beyond a loop's own deadlines after which it is taken for stuck. */
const GRACE_SECONDS = 10;

/** Says whether a loop is alive: each of its steps announces by when the next sign of life comes at the latest. */
export class Heartbeat {
  readonly #loop: string;
  readonly #clock: Clock;
  #due = Infinity;

  /** @param loop names the loop: `watch of secrets` */
  constructor(loop: string, clock: Clock) {
    this.#loop = loop;
    this.#clock = clock;
  }

  /** The next call comes within this time, by the deadlines of the step that begins now. */
  expectWithin(seconds: number): void {
    this.#due = this.#clock.now() + (seconds + GRACE_SECONDS) * 1000;
  }

  /** The loop waits for work: nothing is expected of it. */
  idle(): void {
    this.#due = Infinity;
  }

  /** That the loop is stuck, in one line; `undefined`: it is not. */
  get overdue(): string | undefined {
    const seconds = (this.#clock.now() - this.#due) / 1000;
    return seconds > 0 ? `${this.#loop}: stuck, overdue by ${Math.ceil(seconds)} s` : undefined;
  }
}
