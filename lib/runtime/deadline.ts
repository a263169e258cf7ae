import type { Clock } from "./clock.ts";

/** The deadline has passed. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * An abort signal that fires when `seconds` have passed since the start or the last {@link Deadline.extend}, with a
 * {@link DeadlineError} as reason, or as soon as `outer` does, with its reason. Dispose it when the work is done: unlike
 * `AbortSignal.any`, it then leaves no listener on `outer`, which may live as long as the program.
 */
export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #onOuterAbort = () => this.#abort.abort(this.#outer.reason);
  #seconds: number;
  /** When the deadline passes, and when the timer checks that next; by the clock, in ms. */
  #due = Infinity;
  #armedFor = Infinity;
  #timer = new AbortController();

  constructor(clock: Clock, seconds: number, outer: AbortSignal) {
    this.#clock = clock;
    this.#seconds = seconds;
    this.#outer = outer;
    if (outer.aborted) this.#onOuterAbort();
    else outer.addEventListener("abort", this.#onOuterAbort, { once: true });
    this.extend();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether the deadline has passed; `false` if `outer` aborted. */
  get passed(): boolean {
    return this.signal.reason instanceof DeadlineError;
  }

  /** Restarts the time. `Infinity`: no deadline. Cheap enough to call for each of many objects. */
  extend(seconds = this.#seconds): void {
    this.#seconds = seconds;
    this.#due = this.#clock.now() + seconds * 1000;
    if (this.#due < this.#armedFor && !this.signal.aborted) this.#arm();
  }

  /** Lets the deadline pass now. */
  end(): void {
    this.#timer.abort();
    this.#abort.abort(new DeadlineError("it was given up"));
  }

  [Symbol.dispose](): void {
    this.#timer.abort();
    this.#outer.removeEventListener("abort", this.#onOuterAbort);
  }

  #arm(): void {
    this.#timer.abort();
    const { signal } = this.#timer = new AbortController();
    this.#armedFor = this.#due;
    this.#clock.sleep((this.#due - this.#clock.now()) / 1000, signal).then(() => {
      this.#armedFor = Infinity;
      if (this.#due > this.#clock.now()) {
        if (this.#due !== Infinity) this.#arm();
      } else this.#abort.abort(new DeadlineError(`nothing came within ${this.#seconds} s`));
    }, () => {});
  }
}
