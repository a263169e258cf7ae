/** When the first sync is complete: computed from what is known, so that no event can be missed. */

export interface ReadinessOptions {
  /** What the first sync still lacks, in one line; `undefined`: nothing. */
  lacks(): string | undefined;
  /** Called once, as soon as a check finds that nothing is lacking. */
  onReady(): void;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  #isReady = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Whether a check has found the first sync complete. It stays so: later failures do not make anybody unready. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why the first sync is not complete; `undefined` once it is. To be called whenever that may have changed. */
  check(): string | undefined {
    if (this.#isReady) return undefined;
    const lacking = this.#options.lacks();
    if (lacking !== undefined) return `not synced yet: ${lacking}`;
    this.#isReady = true;
    this.#options.onReady();
    return undefined;
  }
}
