/**
 * REMOVE_DELAY: the files of a deleted object stay for some time. If the object is created again within it, nothing
 * changes. The time is not recorded, so a restart starts it again.
 */
import { Alarm } from "../runtime/alarm.ts";
import type { Clock } from "../runtime/clock.ts";

export interface RemovalDelayOptions {
  /** Seconds; 0: files are removed at once. */
  removeDelay: number;
  /** The delay of these owners is over. */
  onDue(owners: ReadonlySet<string>): void;
  clock: Clock;
}

export class RemovalDelay {
  readonly #options: RemovalDelayOptions;
  readonly #alarm: Alarm;
  /** When to remove the files of each owner, by the clock, in ms. The first one is due first. */
  readonly #waiting = new Map<string, number>();

  constructor(options: RemovalDelayOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** The owner was deleted. Returns whether its files stay for now. */
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

  /** The owner exists again. Returns whether its files were waiting for removal. */
  end(owner: string): boolean {
    return this.#waiting.delete(owner);
  }

  /** Reports owners when they are due, until the signal aborts. */
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
