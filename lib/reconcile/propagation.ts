/** Measures how long a change takes from its event to the disk. Holds a time only for changes under way. */
import type { Clock } from "../runtime/clock.ts";

export interface PropagationOptions {
  /** Files of a changed object were written. */
  onWritten(seconds: number): void;
  clock: Pick<Clock, "now">;
}

export class Propagation {
  readonly #options: PropagationOptions;
  /** When the last event of an object came, by its key, in ms by the clock. */
  readonly #receivedAt = new Map<string, number>();

  constructor(options: PropagationOptions) {
    this.#options = options;
  }

  /** A watch brought a change of an object. It replaces an earlier one that is under way. */
  received(key: string): void {
    this.#receivedAt.set(key, this.#options.clock.now());
  }

  /** Files of an object were written. */
  written(key: string): void {
    const receivedAt = this.#receivedAt.get(key);
    if (receivedAt === undefined) return;
    this.#receivedAt.delete(key);
    this.#options.onWritten((this.#options.clock.now() - receivedAt) / 1000);
  }

  /** The change needed no file, could not be written at once, or was overtaken by a list or a deletion. */
  forget(key: string): void {
    this.#receivedAt.delete(key);
  }
}
