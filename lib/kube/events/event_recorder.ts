/** Posts Events on objects, for `kubectl get events` and `kubectl describe`. */
import { Backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Alarm } from "../../runtime/alarm.ts";
import type { Heartbeat } from "../../runtime/heartbeat.ts";
import { MAX_OBJECT_SECONDS } from "../client/dead_connection.ts";
import { ApiError, isTransient } from "../client/errors.ts";
import type { KubeClient } from "../client/client.ts";
import { CORE_V1, type EventApi, eventPath, EVENTS_V1 } from "./event_api.ts";
import { type EventSeries, forgetOldest, type RecordedEvent, SeriesLedger } from "./event_series.ts";
import { aboutObject, describeRef } from "../../objects/ref.ts";
import { type Rate, TokenBucket } from "../../runtime/token_bucket.ts";

export interface EventRecorderOptions {
  client: Pick<KubeClient, "request">;
  clock: Clock;
  /** A number in [0, 1). */
  random: () => number;
  heartbeat: Pick<Heartbeat, "expectWithin" | "idle">;
  log: {
    debug(message: string, properties?: Record<string, unknown>): void;
    warn(message: string, properties?: Record<string, unknown>): void;
  };
  /** Identifies this sidecar among several: the name of the pod. */
  reportingInstance: string;
  /** Wall clock. */
  now: () => Date;
}

/**
 * Limit for requests, for all objects together. client-go gives its recorder a client of its own with burst 10 and 5 a
 * second.
 */
const REQUESTS: Rate = { burst: 25, refill: 0.2 };

/** Maximum attempts to post one Event. The backoff between them delays all Events. */
const MAX_ATTEMPTS = 5;
const FIRST_RETRY_SECONDS = 1;

/** Seconds before the recorder retries a request that RBAC forbids. */
const FORBIDDEN_SECONDS = 60;

/** Seconds for one Event: attempts with events.k8s.io and with core/v1, and a request to see which is served. */
const MAX_POST_SECONDS = 3 * MAX_OBJECT_SECONDS;

/** Seconds that a step of the loop may be late, on an overloaded machine. */
const HEARTBEAT_GRACE_SECONDS = 60;

type Verb = "create" | "patch";

/**
 * Posts Events with events.k8s.io/v1, or with core/v1 if that is not served or not allowed. Repeats are aggregated, and
 * surplus Events are dropped instead of delaying others (see {@link SeriesLedger} for the limits). Needs the verbs
 * create and patch on events, in the API groups "" and events.k8s.io.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #ledger: SeriesLedger;
  readonly #alarm: Alarm;
  readonly #backoff: Backoff;
  readonly #requests: TokenBucket;
  #api: EventApi = EVENTS_V1;
  /** After a failure of the API server: when the loop continues; by the clock, in ms. */
  #resumeAt = 0;
  /** For each `create NAMESPACE` that RBAC forbids, the time of the next attempt; by the clock, in ms. */
  readonly #forbidden = new Map<string, number>();
  #hasWarned = false;
  #reportedDrops = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#ledger = new SeriesLedger(options);
    this.#alarm = new Alarm(options.clock);
    this.#backoff = new Backoff({ first: FIRST_RETRY_SECONDS, random: options.random });
    this.#requests = new TokenBucket(REQUESTS, options.clock.now());
  }

  /** Number of Events that were not posted: there were too many, or the API server refused them. */
  get dropped(): number {
    return this.#ledger.dropped;
  }

  /** Queues an Event. Never throws. */
  record(event: RecordedEvent): void {
    if (this.#isForbidden("create", event.ref.namespace)) return;
    if (this.#ledger.add(event, this.#options.clock.now())) this.#alarm.ring();
  }

  /** Posts until the signal aborts. Events that are still queued then are lost. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, heartbeat } = this.#options;
    while (!signal.aborted) {
      const series = this.#ledger.next();
      const now = clock.now();
      const dueAt = series === undefined
        ? Infinity
        : Math.max(series.dueAt, this.#resumeAt, this.#requests.availableAt(now));
      if (series === undefined || dueAt > now) {
        this.#reportDrops();
        this.#expectWithin((dueAt - now) / 1000);
        await this.#alarm.sleepUntil(dueAt, signal);
      } else {
        this.#requests.take(now);
        this.#expectWithin(MAX_POST_SECONDS);
        await this.#post(series, signal);
      }
    }
    heartbeat.idle();
  }

  /** Tries once to post all queued Events, before the program ends (METHOD=LIST). Never rejects. */
  async flush(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#options.clock.now() >= this.#resumeAt) {
      const series = this.#ledger.next();
      if (series === undefined) return;
      await this.#post(series, signal);
    }
  }

  #expectWithin(seconds: number): void {
    this.#options.heartbeat.expectWithin(seconds + HEARTBEAT_GRACE_SECONDS);
  }

  async #post(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const verb = series.postedCount === 0 ? "create" : "patch";
    if (this.#isForbidden(verb, series.event.ref.namespace)) return this.#ledger.drop(series, clock.now());
    const { count } = series;
    try {
      await this.#send(series, verb, signal);
      this.#backoff.reset();
      this.#ledger.posted(series, count, clock.now());
    } catch (error) {
      if (signal.aborted) return;
      await this.#recover(series, verb, error, signal);
    }
  }

  async #send(series: EventSeries, verb: Verb, signal: AbortSignal): Promise<void> {
    try {
      await this.#sendBy(this.#api, series, verb, signal);
    } catch (error) {
      // Roles written for older programs allow events of the API group "" only
      if (this.#api === CORE_V1 || !isRbac(error)) throw error;
      await this.#sendBy(CORE_V1, series, verb, signal);
      this.#fallBack('the role allows events in the API group "" only');
    }
  }

  async #sendBy(api: EventApi, series: EventSeries, verb: Verb, signal: AbortSignal): Promise<void> {
    const { client, reportingInstance } = this.#options;
    const { namespace } = series.event.ref;
    if (verb === "patch") {
      await client.request("PATCH", eventPath(api, namespace, series.name), signal, api.repeat(series));
      return;
    }
    try {
      await client.request("POST", eventPath(api, namespace), signal, api.create(series, reportingInstance));
    } catch (error) {
      // An earlier attempt succeeded, but its answer was lost
      if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
    }
  }

  /** Decides whether to retry a failed Event. */
  async #recover(series: EventSeries, verb: Verb, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (isTransient(error) && ++series.failures < MAX_ATTEMPTS) return this.#wait(error);
    if (error instanceof ApiError && error.status === 404) {
      // The API server deletes Events, usually after an hour
      if (verb === "patch") return this.#ledger.restart(series);
      if (this.#api !== CORE_V1 && await this.#lacksGroup(signal)) {
        return this.#fallBack("events.k8s.io/v1 is not served");
      }
    }
    if (isRbac(error)) this.#forbid(verb, series.event.ref.namespace);
    if (isTransient(error)) this.#wait(error);
    this.#options.log.debug(
      `no Event for ${describeRef(series.event.ref)}: ${messageOf(error)}`,
      aboutObject(series.event.ref),
    );
    this.#ledger.drop(series, clock.now());
  }

  #wait(error: unknown): void {
    const delay = this.#backoff.next(error instanceof ApiError ? error.retryAfter : 0);
    this.#resumeAt = this.#options.clock.now() + delay * 1000;
    this.#options.log.debug(`Events wait ${delay.toFixed(1)} s: ${messageOf(error)}`);
  }

  /** Whether the API group is missing, and not just the namespace. */
  async #lacksGroup(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.client.request("GET", EVENTS_V1.root, signal);
      return false;
    } catch (error) {
      return error instanceof ApiError && error.status === 404;
    }
  }

  #fallBack(reason: string): void {
    this.#api = CORE_V1;
    this.#options.log.debug(`Events are posted by core/v1: ${reason}`);
  }

  #isForbidden(verb: Verb, namespace: string): boolean {
    const until = this.#forbidden.get(`${verb} ${namespace}`);
    return until !== undefined && this.#options.clock.now() < until;
  }

  #forbid(verb: Verb, namespace: string): void {
    const { clock, log } = this.#options;
    this.#forbidden.set(`${verb} ${namespace}`, clock.now() + FORBIDDEN_SECONDS * 1000);
    forgetOldest(this.#forbidden);
    const message = `Not allowed to ${verb} events in namespace "${namespace}": give the service account the verbs ` +
      'create and patch on events of the API groups "" and "events.k8s.io" there by RBAC';
    if (this.#hasWarned) log.debug(message);
    else log.warn(message);
    this.#hasWarned = true;
  }

  #reportDrops(): void {
    const { dropped } = this.#ledger;
    if (dropped === this.#reportedDrops) return;
    this.#reportedDrops = dropped;
    this.#options.log.debug("Events were dropped", { total: dropped });
  }
}

/** Whether RBAC caused a 403. In a namespace that is being deleted, creating anything is a 403, too. */
function isRbac(error: unknown): boolean {
  return error instanceof ApiError && error.isForbidden && !error.message.includes("because it is being terminated");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
