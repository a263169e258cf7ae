/**
 * Detects connections that died without a FIN or a RST, by time limits alone. A watch may live for {@link
 * watchLifetime}, at most WATCH_CLIENT_TIMEOUT, and is then resumed. Every other answer must deliver bytes within
 * {@link MAX_SILENCE_SECONDS} and be complete within its own limit ({@link AnswerDeadline}). When a limit is exceeded,
 * the next request opens a new connection (`connections.ts`).
 */
import type { Clock } from "../../runtime/clock.ts";
import { Deadline } from "../../runtime/deadline.ts";

/** Seconds without a byte after which the API server, or the connection to it, counts as dead. */
export const MAX_SILENCE_SECONDS = 30;

/** Seconds to the last byte of an answer with one object. kube-apiserver itself limits a request to 60 s. */
export const MAX_OBJECT_SECONDS = 60;

/** Seconds for one page of a list. A page of large Secrets over a slow link takes minutes. */
export const MAX_PAGE_SECONDS = 600;

/** What the lifetime of a watch depends on. Times in seconds. */
export interface WatchLifetime {
  /** WATCH_SERVER_TIMEOUT and WATCH_CLIENT_TIMEOUT. */
  serverTimeout: number;
  clientTimeout: number;
  secondsToResync: number;
  /** Choose a random lifetime, so that sidecars that started together do not reconnect together. */
  randomizeLifetime: boolean;
  /** A number in [0, 1). */
  random: () => number;
}

/** Seconds that a watch may live, connection and stream together, before the client ends it and resumes. */
export function watchLifetime(options: WatchLifetime): number {
  const { serverTimeout, clientTimeout, secondsToResync, randomizeLifetime, random } = options;
  const whole = Math.min(clientTimeout, Math.max(0, secondsToResync));
  return randomizeLifetime ? Math.min(whole, serverTimeout * (0.5 + 0.5 * random())) : whole;
}

/**
 * Limits the time that a request waits for the API server: for the next bytes, and in total. Only time inside {@link
 * AnswerDeadline.wait} counts, not the time that a consumer takes to process an answer.
 */
export class AnswerDeadline implements Disposable {
  readonly #clock: Clock;
  readonly #deadline: Deadline;
  readonly #seconds: number;
  /** Milliseconds left for waiting. */
  #left: number;

  /** @param seconds for the whole answer */
  constructor(clock: Clock, seconds: number, outer: AbortSignal) {
    this.#clock = clock;
    this.#seconds = seconds;
    this.#left = seconds * 1000;
    this.#deadline = new Deadline(clock, Infinity, outer);
  }

  /** Aborts when a limit is exceeded, or when the outer signal aborts. */
  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  /** The limit that was exceeded, as in `sent nothing for 30 s`; `undefined` when none was. */
  get exceeded(): string | undefined {
    if (!this.#deadline.passed) return undefined;
    return this.#left <= 0 ? `took longer than ${this.#seconds} s` : `sent nothing for ${MAX_SILENCE_SECONDS} s`;
  }

  /** Awaits a step that {@link AnswerDeadline.signal} can abort. `silence`: maximum seconds for it. */
  async wait<T>(next: Promise<T>, silence = MAX_SILENCE_SECONDS): Promise<T> {
    const startedAt = this.#clock.now();
    this.#deadline.extend(Math.min(silence, this.#left / 1000));
    try {
      return await next;
    } finally {
      this.#left -= this.#clock.now() - startedAt;
      this.#deadline.extend(Infinity);
    }
  }

  /** The rest of the answer may take `seconds`. */
  allow(seconds: number): void {
    this.#left = seconds * 1000;
  }

  [Symbol.dispose](): void {
    this.#deadline[Symbol.dispose]();
  }
}
