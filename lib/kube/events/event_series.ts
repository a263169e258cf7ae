/**
 * The queue of Events: aggregates repeats, limits the rate and bounds the memory. It makes no requests. The rules
 * follow client-go's `tools/record/events_cache.go`.
 */
import { shortened } from "./event_message.ts";
import { describeRef, keyOf, type ObjectRef } from "../../objects/ref.ts";
import { type Rate, TokenBucket } from "../../runtime/token_bucket.ts";

/** Something that happened to an object. */
export interface RecordedEvent {
  ref: ObjectRef;
  /** `kubectl describe` selects Events by uid, so it does not show an Event without one. */
  uid?: string;
  type: "Normal" | "Warning";
  /** In CamelCase, at most 128 characters: `FilesWritten`. */
  reason: string;
  /** Human-readable. Cut to 1024 bytes. */
  message: string;
}

/** One Event of the API server, with its repeats. */
export interface EventSeries {
  readonly event: RecordedEvent;
  /** The name of the Event, the same in each attempt, so that it is not created twice if an answer is lost. */
  name: string;
  /** Wall clock. */
  readonly firstTime: Date;
  lastTime: Date;
  count: number;
  /** The last posted `count`; 0: the Event was not created yet. */
  postedCount: number;
  /** Failed attempts to post it. */
  failures: number;
  /** The time to post it next, and the time of its last repeat; by the clock, in ms. */
  dueAt: number;
  seenAt: number;
  /** Seconds until further repeats are posted. */
  spread: number;
}

/**
 * Seconds within which an event with the same object, type, reason and message is a repeat. client-go:
 * `defaultAggregateIntervalInSeconds`.
 */
const SERIES_SECONDS = 600;

/** Limit for new Events per object. client-go: `defaultSpamBurst`, `defaultSpamQPS`. */
const NEW_EVENTS: Rate = { burst: 25, refill: 300 };

/** Seconds between two posts of repeats; doubles each time, so that new Events do not wait for repeats. */
const FIRST_SPREAD_SECONDS = 5;
const MAX_SPREAD_SECONDS = 300;

/** Maximum number of entries: of series, of limits per object, and of forbidden namespaces. */
const MAX_KEPT = 200;

/** Maximum length of an object's name: that of a DNS subdomain. */
const MAX_NAME_LENGTH = 253;

export interface SeriesOptions {
  /** A number in [0, 1). */
  random: () => number;
  /** Wall clock. */
  now: () => Date;
}

export class SeriesLedger {
  readonly #options: SeriesOptions;
  /** Least recently used first. */
  readonly #series = new Map<string, EventSeries>();
  readonly #limits = new Map<string, TokenBucket>();
  #dropped = 0;
  #names = 0;

  constructor(options: SeriesOptions) {
    this.#options = options;
  }

  /** Number of Events that will never be posted. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Counts an event. `now` is by the clock, in ms. Returns whether there is something new to post. */
  add(event: RecordedEvent, now: number): boolean {
    const message = shortened(event.message);
    const key = [describeRef(event.ref), event.uid, event.type, event.reason, message].join("\n");
    const known = this.#series.get(key);
    this.#series.delete(key);
    if (known !== undefined && now - known.seenAt <= SERIES_SECONDS * 1000) {
      this.#series.set(key, known);
      return this.#repeat(known, now);
    }
    if (!this.#limitOf(event.ref, now).take(now)) {
      this.#dropped++;
      return false;
    }
    this.#series.set(key, this.#begin({ ...event, message }, now));
    this.#makeRoom();
    return true;
  }

  /** The series that is due first; `undefined` when everything has been posted. */
  next(): EventSeries | undefined {
    let first: EventSeries | undefined;
    for (const series of this.#series.values()) {
      if (series.count > series.postedCount && (first === undefined || series.dueAt < first.dueAt)) first = series;
    }
    return first;
  }

  /** `count` of the series has been posted. */
  posted(series: EventSeries, count: number, now: number): void {
    series.postedCount = count;
    series.failures = 0;
    series.dueAt = now + series.spread * 1000;
    series.spread = Math.min(MAX_SPREAD_SECONDS, series.spread * 2);
  }

  /** The API server has deleted the Event: creates it again under another name. */
  restart(series: EventSeries): void {
    series.postedCount = 0;
    series.name = this.#nameFor(series.event.ref);
  }

  /** Gives up posting the repeats so far. Forgets an Event that was never created. */
  drop(series: EventSeries, now: number): void {
    if (series.postedCount > 0) return this.posted(series, series.count, now);
    this.#dropped++;
    for (const [key, kept] of this.#series) if (kept === series) this.#series.delete(key);
  }

  #begin(event: RecordedEvent, now: number): EventSeries {
    const time = this.#options.now();
    const { kind, namespace, name } = event.ref;
    return {
      // Copied, so that the larger object that the ref may belong to can be collected
      event: { ...event, ref: { kind, namespace, name } },
      name: this.#nameFor(event.ref),
      firstTime: time,
      lastTime: time,
      count: 1,
      postedCount: 0,
      failures: 0,
      dueAt: now,
      seenAt: now,
      spread: FIRST_SPREAD_SECONDS,
    };
  }

  #repeat(series: EventSeries, now: number): boolean {
    const wasPosted = series.count === series.postedCount;
    series.count++;
    series.lastTime = this.#options.now();
    series.seenAt = now;
    // The repeats of a burst are posted together at its end
    if (wasPosted) series.dueAt = Math.max(series.dueAt, now + FIRST_SPREAD_SECONDS * 1000);
    return wasPosted;
  }

  #limitOf(ref: ObjectRef, now: number): TokenBucket {
    const key = keyOf(ref);
    const limit = this.#limits.get(key) ?? new TokenBucket(NEW_EVENTS, now);
    this.#limits.delete(key);
    this.#limits.set(key, limit);
    forgetOldest(this.#limits);
    return limit;
  }

  /** Evicts a series that was posted, else a Normal one, else the oldest. */
  #makeRoom(): void {
    if (this.#series.size <= MAX_KEPT) return;
    const all = [...this.#series];
    const [key, series] = all.find(([, { count, postedCount }]) => count === postedCount) ??
      all.find(([, { event }]) => event.type === "Normal") ?? all[0]!;
    this.#series.delete(key);
    if (series.postedCount === 0) this.#dropped++;
  }

  /** `NAME.TIME-NUMBER-RANDOM` in hexadecimal, which is unique. */
  #nameFor({ name }: ObjectRef): string {
    const { random, now } = this.#options;
    const chance = Math.floor(random() * 0x10000);
    const suffix = [now().getTime(), this.#names++, chance].map((number) => number.toString(16)).join("-");
    const start = name.slice(0, MAX_NAME_LENGTH - suffix.length - 1).replace(/[-.]+$/, "");
    return `${start}.${suffix}`;
  }
}

/** Evicts the oldest entries of a map until it is small enough. */
export function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= MAX_KEPT) return;
    map.delete(oldest);
  }
}
