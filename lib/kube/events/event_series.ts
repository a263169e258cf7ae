/**
 * What is to be told as Events: repeats are counted, storms are cut, and what is kept is bounded. Nothing here talks to
 * anybody. The rules are those of client-go's `tools/record/events_cache.go`.
 */
import { shortened } from "./event_message.ts";
import { describeRef, keyOf, type ObjectRef } from "../../objects/ref.ts";
import { type Rate, TokenBucket } from "../../runtime/token_bucket.ts";

/** Something that happened to an object. */
export interface RecordedEvent {
  ref: ObjectRef;
  /** Without it `kubectl get events` shows the Event, `kubectl describe` does not: that one selects by uid. */
  uid?: string;
  type: "Normal" | "Warning";
  /** In CamelCase, at most 128 characters: `FilesWritten`. */
  reason: string;
  /** For people. Cut after 1024 bytes. */
  message: string;
}

/** One Event of the API server, and how often it happened. */
export interface EventSeries {
  readonly event: RecordedEvent;
  /** The Event's own name. The same for each attempt, so that one whose answer was lost is not posted twice. */
  name: string;
  /** Wall clock. */
  readonly firstTime: Date;
  lastTime: Date;
  count: number;
  /** What the API server knows of `count`; 0: it does not have the Event. */
  toldCount: number;
  /** Attempts at telling it that failed. */
  failures: number;
  /** When it is told next, and when it was seen last; by the clock, in ms. */
  dueAt: number;
  seenAt: number;
  /** Seconds until the API server hears of further repeats. */
  spread: number;
}

/** Same object, type, reason and message within so many seconds: the same Event. client-go: `defaultAggregateIntervalInSeconds`. */
const SERIES_INTERVAL = 600;

/** New Events per object. client-go: `defaultSpamBurst`, `defaultSpamQPS`. */
const NEW_EVENTS: Rate = { burst: 25, refill: 300 };

/** Repeats are told after so many seconds, then each time after twice as many, to the longest: news must not wait for them. */
const FIRST_SPREAD = 5;
const LONGEST_SPREAD = 300;

/** How many series, objects and namespaces are remembered. */
const KEPT = 200;

/** Longest name of an object: a DNS subdomain. */
const LONGEST_NAME = 253;

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

  /** Events that will never be told: there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Counts an event. `now` is by the clock, in ms. Returns whether there is something new to tell. */
  add(event: RecordedEvent, now: number): boolean {
    const message = shortened(event.message);
    const key = [describeRef(event.ref), event.uid, event.type, event.reason, message].join("\n");
    const known = this.#series.get(key);
    this.#series.delete(key);
    if (known !== undefined && now - known.seenAt <= SERIES_INTERVAL * 1000) {
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

  /** What is due first of all that the API server does not know; `undefined` when it knows everything. */
  next(): EventSeries | undefined {
    let first: EventSeries | undefined;
    for (const series of this.#series.values()) {
      if (series.count > series.toldCount && (first === undefined || series.dueAt < first.dueAt)) first = series;
    }
    return first;
  }

  /** The API server knows `count` of the series. */
  told(series: EventSeries, count: number, now: number): void {
    series.toldCount = count;
    series.failures = 0;
    series.dueAt = now + series.spread * 1000;
    series.spread = Math.min(LONGEST_SPREAD, series.spread * 2);
  }

  /** The API server no longer has the Event: it is to be posted again, under another name. */
  restart(series: EventSeries): void {
    series.toldCount = 0;
    series.name = this.#nameFor(series.event.ref);
  }

  /** What happened so far will not be told. An Event that is not there yet is forgotten. */
  drop(series: EventSeries, now: number): void {
    if (series.toldCount > 0) return this.told(series, series.count, now);
    this.#dropped++;
    for (const [key, kept] of this.#series) if (kept === series) this.#series.delete(key);
  }

  #begin(event: RecordedEvent, now: number): EventSeries {
    const time = this.#options.now();
    const { kind, namespace, name } = event.ref;
    return {
      // A copy, since the ref may be a larger object that is to be forgotten
      event: { ...event, ref: { kind, namespace, name } },
      name: this.#nameFor(event.ref),
      firstTime: time,
      lastTime: time,
      count: 1,
      toldCount: 0,
      failures: 0,
      dueAt: now,
      seenAt: now,
      spread: FIRST_SPREAD,
    };
  }

  #repeat(series: EventSeries, now: number): boolean {
    const wasTold = series.count === series.toldCount;
    series.count++;
    series.lastTime = this.#options.now();
    series.seenAt = now;
    // Repeats of a burst are told together, at its end
    if (wasTold) series.dueAt = Math.max(series.dueAt, now + FIRST_SPREAD * 1000);
    return wasTold;
  }

  #limitOf(ref: ObjectRef, now: number): TokenBucket {
    const key = keyOf(ref);
    const limit = this.#limits.get(key) ?? new TokenBucket(NEW_EVENTS, now);
    this.#limits.delete(key);
    this.#limits.set(key, limit);
    forgetOldest(this.#limits);
    return limit;
  }

  /** What was told goes before what was not, and good news before bad. */
  #makeRoom(): void {
    if (this.#series.size <= KEPT) return;
    const all = [...this.#series];
    const [key, series] = all.find(([, { count, toldCount }]) => count === toldCount) ??
      all.find(([, { event }]) => event.type === "Normal") ?? all[0]!;
    this.#series.delete(key);
    if (series.toldCount === 0) this.#dropped++;
  }

  /** `NAME.TIME-NUMBER-RANDOM` in hexadecimal: no other Event has it. */
  #nameFor({ name }: ObjectRef): string {
    const { random, now } = this.#options;
    const chance = Math.floor(random() * 0x10000);
    const suffix = [now().getTime(), this.#names++, chance].map((number) => number.toString(16)).join("-");
    const start = name.slice(0, LONGEST_NAME - suffix.length - 1).replace(/[-.]+$/, "");
    return `${start}.${suffix}`;
  }
}

/** Removes what was set first until no more is left than is kept. */
export function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= KEPT) return;
    map.delete(oldest);
  }
}
