/**
 * REMOVE_DELAY: the files of an object that is gone stay for some time, so that one that is deleted and created again
 * within it changes nothing. The time is not recorded: a restart begins it anew for files whose object is gone.
 */
import { Alarm } from "../runtime/alarm.ts";
import type { Clock } from "../runtime/clock.ts";

export interface RemovalDelayOptions {
  /** Seconds; 0: files go at once. */
  removeDelay: number;
  /** The time of these owners is up. */
  onDue(owners: ReadonlySet<string>): void;
  clock: Clock;
}

export class RemovalDelay {
  readonly #options: RemovalDelayOptions;
  readonly #alarm: Alarm;
  /** When the files of each owner go, by the clock, in ms. The first one is due first. */
  readonly #waiting = new Map<string, number>();

  constructor(options: RemovalDelayOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** The owner is gone. Returns whether its files stay for now. */
  begin(owner: string): boolean {
    const { removeDelay, clock } = this.#options;
    if (removeDelay === 0) return false;
    if (!this.#waiting.has(owner)) this.#waiting.set(owner, clock.now() + removeDelay * 1000);
    this.#alarm.ring();
    return true;
  }

  has(owner: string): boolean {
    return this.#waiting.has(owner);
  }

  /** The owner is there again. Returns whether its files were waiting. */
  end(owner: string): boolean {
    return this.#waiting.delete(owner);
  }

  /** Has files removed when they are due, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { onDue, removeDelay, clock } = this.#options;
    if (removeDelay === 0) return;
    while (!signal.aborted) {
      const [next = Infinity] = this.#waiting.values();
      await this.#alarm.sleepUntil(next, signal);
      const due = new Set<string>();
      for (const [owner, dueAt] of this.#waiting) {
        if (dueAt > clock.now()) break;
        due.add(owner);
        this.#waiting.delete(owner);
      }
      if (due.size > 0 && !signal.aborted) onDue(due);
    }
  }
}
