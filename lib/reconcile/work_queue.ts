/**
 * A queue of keys that need work, with the semantics of client-go's `util/workqueue`: a key is in the queue only once; a key
 * that is added while it is processed is processed again; each failed key has its own backoff, so that it delays no other.
 */
import { Alarm } from "../runtime/alarm.ts";
import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";

export interface WorkQueueOptions {
  /**
   * Does the work of one key. A rejection counts as a failure of the key, unless {@link WorkQueue.add}, `retry` or `forget`
   * was called for it meanwhile. Must end within {@link MAX_PROCESS_SECONDS}.
   */
  process(key: string, signal: AbortSignal): Promise<void>;
  /** Delay after a key's first failure, in seconds. */
  firstBackoff: number;
  /** Reports to the liveness check that keys are processed in time. */
  heartbeat: { expectWithin(seconds: number): void; idle(): void };
  /** A key is done or has failed. */
  onChange(): void;
  clock: Clock;
  random: () => number;
}

/** Maximum number of keys that are processed at the same time. */
const MAX_WORKERS = 4;

/**
 * Seconds after which a key that is still being processed counts as stuck: one minute each for a read, for a read by list if
 * the first is forbidden, and for adding a finalizer.
 */
export const MAX_PROCESS_SECONDS = 180;

interface Item {
  /** Set by the first failure. */
  backoff?: Backoff;
  error?: Error;
  /** When it is due, by the clock in ms; `undefined` while it is processed, Infinity while it is parked. */
  dueAt: number | undefined;
  /** Identifies the attempt under way. Its outcome counts only while this is unchanged. */
  attempt?: symbol | undefined;
  isAddedAgain: boolean;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #items = new Map<string, Item>();
  readonly #alarm: Alarm;
  /** Start of each attempt under way, by the clock in ms. */
  readonly #running = new Map<Promise<void>, number>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** Number of keys that are not done, failed ones included. */
  get size(): number {
    return this.#items.size;
  }

  has(key: string): boolean {
    return this.#items.has(key);
  }

  /** Keys that are not done, with the error of the last attempt if it failed. */
  *unsettled(): Generator<[key: string, error: Error | undefined], void> {
    for (const [key, { error }] of this.#items) yield [key, error];
  }

  failureOf(key: string): Error | undefined {
    return this.#items.get(key)?.error;
  }

  /** Makes a key due now, even if it is waiting for its backoff. */
  add(key: string): void {
    const item = this.#items.get(key);
    if (item?.attempt !== undefined) item.isAddedAgain = true;
    else if (item !== undefined) item.dueAt = this.#options.clock.now();
    else this.#items.set(key, { dueAt: this.#options.clock.now(), isAddedAgain: false });
    this.#alarm.ring();
  }

  /** The work failed: retries it after the key's backoff. */
  retry(key: string, error: Error): void {
    const { firstBackoff, random, clock } = this.#options;
    const item = this.#items.get(key) ?? { dueAt: undefined, isAddedAgain: false };
    this.#items.set(key, item);
    item.error = error;
    item.attempt = undefined;
    item.isAddedAgain = false;
    item.backoff ??= new Backoff({ first: firstBackoff, random });
    item.dueAt = clock.now() + item.backoff.next() * 1000;
    this.#alarm.ring();
    this.#options.onChange();
  }

  /** The work failed, and will fail until something changes: the key waits for {@link WorkQueue.add}. */
  park(key: string, error: Error): void {
    this.retry(key, error);
    const item = this.#items.get(key);
    if (item !== undefined) item.dueAt = Infinity;
  }

  /** Whether the key waits for {@link WorkQueue.add}. */
  isParked(key: string): boolean {
    return this.#items.get(key)?.dueAt === Infinity;
  }

  /** The key is done, or needs no work any more. */
  forget(key: string): void {
    if (this.#items.delete(key)) this.#options.onChange();
  }

  /** Processes keys until the signal aborts, and then waits for those under way. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#startDue(signal);
      await this.#alarm.sleepUntil(this.#running.size < MAX_WORKERS ? this.#nextDue() : Infinity, signal);
    }
    await Promise.all(this.#running.keys());
  }

  /** Processes the keys that are due, and those added meanwhile. Failed keys are not retried. For METHOD=LIST. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#startDue(signal);
    while (this.#running.size > 0 && !signal.aborted) {
      await Promise.race(this.#running.keys());
      this.#startDue(signal);
    }
  }

  #startDue(signal: AbortSignal): void {
    const now = this.#options.clock.now();
    for (const [key, item] of this.#items) {
      if (this.#running.size >= MAX_WORKERS || signal.aborted) return;
      if (item.dueAt === undefined || item.dueAt > now) continue;
      const attempt = this.#process(key, item, signal).finally(() => {
        this.#running.delete(attempt);
        this.#beat();
        this.#alarm.ring();
      });
      this.#running.set(attempt, now);
      this.#beat();
    }
  }

  async #process(key: string, item: Item, signal: AbortSignal): Promise<void> {
    const attempt = item.attempt = Symbol();
    item.dueAt = undefined;
    let failure: Error | undefined;
    try {
      await this.#options.process(key, signal);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    if (item.attempt !== attempt || this.#items.get(key) !== item) return;
    item.attempt = undefined;
    if (item.isAddedAgain) {
      item.isAddedAgain = false;
      item.dueAt = this.#options.clock.now();
    } else if (failure === undefined) this.forget(key);
    else this.retry(key, failure);
  }

  #nextDue(): number {
    let next = Infinity;
    for (const { dueAt = Infinity } of this.#items.values()) next = Math.min(next, dueAt);
    return next;
  }

  #beat(): void {
    const { heartbeat, clock } = this.#options;
    if (this.#running.size === 0) return heartbeat.idle();
    const oldest = Math.min(...this.#running.values());
    heartbeat.expectWithin(MAX_PROCESS_SECONDS - (clock.now() - oldest) / 1000);
  }
}
