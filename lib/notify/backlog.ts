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
  /** A change brings it forward. */
  orOnChange: boolean;
}

/**
 * The files that the script, or the webhook, has not been told of, and when it is to be told. Changes are collected until
 * there has been none for `quietPeriod`, at most `maxWait` after the first. Times are by the clock, in ms.
 */
export class Backlog {
  readonly #times: BurstTimes;
  #paths: Set<string> | undefined;
  #burst: { first: number; last: number } | undefined;
  /** Of the paths, some changed after the last attempt. */
  #hasChanged = false;
  #retry: Retry | undefined;

  constructor(times: BurstTimes) {
    this.#times = times;
  }

  get isEmpty(): boolean {
    return this.#paths === undefined;
  }

  /** The failure that the next attempt follows; `undefined`: the last one did not fail. */
  get retry(): Retry | undefined {
    return this.#retry;
  }

  /** The next attempt waits for the time of {@link Backlog.retry}, and nothing has changed that would bring it forward. */
  get isWaiting(): boolean {
    return this.#paths !== undefined && this.#retry !== undefined && !(this.#hasChanged && this.#retry.orOnChange);
  }

  has(path: string): boolean {
    return this.#paths?.has(path) ?? false;
  }

  /** @param isNew they have just changed; else an earlier run has left them */
  add(paths: Iterable<string>, now: number, { isNew }: { isNew: boolean }): void {
    this.put(paths);
    this.#burst = { first: this.#burst?.first ?? now, last: now };
    if (isNew) this.#hasChanged = true;
  }

  /** Adds paths that are due at once, unless an attempt has failed. */
  put(paths: Iterable<string>): void {
    this.#paths ??= new Set();
    for (const path of paths) this.#paths.add(path);
  }

  /** All that there is, for an attempt that begins now. What comes later is for the next one. */
  take(): Set<string> | undefined {
    const paths = this.#paths;
    this.#paths = this.#burst = undefined;
    this.#hasChanged = false;
    return paths;
  }

  succeeded(): void {
    this.#retry = undefined;
  }

  failed(paths: Iterable<string>, retry: Retry): void {
    this.put(paths);
    this.#retry = retry;
  }

  /** The next attempt need not wait any longer. */
  hurry(): void {
    if (this.#retry !== undefined) this.#retry.at = -Infinity;
    this.#burst = undefined;
  }

  /** When the next attempt is due; `Infinity`: there is nothing to tell. */
  get dueAt(): number {
    if (this.#paths === undefined) return Infinity;
    const { quietPeriod, maxWait } = this.#times;
    const burstEnd = this.#burst === undefined
      ? -Infinity
      : Math.min(this.#burst.last + quietPeriod * 1000, this.#burst.first + maxWait * 1000);
    return this.isWaiting ? Math.max(this.#retry!.at, burstEnd) : burstEnd;
  }
}
