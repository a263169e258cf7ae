/** Lets code wait until a condition on some state holds. */
export class Changes {
  readonly #waiters = new Set<() => void>();

  /** The state has changed: evaluates the conditions again. */
  notify(): void {
    for (const look of [...this.#waiters]) look();
  }

  /** Resolves as soon as the condition holds, or when the signal aborts. */
  until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition() && !signal.aborted) return;
        this.#waiters.delete(look);
        signal.removeEventListener("abort", look);
        resolve();
      };
      this.#waiters.add(look);
      signal.addEventListener("abort", look, { once: true });
      look();
    });
  }
}
