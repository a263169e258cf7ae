import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { ArchiveError } from "./archive_error.ts";
import { ByteLimitError } from "./byte_limits.ts";
import { BusyHostError, FetchError } from "./fetch_error.ts";

/** Seconds of the first pause, and of the longest one, where a host does not say how long. */
const FIRST_PAUSE = 5;
const MAX_PAUSE = 300;

/** Limits of `Retry-After`, in seconds: one answer must not stop a host's downloads for days. */
const MIN_RETRY_AFTER = 1;
const MAX_RETRY_AFTER = 3600;

export interface HostPausesOptions {
  clock: Clock;
  random: () => number;
  log: { info(message: string): void; warn(message: string): void };
}

interface Waiter {
  /** @param asked the pause, for the one that asks first; `undefined` when the pause is over */
  go(asked: Pause | undefined): void;
}

interface Pause {
  readonly backoff: Backoff;
  /** When the host may be asked again, in milliseconds of the clock. */
  until: number;
  /** A download is asking whether the host works again. */
  isAsking: boolean;
  /** By namespace, the one that asked last at the end: the URLs of one team cannot keep a host paused for the others. */
  readonly waiters: Map<string, Set<Waiter>>;
  timer: AbortController | undefined;
}

/** What the turn of a download gives when its host was paused while it waited. */
const PAUSED = Symbol();

/**
 * Pauses the downloads from a host (scheme, name and port of the URL in the key) that answers 429 or 503. After the pause
 * one download asks first. The others follow when the host answers it, with anything but 429 and 503.
 */
export class HostPauses {
  readonly #options: HostPausesOptions;
  readonly #pauses = new Map<string, Pause>();

  constructor(options: HostPausesOptions) {
    this.#options = options;
  }

  /**
   * Runs a download in its turn, once its host is not paused. A download that waits for the end of a pause has no turn.
   *
   * @param inTurn runs a function when it is this download's turn
   * @throws what `download` throws, or the signal's reason if it aborts before the start
   */
  async run<T>(
    { namespace, origin }: { namespace: string; origin: string },
    signal: AbortSignal,
    inTurn: (run: () => Promise<T | typeof PAUSED>) => Promise<T | typeof PAUSED>,
    download: () => Promise<T>,
  ): Promise<T> {
    while (true) {
      const asked = await this.#wait(origin, namespace, signal);
      let hasStarted = false;
      try {
        const result = await inTurn(async () => {
          if (this.#pauses.get(origin) !== asked || this.#isLonger(asked)) return PAUSED;
          hasStarted = true;
          return await this.#watched(origin, asked, download);
        });
        if (result !== PAUSED) return result;
      } finally {
        if (asked !== undefined && !hasStarted) this.#askNext(asked);
      }
    }
  }

  /** Runs a download and notes what the host answered, before its turn ends and another one from the host begins. */
  async #watched<T>(origin: string, asked: Pause | undefined, download: () => Promise<T>): Promise<T> {
    try {
      const result = await download();
      if (asked !== undefined) this.#end(origin, asked);
      return result;
    } catch (error) {
      if (error instanceof BusyHostError) this.#pause(origin, asked, error);
      else if (asked !== undefined && hasAnswered(error)) this.#end(origin, asked);
      else if (asked !== undefined) this.#askNext(asked);
      throw error;
    }
  }

  async #wait(origin: string, namespace: string, signal: AbortSignal): Promise<Pause | undefined> {
    signal.throwIfAborted();
    const pause = this.#pauses.get(origin);
    if (pause === undefined) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<Pause | undefined>();
    const waiters = pause.waiters.get(namespace) ?? new Set();
    const onAbort = () => {
      waiters.delete(waiter);
      if (waiters.size === 0) pause.waiters.delete(namespace);
      if (pause.waiters.size === 0) pause.timer?.abort();
      reject(signal.reason);
    };
    const waiter: Waiter = {
      go(asked) {
        signal.removeEventListener("abort", onAbort);
        resolve(asked);
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    pause.waiters.set(namespace, waiters.add(waiter));
    this.#wake(pause);
    return await promise;
  }

  /** @param asked the pause that the download had waited for, if it asked first */
  #pause(origin: string, asked: Pause | undefined, { message, retryAfter }: BusyHostError): void {
    const { clock, random, log } = this.#options;
    const known = this.#pauses.get(origin);
    // The request was sent before the pause began
    const isLate = known !== undefined && known !== asked;
    const pause = known ?? {
      backoff: new Backoff({ first: FIRST_PAUSE, longest: MAX_PAUSE, random }),
      ...{ until: 0, isAsking: false, waiters: new Map(), timer: undefined },
    };
    const own = isLate ? FIRST_PAUSE : pause.backoff.next();
    const seconds = retryAfter === undefined ? own : clamp(retryAfter, MIN_RETRY_AFTER, MAX_RETRY_AFTER);
    pause.until = Math.max(pause.until, clock.now() + seconds * 1000);
    if (isLate) return;
    if (known === undefined) {
      this.#dropForgotten();
      this.#pauses.set(origin, pause);
      log.warn(
        `downloads from ${origin} are paused for ${Math.ceil(seconds)} s, then one of them is tried first: ${message}`,
      );
    }
    this.#askNext(pause);
  }

  /** Whether a pause that was over is not: an answer to a request of the time before it made it longer. */
  #isLonger(pause: Pause | undefined): boolean {
    return pause !== undefined && pause.until > this.#options.clock.now();
  }

  #end(origin: string, pause: Pause): void {
    if (this.#isLonger(pause)) return this.#askNext(pause);
    this.#pauses.delete(origin);
    this.#options.log.info(`downloads from ${origin} are no longer paused`);
    for (const waiters of pause.waiters.values()) {
      for (const waiter of waiters) waiter.go(undefined);
    }
  }

  #askNext(pause: Pause): void {
    pause.isAsking = false;
    this.#wake(pause);
  }

  /** Lets one download ask, now or at the end of the pause. */
  #wake(pause: Pause): void {
    const [next] = pause.waiters;
    if (pause.isAsking || next === undefined) return;
    const seconds = (pause.until - this.#options.clock.now()) / 1000;
    if (seconds > 0) return this.#wakeAfter(seconds, pause);
    const [namespace, waiters] = next;
    const [waiter] = waiters;
    pause.isAsking = true;
    pause.waiters.delete(namespace);
    waiters.delete(waiter!);
    if (waiters.size > 0) pause.waiters.set(namespace, waiters);
    waiter!.go(pause);
  }

  #wakeAfter(seconds: number, pause: Pause): void {
    if (pause.timer !== undefined && !pause.timer.signal.aborted) return;
    const timer = pause.timer = new AbortController();
    this.#options.clock.sleep(seconds, timer.signal).then(() => {
      if (pause.timer === timer) pause.timer = undefined;
      this.#wake(pause);
    }, () => {});
  }

  /** Ends the pauses that are over and that no download waits for. */
  #dropForgotten(): void {
    const now = this.#options.clock.now();
    for (const [origin, pause] of this.#pauses) {
      if (pause.waiters.size === 0 && !pause.isAsking && pause.until <= now) this.#end(origin, pause);
    }
  }
}

/** Whether the host answered a download that failed, with anything but 429 and 503. */
function hasAnswered(error: unknown): boolean {
  if (error instanceof FetchError) return error.hasAnswered;
  return error instanceof ArchiveError || error instanceof ByteLimitError;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
