/**
 * Changes of an object that come faster than it is useful to follow: the first one is applied at once, and of those within
 * {@link MIN_INTERVAL_MS} after it the last one only. The same holds while the object's files are being published.
 */
import type { KubeObject } from "../objects/object.ts";
import { keyOf } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { Alarm } from "../runtime/alarm.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Propagation } from "./propagation.ts";
import type { Reconciler } from "./reconciler.ts";

/** Milliseconds between two changes of one object that are applied. */
export const MIN_INTERVAL_MS = 100;

export type Debounced = Pick<Reconciler, "beginList" | "endList" | "apply" | "delete" | "retire" | "isPublishing">;

interface Held {
  source: Source;
  object: KubeObject;
}

export class Debounce {
  readonly #reconciler: Debounced;
  readonly #clock: Clock;
  readonly #propagation: Pick<Propagation, "received" | "forget">;
  readonly #alarm: Alarm;
  /** When changes were applied lately, by key, in ms by the clock. The oldest comes first. */
  readonly #appliedAt = new Map<string, number>();
  /** The latest change of each object that waits. */
  readonly #held = new Map<string, Held>();

  constructor(reconciler: Debounced, clock: Clock, propagation: Pick<Propagation, "received" | "forget">) {
    this.#reconciler = reconciler;
    this.#clock = clock;
    this.#propagation = propagation;
    this.#alarm = new Alarm(clock);
  }

  beginList(source: Source): void {
    // The list may not bring an object that is held and deleted by now
    for (const [key, held] of this.#held) {
      if (held.source === source) this.#apply(key, held);
    }
    this.#reconciler.beginList(source);
  }

  endList(source: Source): void {
    this.#reconciler.endList(source);
  }

  apply(source: Source, object: KubeObject, listed: boolean): void {
    const key = keyIn(source, object);
    if (listed) {
      this.#drop(key);
      return this.#reconciler.apply(source, object, true);
    }
    this.#forgetOld();
    this.#propagation.received(key);
    if (!this.#appliedAt.has(key) && !this.#reconciler.isPublishing(key)) return this.#apply(key, { source, object });
    this.#held.set(key, { source, object });
    this.#alarm.ring();
  }

  delete(source: Source, object: KubeObject): void {
    this.#drop(keyIn(source, object));
    this.#reconciler.delete(source, object);
  }

  retire(source: Source, object: KubeObject): void {
    this.#drop(keyIn(source, object));
    this.#reconciler.retire(source, object);
  }

  /** Applies what waits when its time has come, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#alarm.sleepUntil(this.#nextDue(), signal);
      if (signal.aborted) return;
      this.#forgetOld();
      for (const [key, held] of this.#held) {
        if (this.#appliedAt.has(key)) continue;
        if (this.#reconciler.isPublishing(key)) this.#appliedAt.set(key, this.#clock.now());
        else this.#apply(key, held);
      }
    }
  }

  #apply(key: string, { source, object }: Held): void {
    this.#held.delete(key);
    this.#appliedAt.delete(key);
    this.#appliedAt.set(key, this.#clock.now());
    this.#reconciler.apply(source, object, false);
    if (!this.#reconciler.isPublishing(key)) this.#propagation.forget(key);
  }

  #drop(key: string): void {
    this.#held.delete(key);
    this.#propagation.forget(key);
  }

  #forgetOld(): void {
    const end = this.#clock.now() - MIN_INTERVAL_MS;
    for (const [key, appliedAt] of this.#appliedAt) {
      if (appliedAt > end) return;
      this.#appliedAt.delete(key);
    }
  }

  #nextDue(): number {
    let next = Infinity;
    for (const key of this.#held.keys()) next = Math.min(next, (this.#appliedAt.get(key) ?? 0) + MIN_INTERVAL_MS);
    return next;
  }
}

function keyIn({ kind }: Source, { metadata: { namespace, name } }: KubeObject): string {
  return keyOf({ kind, namespace, name });
}
