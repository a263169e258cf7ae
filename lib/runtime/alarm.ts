import type { Clock } from "./clock.ts";

/** A sleep that can be cut short, for a loop that waits until its next task is due. */
export class Alarm {
  readonly #clock: Clock;
  #timer = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves at `time` (by the clock, in ms; `Infinity` for never), at the next {@link Alarm.ring}, or when the signal
   * aborts. Never rejects.
   */
  async sleepUntil(time: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const timer = this.#timer = new AbortController();
    const stop = () => timer.abort();
    signal.addEventListener("abort", stop, { once: true });
    const seconds = Math.max(0, time - this.#clock.now()) / 1000;
    await this.#clock.sleep(seconds, timer.signal).catch(() => {});
    signal.removeEventListener("abort", stop);
  }

  /** Ends the current sleep, if there is one. */
  ring(): void {
    this.#timer.abort();
  }
}
