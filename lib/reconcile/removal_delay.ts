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
  /** Whether an owner still exists, and is only no longer selected. */
  isUnselected(owner: string, signal: AbortSignal): Promise<boolean>;
  clock: Clock;
}

export class RemovalDelay {
  readonly #options: RemovalDelayOptions;
  readonly #alarm: Alarm;
  /** When to remove the files of each owner, by the clock, in ms. The first one is due first. */
  readonly #waiting = new Map<string, number>();
  /** Owners that may still exist. */
  readonly #unverified = new Set<string>();
  readonly #verification: Alarm;

  constructor(options: RemovalDelayOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
    this.#verification = new Alarm(options.clock);
  }

  /** The owner was deleted, or is no longer selected. Returns whether its files stay for now. */
  begin(owner: string): boolean {
    const { removeDelay, clock } = this.#options;
    if (removeDelay === 0) return false;
    if (!this.#waiting.has(owner)) this.#waiting.set(owner, clock.now() + removeDelay * 1000);
    this.#unverified.add(owner);
    this.#alarm.ring();
    this.#verification.ring();
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
    if (this.#options.removeDelay === 0) return;
    await Promise.all([this.#reportDue(signal), this.#endUnselected(signal)]);
  }

  async #reportDue(signal: AbortSignal): Promise<void> {
    const { onDue, clock } = this.#options;
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

  /** Reports owners at once that were not deleted. One that cannot be read counts as deleted. */
  async #endUnselected(signal: AbortSignal): Promise<void> {
    const { onDue, isUnselected } = this.#options;
    while (!signal.aborted) {
      const [owner] = this.#unverified;
      if (owner === undefined) {
        await this.#verification.sleepUntil(Infinity, signal);
        continue;
      }
      this.#unverified.delete(owner);
      const dueAt = this.#waiting.get(owner);
      if (dueAt === undefined || !await isUnselected(owner, signal).catch(() => false)) continue;
      if (signal.aborted || this.#waiting.get(owner) !== dueAt) continue;
      this.#waiting.delete(owner);
      onDue(new Set([owner]));
    }
  }
}
