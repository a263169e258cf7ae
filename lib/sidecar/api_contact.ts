/**
 * K8S_CONTACT_THRESHOLD_SECONDS: how long ago the API server last answered, whatever it was asked and whatever it said. A
 * watch in which nothing happens is silent for as long as WATCH_CLIENT_TIMEOUT allows, and its connection may have gone
 * dead meanwhile, so an open watch is no contact. Instead, the API server is asked for its version when it has been silent
 * for half of the threshold: an idle sidecar stays healthy, and a dead connection is noticed.
 */
import type { Clock } from "../runtime/clock.ts";
import { Deadline } from "../runtime/deadline.ts";

export interface ApiContactOptions {
  /** Seconds. */
  threshold: number;
  /** Makes a request that any credentials may make. What comes of it does not matter. */
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

  /** The API server has sent something: an answer, an event, an error. */
  answered(): void {
    this.#answeredAt = this.#options.clock.now();
  }

  /** For how long the API server has been silent, in one line; `undefined`: not for longer than the threshold. */
  get lost(): string | undefined {
    const { threshold } = this.#options;
    const silence = this.#silence();
    if (silence <= threshold) return undefined;
    return `no answer from the API server for ${Math.floor(silence)} s (K8S_CONTACT_THRESHOLD_SECONDS=${threshold})`;
  }

  /** Asks the API server when it is silent, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { threshold, ask, clock } = this.#options;
    const patience = threshold / 2;
    while (!signal.aborted) {
      try {
        // After a question that brought no answer, half of the patience is a pause
        await clock.sleep(Math.max(patience - this.#silence(), patience / 2), signal);
        if (this.#silence() < patience) continue;
        using deadline = new Deadline(clock, patience, signal);
        await ask(deadline.signal);
      } catch {
        // The client reports an answer of any kind, and a failure is none
      }
    }
  }

  #silence(): number {
    return (this.#options.clock.now() - this.#answeredAt) / 1000;
  }
}
