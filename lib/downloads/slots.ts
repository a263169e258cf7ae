import type { Clock } from "../runtime/clock.ts";

/** Downloads under way at one time, apart from slow ones. */
const MAX_OPEN = 4;

/** Limits how many downloads are under way. One that becomes slow goes on, and leaves its slot to the next in line. */
export class Slots {
  readonly #clock: Clock;
  readonly #slowAfter: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  /** @param slowAfter seconds */
  constructor(clock: Clock, slowAfter: number) {
    this.#clock = clock;
    this.#slowAfter = slowAfter;
  }

  /** Waits for a slot and runs in it. `onSlow` is called when the time of a slot is used up. */
  async run(download: () => Promise<void>, onSlow: () => void): Promise<void> {
    while (this.#taken >= MAX_OPEN) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken++;
    let isTaken = true;
    const leave = () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken--;
      this.#waiting.shift()?.();
    };
    const ended = new AbortController();
    this.#clock.sleep(this.#slowAfter, ended.signal).then(() => {
      leave();
      onSlow();
    }, () => {});
    try {
      await download();
    } finally {
      ended.abort();
      leave();
    }
  }
}
