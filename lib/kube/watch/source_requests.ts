import type { Clock } from "../../runtime/clock.ts";
import type { Heartbeat } from "../../runtime/heartbeat.ts";
import type { KubeObject } from "../../objects/object.ts";
import type { WatchTarget } from "../../objects/source.ts";
import { MAX_OBJECT_SECONDS, MAX_PAGE_SECONDS, watchLifetime } from "../client/dead_connection.ts";
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "../client/client.ts";
import type { ListWatch } from "../client/object_api.ts";
import { ApiError } from "../client/errors.ts";
import { WatchRequest } from "./watch_request.ts";
import { StreamingListError } from "./watch_errors.ts";
import type { ResumePoint } from "./state.ts";
import type { StreamingListTimeout } from "./streaming_list_timeout.ts";

/** Times in seconds. */
export interface SourceRequestsOptions {
  client: ListWatch;
  source: WatchTarget;
  /** WATCH_SERVER_TIMEOUT and WATCH_CLIENT_TIMEOUT. */
  serverTimeout: number;
  clientTimeout: number;
  clock: Clock;
  /** A number in [0, 1). */
  random: () => number;
  /**
   * Learns how long each step may take, so that a watcher that hangs is overdue, but not one whose server is
   * unreachable.
   */
  heartbeat: Pick<Heartbeat, "expectWithin">;
  /** Called whenever the API server sends something: an answer, an event, a bookmark, a clean end. */
  onContact?: () => void;
}

/** Seconds that a step may take beyond its deadlines, on an overloaded machine. */
const HEARTBEAT_GRACE_SECONDS = 60;

/** The requests of one watcher. Each wait is announced to the heartbeat with the deadline that ends it. */
export class SourceRequests {
  readonly #options: SourceRequestsOptions;

  constructor(options: SourceRequestsOptions) {
    this.#options = options;
  }

  /**
   * One page of a list. Yields objects as they come.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async *page(query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult> {
    const page = this.#options.client.list(this.#options.source, query, signal);
    try {
      while (true) {
        this.expectWithin(MAX_PAGE_SECONDS);
        const { done, value } = await page.next();
        this.contact();
        if (done) return value;
        yield value;
      }
    } finally {
      await page.return({ resourceVersion: "" });
    }
  }

  /**
   * The server's resourceVersion, by a list of one.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async version(signal: AbortSignal): Promise<string> {
    const page = this.page({ limit: 1 }, signal);
    let result = await page.next();
    while (!result.done) result = await page.next();
    return result.value.resourceVersion;
  }

  /** Waits until the client allows one more list. Dispose of the result when the list has ended. */
  async enterLists(signal: AbortSignal): Promise<Disposable> {
    this.expectWithin(Infinity);
    return await this.#options.client.lists.enter(signal);
  }

  /** Opens a watch that begins with the list. */
  openStreamingList(signal: AbortSignal): WatchRequest {
    return this.#open({ sendInitialEvents: true }, this.#options.clientTimeout, signal);
  }

  /** Opens a watch that resumes. */
  openWatch(resumePoint: ResumePoint, signal: AbortSignal): WatchRequest {
    return this.#open({ resourceVersion: resumePoint.version }, this.watchSeconds(resumePoint), signal);
  }

  /** Seconds that the next watch may live. */
  watchSeconds({ randomizeLifetime, resyncAt }: ResumePoint): number {
    const secondsToResync = (resyncAt - this.#options.clock.now()) / 1000;
    return watchLifetime({ ...this.#options, secondsToResync, randomizeLifetime });
  }

  /**
   * The next events of a streaming list.
   *
   * @throws {StreamingListError} the server does not support streaming lists, or did not complete this one
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async nextOfList(watch: WatchRequest, timeout: StreamingListTimeout): Promise<WatchEvent[]> {
    this.expectWithin(Math.max(MAX_OBJECT_SECONDS, this.#options.clientTimeout) + timeout.seconds);
    try {
      const batch = await watch.next(timeout.seconds);
      timeout.waited(watch.secondsWaited);
      if (batch !== undefined) return batch;
    } catch (error) {
      if (!(error instanceof ApiError && error.refusesStreamingList)) throw error;
      throw new StreamingListError("the API server refuses a streaming list", { cause: error });
    }
    throw new StreamingListError("the API server began a streaming list and did not end it");
  }

  /**
   * The next events of a watch; `undefined` when it has ended.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async nextOfWatch(watch: WatchRequest): Promise<WatchEvent[] | undefined> {
    this.expectWithin(MAX_OBJECT_SECONDS + this.#options.clientTimeout);
    return await watch.next();
  }

  /** The step that begins now takes at most `seconds`. */
  expectWithin(seconds: number): void {
    this.#options.heartbeat.expectWithin(seconds + HEARTBEAT_GRACE_SECONDS);
  }

  /** The API server sent something. */
  contact(): void {
    this.#options.onContact?.();
  }

  #open(query: Omit<WatchQuery, "timeoutSeconds">, lifetime: number, signal: AbortSignal): WatchRequest {
    const { client, source, clock, serverTimeout: timeoutSeconds } = this.#options;
    const onContact = () => this.contact();
    return new WatchRequest(
      { client, source, query: { timeoutSeconds, ...query }, clock, lifetime, onContact },
      signal,
    );
  }
}
