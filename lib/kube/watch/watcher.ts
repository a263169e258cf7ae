/**
 * Follows one source for ever: yields an endless sequence of events from which a consumer can mirror the API server.
 * One step function over named states, as in kube-rs' `kube-runtime/src/watcher.rs`: see state.ts for the states, and
 * retry_policy.ts for what follows a failure.
 */
import type { KubeObject } from "../../objects/object.ts";
import { isOlderVersion } from "../../objects/version.ts";
import type { ListQuery, ListResult, WatchEvent } from "../client/client.ts";
import { ApiError } from "../client/errors.ts";
import { FIRST_PAGE, nextPage, restartedList } from "../client/pages.ts";
import { assertEvent } from "./watch_request.ts";
import { isResyncDue, resyncDelay } from "./resync.ts";
import { MAX_EMPTY_WATCHES, MIN_WATCH_SECONDS, RetryPolicy } from "./retry_policy.ts";
import { ShortWatchError, StreamingListError, VersionError } from "./watch_errors.ts";
import { SourceRequests, type SourceRequestsOptions } from "./source_requests.ts";
import { type Restart, restartOf } from "./restarts.ts";
import { ResumePoint, type State } from "./state.ts";
import { StreamingListTimeout } from "./streaming_list_timeout.ts";

export type WatcherEvent =
  /** A list begins. Objects that are not in it when it is complete no longer exist. */
  | { type: "init" }
  /** Objects of the list, in the order of their arrival. */
  | { type: "initApply"; objects: readonly KubeObject[] }
  /** The list is complete. */
  | { type: "initDone" }
  | { type: "apply"; object: KubeObject }
  | { type: "delete"; object: KubeObject }
  /** A watch works again after `failed`. */
  | { type: "resumed" }
  /** A request failed; the watcher retries by itself in `retryIn` seconds. */
  | { type: "failed"; error: unknown; failures: number; retryIn: number };

/** Times in seconds. */
export interface WatcherOptions extends SourceRequestsOptions {
  /** `watch`: watches after the list. `list`: lists again after `sleepTime`. */
  mode: "watch" | "list";
  sleepTime: number;
  /** 0: never. */
  resyncPeriod: number;
  firstBackoff: number;
  /** A watch or a list has to be made again. */
  onRestart?: (restart: Restart) => void;
}

/** Maximum seconds that the consumer takes for one object: it may have to add a finalizer. */
const MAX_CONSUMER_SECONDS = 60;

/** Bookmark that ends a streaming list; see KEP-3157. */
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

type Step<T extends State["type"]> = State & { type: T };

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #requests: SourceRequests;
  readonly #retryPolicy: RetryPolicy;
  /** The credentials may perhaps list, but not watch. */
  #listsInPages = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#requests = new SourceRequests(options);
    this.#retryPolicy = new RetryPolicy(options);
  }

  /** Runs until the signal aborts; never throws. */
  async *run(signal: AbortSignal): AsyncGenerator<WatcherEvent, void> {
    let state: State = { type: "empty" };
    try {
      while (!signal.aborted) {
        let next: State;
        let failure: unknown;
        try {
          next = yield* this.#step(state, signal);
        } catch (error) {
          if (signal.aborted) return;
          failure = error;
          next = yield* this.#failed(state, error);
        }
        const restart = restartOf(state, next, failure);
        if (restart !== undefined) this.#options.onRestart?.(restart);
        if ("place" in state && !("place" in next)) state.place[Symbol.dispose]();
        if ("watch" in state && !("watch" in next && next.watch === state.watch)) await state.watch.close();
        state = next;
      }
    } finally {
      if ("place" in state) state.place[Symbol.dispose]();
      if ("watch" in state) await state.watch.close();
    }
  }

  /** @throws {ApiError | AnswerError | TransportError | CredentialsError | VersionError} the state stays as it is */
  async *#step(state: State, signal: AbortSignal): AsyncGenerator<WatcherEvent, State> {
    switch (state.type) {
      case "empty":
        return yield* this.#begin(signal);
      case "listing":
        return yield* this.#listPage(state, signal);
      case "streaming":
        return yield* this.#stream(state);
      case "resuming":
        return await this.#resume(state, signal);
      case "watching":
        return yield* this.#follow(state);
      case "waiting":
        this.#requests.expectWithin(state.seconds);
        await this.#options.clock.sleep(state.seconds, signal);
        return state.then;
    }
  }

  async *#begin(signal: AbortSignal): AsyncGenerator<WatcherEvent, State> {
    const { mode, client } = this.#options;
    yield* this.#emit({ type: "init" });
    const place = await this.#requests.enterLists(signal);
    if (mode === "list" || !client.streamingLists || this.#listsInPages) {
      return { type: "listing", query: FIRST_PAGE, place };
    }
    const watch = this.#requests.openStreamingList(signal);
    return { type: "streaming", watch, timeout: new StreamingListTimeout(), place };
  }

  async *#listPage({ query, place }: Step<"listing">, signal: AbortSignal): AsyncGenerator<WatcherEvent, State> {
    try {
      const result = yield* this.#page(query, signal);
      const next = nextPage(result);
      if (next !== undefined) return { type: "listing", query: next, place };
      const resumePoint = yield* this.#listed(result.resourceVersion);
      if (this.#options.mode === "watch") return { type: "resuming", resumePoint };
      this.#retryPolicy.succeeded();
      return { type: "waiting", seconds: this.#options.sleepTime, then: { type: "empty" } };
    } catch (error) {
      const restarted = restartedList(query, error);
      if (restarted === undefined) throw error;
      yield* this.#emit({ type: "init" });
      return { type: "listing", query: restarted, place };
    }
  }

  async *#page(query: ListQuery, signal: AbortSignal): AsyncGenerator<WatcherEvent, ListResult> {
    const page = this.#requests.page(query, signal);
    try {
      while (true) {
        const { done, value } = await page.next();
        if (done) return value;
        yield* this.#emitObjects(value);
      }
    } finally {
      await page.return({ resourceVersion: "" });
    }
  }

  async *#listed(version: string): AsyncGenerator<WatcherEvent, ResumePoint> {
    const { resyncPeriod, random, clock } = this.#options;
    const now = clock.now();
    this.#retryPolicy.takeFailing();
    yield* this.#emit({ type: "initDone" });
    return new ResumePoint(version, now, now + resyncDelay(resyncPeriod, random) * 1000);
  }

  /** Reads the next events of a streaming list. */
  async *#stream(state: Step<"streaming">): AsyncGenerator<WatcherEvent, State> {
    const { watch, timeout } = state;
    const batch = await this.#requests.nextOfList(watch, timeout);
    const objects: KubeObject[] = [];
    for (const [index, event] of batch.entries()) {
      assertEvent(event, this.#options.source);
      if (isListEnd(event)) {
        yield* this.#emitObjects(objects);
        const resumePoint = yield* this.#listed(event.object.metadata.resourceVersion);
        watch.isEmpty = false;
        watch.putBack(batch.slice(index + 1));
        watch.live(this.#requests.watchSeconds(resumePoint));
        return { type: "watching", watch, resumePoint };
      }
      timeout.saw(event.type);
      if (event.type === "DELETED") {
        yield* this.#emitObjects(objects.splice(0));
        yield* this.#emit({ type: "delete", object: event.object });
      } else if (event.type !== "BOOKMARK") objects.push(event.object);
    }
    yield* this.#emitObjects(objects);
    return state;
  }

  async #resume({ resumePoint }: Step<"resuming">, signal: AbortSignal): Promise<State> {
    const { clock, resyncPeriod } = this.#options;
    if (isResyncDue((resumePoint.resyncAt - clock.now()) / 1000, resyncPeriod)) return { type: "empty" };
    if (resumePoint.mustVerifyVersion) await this.#checkVersion(resumePoint, signal);
    const watch = this.#requests.openWatch(resumePoint, signal);
    return { type: "watching", watch, resumePoint };
  }

  async *#follow(state: Step<"watching">): AsyncGenerator<WatcherEvent, State> {
    const { watch, resumePoint } = state;
    const batch = await this.#requests.nextOfWatch(watch);
    if (batch === undefined) {
      this.#assertLived(state);
      resumePoint.randomizeLifetime = false;
      yield* this.#lived(resumePoint);
      return { type: "resuming", resumePoint };
    }
    for (const event of batch) {
      assertEvent(event, this.#options.source);
      const { type, object } = event;
      if (type !== "BOOKMARK") yield* this.#emit({ type: type === "DELETED" ? "delete" : "apply", object });
      const version: string | undefined = object.metadata.resourceVersion;
      const isNewer = version !== undefined && version !== "" && resumePoint.advance(version);
      // A newer version counts as a success, even if the watch is cut within MIN_WATCH_SECONDS
      if (isNewer) this.#retryPolicy.succeeded();
      if (isNewer || type !== "BOOKMARK") {
        watch.isEmpty = false;
        resumePoint.emptyWatches = 0;
        yield* this.#reportRecovery();
      } else if (this.#hasLived(state)) yield* this.#reportRecovery();
    }
    return state;
  }

  /** @throws {ShortWatchError} the server ended the watch at once */
  #assertLived(state: Step<"watching">): void {
    const { watch, resumePoint } = state;
    if (watch.isOutOfTime || this.#hasLived(state)) return;
    if (watch.isEmpty) resumePoint.emptyWatches++;
    const { kind } = this.#options.source;
    throw new ShortWatchError(
      resumePoint.emptyWatches < MAX_EMPTY_WATCHES
        ? `the API server ended a watch of ${kind}s as soon as it had begun`
        : `the API server ended ${resumePoint.emptyWatches} watches of ${kind}s in a row as soon as they had begun: listing again`,
    );
  }

  #hasLived({ watch, resumePoint }: Step<"watching">): boolean {
    const { answeredAt } = watch;
    return answeredAt !== undefined &&
      this.#secondsSince(Math.max(answeredAt, resumePoint.listedAt)) >= MIN_WATCH_SECONDS;
  }

  /** A watch lived for at least {@link MIN_WATCH_SECONDS}. */
  *#lived(resumePoint: ResumePoint): Generator<WatcherEvent, void> {
    resumePoint.noWatchYet = false;
    resumePoint.emptyWatches = 0;
    this.#retryPolicy.succeeded();
    yield* this.#reportRecovery();
  }

  /** Reports a failure. Returns the next state. */
  async *#failed(state: State, error: unknown): AsyncGenerator<WatcherEvent, State> {
    if (error instanceof StreamingListError) {
      this.#options.client.streamingLists = false;
      return { type: "empty" };
    }
    if (error instanceof ApiError) this.#requests.contact();
    // A streaming list needs the right to watch, a list does not
    if (state.type === "streaming" && error instanceof ApiError && error.isForbidden) {
      this.#listsInPages = true;
      return { type: "empty" };
    }
    if (state.type === "watching" && this.#hasLived(state)) yield* this.#lived(state.resumePoint);
    const resumePoint = "resumePoint" in state ? state.resumePoint : undefined;
    const { failures, retryIn, relists } = this.#retryPolicy.failed(resumePoint, error);
    yield* this.#emit({ type: "failed", error, failures, retryIn });
    const then: State = resumePoint === undefined || relists ? { type: "empty" } : { type: "resuming", resumePoint };
    return { type: "waiting", seconds: retryIn, then };
  }

  /** @throws {VersionError} the server's version is older than ours */
  async #checkVersion(resumePoint: ResumePoint, signal: AbortSignal): Promise<void> {
    using _ = await this.#requests.enterLists(signal);
    const version = await this.#requests.version(signal);
    if (isOlderVersion(version, resumePoint.version)) {
      throw new VersionError(`the API server is at ${version}, we are at ${resumePoint.version}`);
    }
    resumePoint.mustVerifyVersion = false;
  }

  *#emit(event: WatcherEvent): Generator<WatcherEvent, void> {
    this.#requests.expectWithin(MAX_CONSUMER_SECONDS * ("objects" in event ? event.objects.length : 1));
    yield event;
  }

  *#emitObjects(objects: readonly KubeObject[]): Generator<WatcherEvent, void> {
    if (objects.length > 0) yield* this.#emit({ type: "initApply", objects });
  }

  *#reportRecovery(): Generator<WatcherEvent, void> {
    if (this.#retryPolicy.takeFailing()) yield* this.#emit({ type: "resumed" });
  }

  #secondsSince(time: number): number {
    return (this.#options.clock.now() - time) / 1000;
  }
}

function isListEnd({ type, object }: WatchEvent): boolean {
  return type === "BOOKMARK" && object.metadata.annotations?.[INITIAL_EVENTS_END] === "true";
}
