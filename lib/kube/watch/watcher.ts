/**
 * Follows one source for ever: an endless sequence of what an observer needs to have the same objects as the API server.
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
import { Known, type State } from "./state.ts";
import { StreamingListTimeout } from "./streaming_list_timeout.ts";

export type WatcherEvent =
  /** A list begins: objects that it does not bring are gone when it is done. */
  | { type: "init" }
  /** Objects of the list, as they came. */
  | { type: "initApply"; objects: readonly KubeObject[] }
  /** The list is complete. */
  | { type: "initDone" }
  | { type: "apply"; object: KubeObject }
  | { type: "delete"; object: KubeObject }
  /** After `failed`, a watch works again. */
  | { type: "resumed" }
  /** Something failed; the watcher goes on by itself in `retryIn` seconds. */
  | { type: "failed"; error: unknown; failures: number; retryIn: number };

/** Times in seconds. */
export interface WatcherOptions extends SourceRequestsOptions {
  /** `watch` goes on after the list; `list` lists again after `sleepTime`. */
  mode: "watch" | "list";
  sleepTime: number;
  /** 0: never. */
  resyncPeriod: number;
  firstBackoff: number;
}

/** Seconds that a consumer may take for one object: the finalizer's requests. */
const MAX_CONSUMER_SECONDS = 60;

/** Bookmark that ends a streaming list; see KEP-3157. */
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

type Step<T extends State["type"]> = State & { type: T };

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #requests: SourceRequests;
  readonly #retryPolicy: RetryPolicy;

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
        try {
          next = yield* this.#step(state, signal);
        } catch (error) {
          if (signal.aborted) return;
          next = yield* this.#failed(state, error);
        }
        if ("watch" in state && !("watch" in next && next.watch === state.watch)) await state.watch.close();
        state = next;
      }
    } finally {
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
    yield* this.#tell({ type: "init" });
    if (mode === "list" || !client.streamingLists) return { type: "listing", query: FIRST_PAGE };
    const watch = this.#requests.openStreamingList(signal);
    return { type: "streaming", watch, timeout: new StreamingListTimeout() };
  }

  async *#listPage({ query }: Step<"listing">, signal: AbortSignal): AsyncGenerator<WatcherEvent, State> {
    try {
      const result = yield* this.#page(query, signal);
      const next = nextPage(result);
      if (next !== undefined) return { type: "listing", query: next };
      const known = yield* this.#listed(result.resourceVersion);
      if (this.#options.mode === "watch") return { type: "resuming", known };
      this.#retryPolicy.succeeded();
      return { type: "waiting", seconds: this.#options.sleepTime, then: { type: "empty" } };
    } catch (error) {
      const restarted = restartedList(query, error);
      if (restarted === undefined) throw error;
      yield* this.#tell({ type: "init" });
      return { type: "listing", query: restarted };
    }
  }

  async *#page(query: ListQuery, signal: AbortSignal): AsyncGenerator<WatcherEvent, ListResult> {
    const page = this.#requests.page(query, signal);
    try {
      while (true) {
        const { done, value } = await page.next();
        if (done) return value;
        yield* this.#tellObjects(value);
      }
    } finally {
      await page.return({ resourceVersion: "" });
    }
  }

  async *#listed(version: string): AsyncGenerator<WatcherEvent, Known> {
    const { resyncPeriod, random, clock } = this.#options;
    const now = clock.now();
    this.#retryPolicy.takeFailing();
    yield* this.#tell({ type: "initDone" });
    return new Known(version, now, now + resyncDelay(resyncPeriod, random) * 1000);
  }

  /** Reads on in a streaming list. */
  async *#stream(state: Step<"streaming">): AsyncGenerator<WatcherEvent, State> {
    const { watch, timeout } = state;
    const batch = await this.#requests.nextOfList(watch, timeout);
    const objects: KubeObject[] = [];
    for (const [index, event] of batch.entries()) {
      assertEvent(event, this.#options.source);
      if (isListEnd(event)) {
        yield* this.#tellObjects(objects);
        const known = yield* this.#listed(event.object.metadata.resourceVersion);
        watch.putBack(batch.slice(index + 1));
        watch.live(this.#requests.watchSeconds(known));
        return { type: "watching", watch, known };
      }
      timeout.saw(event.type);
      if (event.type === "DELETED") {
        yield* this.#tellObjects(objects.splice(0));
        yield* this.#tell({ type: "delete", object: event.object });
      } else if (event.type !== "BOOKMARK") objects.push(event.object);
    }
    yield* this.#tellObjects(objects);
    return state;
  }

  async #resume({ known }: Step<"resuming">, signal: AbortSignal): Promise<State> {
    const { clock, resyncPeriod } = this.#options;
    if (isResyncDue((known.resyncAt - clock.now()) / 1000, resyncPeriod)) return { type: "empty" };
    if (known.isDoubtful) await this.#checkVersion(known, signal);
    const watch = this.#requests.openWatch(known, signal);
    return { type: "watching", watch, known };
  }

  async *#follow(state: Step<"watching">): AsyncGenerator<WatcherEvent, State> {
    const { watch, known } = state;
    const batch = await this.#requests.nextOfWatch(watch);
    if (batch === undefined) {
      this.#assertLived(state);
      known.isSpread = false;
      yield* this.#lived(known);
      return { type: "resuming", known };
    }
    known.emptyWatches = 0;
    for (const event of batch) {
      assertEvent(event, this.#options.source);
      const { type, object } = event;
      if (type !== "BOOKMARK") yield* this.#tell({ type: type === "DELETED" ? "delete" : "apply", object });
      const version: string | undefined = object.metadata.resourceVersion;
      // The watch has brought us forward: it counts as a success even if it is cut before it has lived
      if (version !== undefined && version !== "" && known.advance(version)) this.#retryPolicy.succeeded();
      yield* this.#works();
    }
    return state;
  }

  /** @throws {ShortWatchError} the server ended the watch at once */
  #assertLived(state: Step<"watching">): void {
    const { watch, known } = state;
    if (watch.isOutOfTime || this.#hasLived(state)) return;
    if (watch.isEmpty) known.emptyWatches++;
    const { kind } = this.#options.source;
    throw new ShortWatchError(
      known.emptyWatches < MAX_EMPTY_WATCHES
        ? `the API server ended a watch of ${kind}s as soon as it had begun`
        : `the API server ended ${known.emptyWatches} watches of ${kind}s in a row as soon as they had begun: listing again`,
    );
  }

  #hasLived({ watch, known }: Step<"watching">): boolean {
    const { answeredAt } = watch;
    return answeredAt !== undefined &&
      this.#secondsSince(Math.max(answeredAt, known.listedAt)) >= MIN_WATCH_SECONDS;
  }

  /** A watch lived for long enough. */
  *#lived(known: Known): Generator<WatcherEvent, void> {
    known.isFresh = false;
    known.emptyWatches = 0;
    this.#retryPolicy.succeeded();
    yield* this.#works();
  }

  /** Reports a failure. Returns the state that it leads to. */
  async *#failed(state: State, error: unknown): AsyncGenerator<WatcherEvent, State> {
    if (error instanceof StreamingListError) {
      this.#options.client.streamingLists = false;
      return { type: "empty" };
    }
    if (error instanceof ApiError) this.#requests.contact();
    if (state.type === "watching" && this.#hasLived(state)) yield* this.#lived(state.known);
    const known = "known" in state ? state.known : undefined;
    const { failures, retryIn, relists } = this.#retryPolicy.failed(known, error);
    yield* this.#tell({ type: "failed", error, failures, retryIn });
    const then: State = known === undefined || relists ? { type: "empty" } : { type: "resuming", known };
    return { type: "waiting", seconds: retryIn, then };
  }

  /** @throws {VersionError} the server's version is older than ours */
  async #checkVersion(known: Known, signal: AbortSignal): Promise<void> {
    const version = await this.#requests.version(signal);
    if (isOlderVersion(version, known.version)) {
      throw new VersionError(`the API server is at ${version}, we are at ${known.version}`);
    }
    known.isDoubtful = false;
  }

  *#tell(event: WatcherEvent): Generator<WatcherEvent, void> {
    this.#requests.expectWithin(MAX_CONSUMER_SECONDS * ("objects" in event ? event.objects.length : 1));
    yield event;
  }

  *#tellObjects(objects: readonly KubeObject[]): Generator<WatcherEvent, void> {
    if (objects.length > 0) yield* this.#tell({ type: "initApply", objects });
  }

  *#works(): Generator<WatcherEvent, void> {
    if (this.#retryPolicy.takeFailing()) yield* this.#tell({ type: "resumed" });
  }

  #secondsSince(time: number): number {
    return (this.#options.clock.now() - time) / 1000;
  }
}

function isListEnd({ type, object }: WatchEvent): boolean {
  return type === "BOOKMARK" && object.metadata.annotations?.[INITIAL_EVENTS_END] === "true";
}
