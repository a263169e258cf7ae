export interface BurstTimes {
  /** Seconds without a further change before the application is notified. */
  quietPeriod: number;
  /** Maximum seconds between the first change and the notification. */
  maxWait: number;
}

/** The next attempt after a failure. */
export interface Retry {
  /** By the clock, in ms. */
  at: number;
  /** A change of files makes it due at once. */
  orOnChange: boolean;
}

/**
 * The changed files that the script, or the webhook, has not been notified of, and the time of the next attempt.
 * Changes are collected until there was none for `quietPeriod`, but at most for `maxWait` after the first. Times by the
 * clock, in ms.
 */
export class Backlog {
  readonly #times: BurstTimes;
  #paths: Set<string> | undefined;
  #burst: { first: number; last: number } | undefined;
  /** A path has changed after the last attempt. */
  #hasChanged = false;
  #retry: Retry | undefined;
  #since: number | undefined;

  constructor(times: BurstTimes) {
    this.#times = times;
  }

  get isEmpty(): boolean {
    return this.#paths === undefined;
  }

  /** Since when paths have been in the backlog, or in the attempt under way; `undefined` while there are none. */
  get since(): number | undefined {
    return this.#since;
  }

  /** When to retry after a failure; `undefined`: the last attempt did not fail. */
  get retry(): Retry | undefined {
    return this.#retry;
  }

  /** The next attempt waits for the time of {@link Backlog.retry}, and no change has made it due. */
  get isWaiting(): boolean {
    return this.#paths !== undefined && this.#retry !== undefined && !(this.#hasChanged && this.#retry.orOnChange);
  }

  has(path: string): boolean {
    return this.#paths?.has(path) ?? false;
  }

  /** @param isNew they have just changed; `false`: they are pending from an earlier run */
  add(paths: Iterable<string>, now: number, { isNew }: { isNew: boolean }): void {
    this.put(paths);
    this.#burst = { first: this.#burst?.first ?? now, last: now };
    this.#since ??= now;
    if (isNew) this.#hasChanged = true;
  }

  /** Adds paths that are due at once, unless an attempt has failed. */
  put(paths: Iterable<string>): void {
    this.#paths ??= new Set();
    for (const path of paths) this.#paths.add(path);
  }

  /** Takes all paths, for an attempt that begins now. Later changes belong to the next attempt. */
  take(): Set<string> | undefined {
    const paths = this.#paths;
    this.#paths = this.#burst = undefined;
    this.#hasChanged = false;
    return paths;
  }

  succeeded(): void {
    this.#retry = undefined;
    // Later changes came while the attempt was under way
    this.#since = this.#burst?.first;
  }

  failed(paths: Iterable<string>, retry: Retry): void {
    this.put(paths);
    this.#retry = retry;
  }

  /** Makes the next attempt due at once. */
  hurry(): void {
    if (this.#retry !== undefined) this.#retry.at = -Infinity;
    this.#burst = undefined;
  }

  /** When the next attempt is due; `Infinity`: nothing is pending. */
  get dueAt(): number {
    if (this.#paths === undefined) return Infinity;
    const { quietPeriod, maxWait } = this.#times;
    const burstEnd = this.#burst === undefined
      ? -Infinity
      : Math.min(this.#burst.last + quietPeriod * 1000, this.#burst.first + maxWait * 1000);
    return this.isWaiting ? Math.max(this.#retry!.at, burstEnd) : burstEnd;
  }
}
