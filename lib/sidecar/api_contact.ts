/**
 * K8S_CONTACT_THRESHOLD_SECONDS: measures how long ago the API server last sent anything, in answer to any request.
 *
 * An open watch alone does not prove contact: without changes it is silent for up to WATCH_CLIENT_TIMEOUT, and its
 * connection may be dead by then. Therefore, after a silence of half the threshold, the API server is asked for its
 * version. An idle sidecar stays healthy, and a dead connection is detected.
 */
import type { Clock } from "../runtime/clock.ts";
import { Deadline } from "../runtime/deadline.ts";

export interface ApiContactOptions {
  /** Seconds. */
  threshold: number;
  /** Makes a request that all credentials may make. Its result is ignored. */
  ask(signal: AbortSignal): Promise<unknown>;
  clock: Clock;
}

export class ApiContact {
  readonly #options: ApiContactOptions;
  /** By the clock, in ms. */
  #answeredAt: number;

  constructor(options: ApiContactOptions) {
    this.#options = options;
    this.#answeredAt = options.clock.now();
  }

  /** The API server sent something: an answer, an event, an error. */
  answered(): void {
    this.#answeredAt = this.#options.clock.now();
  }

  /** How long the API server has been silent, in one line; `undefined` up to the threshold. */
  get lost(): string | undefined {
    const { threshold } = this.#options;
    const silence = this.#silence();
    if (silence <= threshold) return undefined;
    return `no answer from the API server for ${Math.floor(silence)} s (K8S_CONTACT_THRESHOLD_SECONDS=${threshold})`;
  }

  /** Asks the API server whenever it is silent, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { threshold, ask, clock } = this.#options;
    const patience = threshold / 2;
    while (!signal.aborted) {
      try {
        // After a request without an answer, wait for half of the time
        await clock.sleep(Math.max(patience - this.#silence(), patience / 2), signal);
        if (this.#silence() < patience) continue;
        using deadline = new Deadline(clock, patience, signal);
        await ask(deadline.signal);
      } catch {
        // The client calls `answered` for every answer, errors included
      }
    }
  }

  #silence(): number {
    return (this.#options.clock.now() - this.#answeredAt) / 1000;
  }
}
