import type { Clock } from "../../runtime/clock.ts";

/** Seconds that readiness waits for all downloads of the first sync together. */
export const ALLOWANCE_SECONDS = 10;

/** How long the first sync waits for downloads: once, for all of them. */
export class DownloadAllowance {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  readonly #stop = new AbortController();
  #hasBegun = false;
  #isOver = false;

  /** @param onOver called once, when the time is over */
  constructor(clock: Clock, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** Whether the time is over. Asking for the first time begins it. */
  isOver(): boolean {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#clock.sleep(ALLOWANCE_SECONDS, this.#stop.signal).then(() => {
        this.#isOver = true;
        this.#onOver();
      }, () => {});
    }
    return this.#isOver;
  }

  /** Nothing waits any more. */
  close(): void {
    this.#hasBegun = true;
    this.#stop.abort();
  }
}
