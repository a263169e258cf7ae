/**
 * Work that lasts much longer than those that wait for its end. A promise would keep something of each of them until it
 * settles, even of those that have stopped waiting.
 */
export class LastingWork {
  readonly #work: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  constructor(work: Promise<void>) {
    this.#work = work;
    const end = () => {
      this.#hasEnded = true;
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    };
    work.then(end, end);
  }

  /** Resolves when the work has ended or the signal aborts. Rejects if the work was rejected. */
  async endedOr(signal: AbortSignal): Promise<void> {
    if (!this.#hasEnded && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
      this.#waiting.delete(wake);
    }
    if (this.#hasEnded) await this.#work;
  }
}
