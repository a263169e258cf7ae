/** Objects that must be read and published again: at once, or after a delay because something refused. */
import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";

export interface RevisitsOptions {
  /** First delay of what failed, in seconds. */
  firstBackoff: number;
  clock: Clock;
  random: () => number;
}

/** A queue of object keys. What fails waits for one common delay, which doubles while anything still fails. */
export class Revisits {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #due = new Set<string>();
  readonly #failed = new Map<string, Error>();
  /** When what failed is tried again; by the clock, in ms. */
  #retryAt: number | undefined;
  #wake = Promise.withResolvers<void>();

  constructor({ firstBackoff, clock, random }: RevisitsOptions) {
    this.#clock = clock;
    this.#backoff = new Backoff({ first: firstBackoff, random });
  }

  get due(): ReadonlySet<string> {
    return this.#due;
  }

  /** What failed, with the reason, and waits for its next try. */
  get failed(): ReadonlyMap<string, Error> {
    return this.#failed;
  }

  has(key: string): boolean {
    return this.#due.has(key) || this.#failed.has(key);
  }

  now(key: string): void {
    this.#due.add(key);
    this.#wake.resolve();
  }

  later(key: string, error: Error): void {
    this.#due.delete(key);
    this.#failed.set(key, error);
    this.#wake.resolve();
  }

  /** The object needs no further visit. */
  done(key: string): void {
    this.#due.delete(key);
    if (this.#failed.delete(key) && this.#failed.size === 0) this.#backoff.reset();
  }

  /** Resolves once something is due. What failed is due when its delay has passed. Rejects when the signal aborts. */
  async whenDue(signal: AbortSignal): Promise<void> {
    while (this.#due.size === 0) {
      signal.throwIfAborted();
      this.#retryAt = this.#failed.size === 0 ? undefined : this.#retryAt ?? this.#clock.now() + this.#delay();
      if (!await this.#timePasses(signal)) continue;
      this.#retryAt = undefined;
      for (const key of this.#failed.keys()) this.#due.add(key);
    }
  }

  /** `false`: something new came before the time was up. */
  async #timePasses(signal: AbortSignal): Promise<boolean> {
    this.#wake = Promise.withResolvers();
    const seconds = Math.max(0, (this.#retryAt ?? Infinity) - this.#clock.now()) / 1000;
    const timer = new AbortController();
    const stop = () => timer.abort();
    signal.addEventListener("abort", stop, { once: true });
    const timeIsUp = this.#clock.sleep(seconds, timer.signal).then(() => true, () => false);
    const passed = await Promise.race([timeIsUp, this.#wake.promise.then(() => false)]);
    timer.abort();
    signal.removeEventListener("abort", stop);
    return passed;
  }

  #delay(): number {
    return this.#backoff.next() * 1000;
  }
}
