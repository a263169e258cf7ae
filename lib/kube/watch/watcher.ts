/**
 * One source, followed for ever: an endless sequence of what an observer must know to have the same objects as the API
 * server. The states and what is yielded are those of kube-rs' `kube-runtime/src/watcher.rs`; the rules of retrying are
 * those of client-go's `tools/cache/reflector.go`.
 *
 * ```
 *            ┌────────────── expired, resync ◀─────────────┐
 *            ▼                                             │
 *  empty ──▶ listing ── init, initApply*, initDone ──▶ watching ──▶ apply, delete
 *            │  ▲                                       │    ▲
 *            └──┘ failed: backs off, starts again       └────┘ ended, cut, failed: resumes at the last version
 * ```
 */
import { Backoff, MAX_DELAY_SECONDS } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Deadline } from "../../runtime/deadline.ts";
import { TransportError } from "../../http/transport.ts";
import { AnswerError, ApiError } from "../client/api_error.ts";
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "../client/client.ts";
import { isNamed, type KubeObject, type Status } from "../../objects/object.ts";
import { type Source } from "../../objects/source.ts";
import { isOlderVersion } from "../../objects/version.ts";

export type WatcherEvent =
  /** A list begins: what it does not bring is gone when it is done. */
  | { type: "init" }
  /** Objects of the list, as they came. */
  | { type: "initApply"; objects: readonly KubeObject[] }
  /** The list was complete. */
  | { type: "initDone" }
  | { type: "apply"; object: KubeObject }
  | { type: "delete"; object: KubeObject }
  /** After `failed`, a watch works again. */
  | { type: "resumed" }
  /** Something went wrong; the watcher goes on by itself in `retryIn` seconds. */
  | { type: "failed"; error: unknown; failures: number; retryIn: number };

/** What a watcher needs of a client. */
export interface ListWatch {
  streamingLists: boolean;
  list(source: Source, query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult>;
  watch(
    source: Source,
    query: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void>;
}

/** Times in seconds. */
export interface WatcherOptions {
  client: ListWatch;
  source: Source;
  /** `watch` goes on after the list; `list` lists again after `sleepTime`. */
  mode: "watch" | "list";
  sleepTime: number;
  serverTimeout: number;
  clientTimeout: number;
  /** 0: never. */
  resyncPeriod: number;
  firstBackoff: number;
  clock: Clock;
  random: () => number;
  /**
   * Called at each sign that the API server is there: an answer, an event, a bookmark, a clean end. Where the watcher
   * then waits on purpose, `pause` is for how many seconds.
   */
  onProgress?: (pause: number) => void;
}

/** Objects in one page of a list; client-go's own page size. */
const PAGE_SIZE = 500;

/** The API server's own limit for a request that is no watch (kube-apiserver `--request-timeout`). */
const LIST_TIMEOUT = 60;

/** A streaming list in which nothing came for so long will not end: some servers ignore what they do not know. */
const STREAMING_LIST_SILENCE = 10;

/** Seconds; a watch that ends sooner was not a watch, though it may have brought something: there is no hurry to ask again. */
const SHORTEST_WATCH = 1;

/** Answers that say nothing about the version that was asked for. */
const VERSION_NEUTRAL: ReadonlySet<number> = new Set([401, 403, 429, 503]);

/** So many other refusals in a row of one version, and only a list leads past it (client-go lists at the first). */
const VERSION_ATTEMPTS = 3;

/** A 403 changes only when somebody changes RBAC: asked less often. In first delays. */
const FORBIDDEN_FACTOR = 8;

/** A server's Retry-After is heeded up to so many seconds: beyond, it is a mistake of somebody in between. */
const LONGEST_RETRY_AFTER = 300;

/** A resync that is due within so many seconds is due now: the watch in between would be too short to be one. */
const LONGEST_RESYNC_MARGIN = 1;

/** The share of its period by which a resync may be early, at random: a fleet is not to list together. */
const RESYNC_SPREAD = 0.1;

/** The fewest seconds from one list to the resync after it. */
export function soonestResync(resyncPeriod: number): number {
  return resyncPeriod * (1 - RESYNC_SPREAD) - resyncMargin(resyncPeriod);
}

function resyncMargin(resyncPeriod: number): number {
  return Math.min(LONGEST_RESYNC_MARGIN, resyncPeriod / 2);
}

/** Bookmark that ends a streaming list; see KEP-3157. */
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** Raised by a server whose versions went backwards: its store was put back, so what we know may be of another world. */
class VersionError extends Error {
  override readonly name = "VersionError";
}

/** A streaming list that ended, or fell silent, before its last bookmark. */
class StreamingListError extends Error {
  override readonly name = "StreamingListError";
}

/** A watch that ended as soon as it had begun. */
class ShortWatchError extends AnswerError {}

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #backoff: Backoff;
  /** Where to resume; `undefined` in the states empty and listing. */
  #version: string | undefined;
  /** When the last list was done, and when the next is due; by the clock, in ms. */
  #listedAt = -Infinity;
  #resyncAt = Infinity;
  /** The next watch is cut at random, so that sidecars that began together do not reconnect together. */
  #spread = true;
  /** The last watch failed: before resuming, ask whether the server still knows our version. */
  #doubtful = false;
  /** Told that something failed, and not yet that it works again. */
  #isFailing = false;
  /** Refusals to go on from our version, in a row. */
  #refusals = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ first: options.firstBackoff, random: options.random });
  }

  /** Runs until the signal aborts; never throws. */
  async *run(signal: AbortSignal): AsyncGenerator<WatcherEvent, void> {
    while (!signal.aborted) {
      try {
        yield* this.#step(signal);
      } catch (error) {
        if (signal.aborted) return;
        const failed = this.#recover(error);
        if (failed === undefined) continue;
        yield failed;
        await this.#options.clock.sleep(failed.retryIn, signal).catch(() => {});
      }
    }
  }

  async *#step(signal: AbortSignal): AsyncGenerator<WatcherEvent, void> {
    const { mode, sleepTime, resyncPeriod, client, clock } = this.#options;
    if (clock.now() >= this.#resyncAt - resyncMargin(resyncPeriod) * 1000) this.#version = undefined;
    if (mode === "list") {
      yield* this.#list(signal);
      this.#backoff.reset();
      this.#progress(sleepTime);
      await clock.sleep(sleepTime, signal);
    } else if (this.#version !== undefined) {
      if (this.#doubtful) await this.#checkVersion(this.#version, signal);
      yield* this.#watch(signal, {});
    } else if (client.streamingLists) {
      yield { type: "init" };
      yield* this.#watch(signal, { sendInitialEvents: true });
    } else {
      yield* this.#list(signal);
    }
  }

  /** Sets the state that an error leads to. Returns what to tell and how long to wait; nothing when there is no need. */
  #recover(error: unknown): (WatcherEvent & { type: "failed" }) | undefined {
    this.#spread = true;
    if (error instanceof StreamingListError) {
      this.#options.client.streamingLists = false;
      return undefined;
    }
    const expired = error instanceof ApiError && (error.isExpired || error.isAheadOfServer);
    if (error instanceof ApiError && !VERSION_NEUTRAL.has(error.status)) this.#refusals++;
    if (expired || error instanceof VersionError || this.#refusals >= VERSION_ATTEMPTS) this.#version = undefined;
    // Who answers 5xx may be a proxy, before a server that is being put back
    const isAnswer = error instanceof ApiError && error.status < 500;
    this.#doubtful = this.#version !== undefined && (this.#doubtful || !isAnswer);

    const delay = this.#backoff.next(this.#leastDelay(error));
    const retryIn = expired && !this.#listedJustNow() ? 0 : delay;
    this.#isFailing ||= retryIn > 0;
    if (error instanceof ApiError) this.#progress(retryIn);
    return { type: "failed", error, failures: this.#backoff.failures, retryIn };
  }

  /** A version that expires as soon as it was listed would have us list in a hot loop. */
  #listedJustNow(): boolean {
    return this.#options.clock.now() - this.#listedAt < SHORTEST_WATCH * 1000;
  }

  #leastDelay(error: unknown): number {
    if (error instanceof ShortWatchError) return SHORTEST_WATCH;
    if (!(error instanceof ApiError)) return 0;
    const { firstBackoff } = this.#options;
    if (error.retryAfter !== undefined) return Math.min(error.retryAfter, LONGEST_RETRY_AFTER);
    return error.isForbidden ? Math.min(MAX_DELAY_SECONDS, firstBackoff * FORBIDDEN_FACTOR) : 0;
  }

  /** Lists in pages. A `continue` that expired in between begins anew, in one page: the server is too busy for more. */
  async *#list(signal: AbortSignal): AsyncGenerator<WatcherEvent, void> {
    let query: ListQuery = { limit: PAGE_SIZE };
    yield { type: "init" };
    while (true) {
      try {
        const page = yield* this.#page(query, signal);
        if (page.continue === undefined) return yield* this.#listed(page.resourceVersion);
        query = { ...query, continue: page.continue };
      } catch (error) {
        if (!(error instanceof ApiError && error.isExpired && query.continue !== undefined)) throw error;
        query = {};
        yield { type: "init" };
      }
    }
  }

  async *#page(query: ListQuery, signal: AbortSignal): AsyncGenerator<WatcherEvent, ListResult> {
    using deadline = new Deadline(this.#options.clock, LIST_TIMEOUT, signal);
    const page = this.#options.client.list(this.#options.source, query, deadline.signal);
    try {
      while (true) {
        const { done, value } = await page.next();
        this.#progress();
        if (done) return value;
        deadline.extend();
        yield { type: "initApply", objects: value };
      }
    } finally {
      await page.return({ resourceVersion: "" });
    }
  }

  *#listed(version: string): Generator<WatcherEvent, void> {
    const { resyncPeriod, random, clock } = this.#options;
    this.#version = version;
    this.#doubtful = false;
    this.#refusals = 0;
    this.#spread = true;
    this.#listedAt = clock.now();
    this.#resyncAt = resyncPeriod === 0
      ? Infinity
      : this.#listedAt + resyncPeriod * 1000 * (1 - RESYNC_SPREAD * random());
    this.#isFailing = false;
    yield { type: "initDone" };
  }

  /** One watch request, from its start to its end. With `sendInitialEvents` it begins with the list. */
  async *#watch(signal: AbortSignal, { sendInitialEvents = false }): AsyncGenerator<WatcherEvent, void> {
    const { client, source, clock, serverTimeout } = this.#options;
    const startedAt = clock.now();
    using deadline = new Deadline(clock, sendInitialEvents ? STREAMING_LIST_SILENCE : this.#watchTime(), signal);
    let listing = sendInitialEvents;
    let answered = false;
    try {
      const events = client.watch(
        source,
        {
          timeoutSeconds: serverTimeout,
          ...(this.#version === undefined ? {} : { resourceVersion: this.#version }),
          ...(sendInitialEvents ? { sendInitialEvents } : {}),
        },
        deadline.signal,
        () => {
          answered = true;
          this.#progress();
        },
      );
      for await (const batch of events) {
        this.#progress();
        if (listing) deadline.extend();
        const listed: KubeObject[] = [];
        for (const event of batch) {
          this.#assertEvent(event);
          if (!listing) yield* this.#live(event);
          else if (isListEnd(event)) {
            listing = false;
            yield* gathered(listed);
            yield* this.#listed(event.object.metadata.resourceVersion);
            deadline.extend(this.#watchTime());
          } else if (event.type === "DELETED") {
            yield* gathered(listed);
            yield { type: "delete", object: event.object };
          } else if (event.type !== "BOOKMARK") listed.push(event.object);
        }
        yield* gathered(listed);
      }
    } catch (error) {
      if (answered && clock.now() - startedAt >= SHORTEST_WATCH * 1000) {
        this.#backoff.reset();
        yield* this.#works();
      }
      if (sendInitialEvents && error instanceof ApiError && error.refusesStreamingList) {
        throw new StreamingListError("the API server refuses a streaming list", { cause: error });
      }
      if (!deadline.passed || signal.aborted) throw error;
      if (!answered) throw new TransportError("read", `no answer to a watch of ${source.kind}s`, { cause: error });
    }
    if (listing) throw new StreamingListError("the API server began a streaming list and did not end it");
    if (!deadline.passed) {
      this.#progress();
      if (clock.now() - startedAt < SHORTEST_WATCH * 1000) {
        throw new ShortWatchError(`the API server ended a watch of ${source.kind}s as soon as it had begun`);
      }
    }
    this.#backoff.reset();
    this.#spread = false;
    yield* this.#works();
  }

  /** @throws {ApiError | AnswerError} the server says that something went wrong, or what it says is no event */
  #assertEvent(event: WatchEvent): void {
    const { kind } = this.#options.source;
    if (event.type === "ERROR") throw new ApiError(`watch of ${kind}s`, codeOf(event), statusOf(event));
    if (event.type === "BOOKMARK" ? event.object?.metadata === undefined : !isNamed(event.object)) {
      throw new AnswerError(`a watch of ${kind}s brought a line that is no event`);
    }
  }

  /** What happened after the list. */
  *#live({ type, object }: WatchEvent): Generator<WatcherEvent, void> {
    if (type !== "BOOKMARK") yield { type: type === "DELETED" ? "delete" : "apply", object };
    const version: string | undefined = object.metadata.resourceVersion;
    if (version !== undefined && version !== "") this.#advance(version);
    yield* this.#works();
  }

  *#works(): Generator<WatcherEvent, void> {
    if (this.#isFailing) yield { type: "resumed" };
    this.#isFailing = false;
  }

  /** Seconds that the next watch may live. */
  #watchTime(): number {
    const { clock, clientTimeout, serverTimeout, random } = this.#options;
    const whole = Math.min(clientTimeout, Math.max(0, (this.#resyncAt - clock.now()) / 1000));
    return this.#spread ? Math.min(whole, serverTimeout * (0.5 + 0.5 * random())) : whole;
  }

  /** @throws {VersionError} the version is older than what we have seen: we may have missed what came between */
  #advance(version: string): void {
    if (this.#version === version) return;
    if (this.#version !== undefined && isOlderVersion(version, this.#version)) {
      throw new VersionError(`resourceVersion ${version} came after ${this.#version}: listing again`);
    }
    this.#version = version;
    this.#refusals = 0;
    this.#backoff.reset();
  }

  /**
   * Asks for the server's version, by a list of one. A server that was restored from a backup takes a watch from a
   * version of its lost future and stays silent for ever.
   */
  async #checkVersion(known: string, signal: AbortSignal): Promise<void> {
    const { client, source, clock, clientTimeout } = this.#options;
    using deadline = new Deadline(clock, Math.min(LIST_TIMEOUT, clientTimeout), signal);
    const page = client.list(source, { limit: 1 }, deadline.signal);
    let result = await page.next();
    while (!result.done) result = await page.next();
    this.#progress();
    const { resourceVersion } = result.value;
    if (isOlderVersion(resourceVersion, known)) {
      throw new VersionError(`the API server is at ${resourceVersion}, we are at ${known}`);
    }
    this.#doubtful = false;
  }

  #progress(pause = 0): void {
    this.#options.onProgress?.(pause);
  }
}

function isListEnd({ type, object }: WatchEvent): boolean {
  return type === "BOOKMARK" && object.metadata.annotations?.[INITIAL_EVENTS_END] === "true";
}

/** What was gathered of a streaming list, if anything. */
function* gathered(objects: KubeObject[]): Generator<WatcherEvent, void> {
  if (objects.length > 0) yield { type: "initApply", objects: objects.splice(0) };
}

function statusOf(event: WatchEvent): Partial<Status> {
  return event.object as unknown as Partial<Status>;
}

function codeOf(event: WatchEvent): number {
  return statusOf(event)?.code ?? 500;
}
