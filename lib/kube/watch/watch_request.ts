import type { ListWatch } from "../client/object_api.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Deadline } from "../../runtime/deadline.ts";
import { TransportError } from "../../http/transport.ts";
import { isNamed, type Status } from "../../objects/object.ts";
import type { WatchTarget } from "../../objects/source.ts";
import { AnswerError, ApiError } from "../client/errors.ts";
import type { WatchEvent, WatchQuery } from "../client/client.ts";

export interface WatchRequestOptions {
  client: Pick<ListWatch, "watch">;
  source: WatchTarget;
  query: WatchQuery;
  clock: Clock;
  /** Seconds that the request may live, connection and stream together. */
  lifetime: number;
  /** Called when the server has accepted the watch, and whenever it sends something. */
  onContact: () => void;
}

/** One watch request, from its first byte to its end. The caller must close it. */
export class WatchRequest {
  readonly #options: WatchRequestOptions;
  readonly #deadline: Deadline;
  readonly #events: AsyncGenerator<WatchEvent[], void>;
  /** The server has sent nothing new: at most bookmarks of the version that was asked for. */
  isEmpty = true;
  /** Events that were put back. */
  #unread: WatchEvent[] = [];
  #answeredAt: number | undefined;
  #timeout: number | undefined;
  #secondsWaited = 0;

  constructor(options: WatchRequestOptions, signal: AbortSignal) {
    const { client, source, query, clock, lifetime, onContact } = options;
    this.#options = options;
    this.#deadline = new Deadline(clock, lifetime, signal);
    this.#events = client.watch(source, query, this.#deadline.signal, () => {
      this.#answeredAt = clock.now();
      if (this.#timeout !== undefined) this.#deadline.extend(this.#timeout);
      onContact();
    });
  }

  /** When the server accepted the watch, by the clock, in ms; `undefined` before that. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /** Seconds that the last {@link WatchRequest.next} waited for events, without the time before the answer began. */
  get secondsWaited(): number {
    return this.#secondsWaited;
  }

  /** The client ended the watch, not the server. */
  get isOutOfTime(): boolean {
    return this.#deadline.passed;
  }

  /** Extends the lifetime of the request to `seconds` from now. */
  live(seconds: number): void {
    this.#timeout = undefined;
    this.#deadline.extend(seconds);
  }

  /**
   * The next events that arrive together; `undefined` when the server has ended the watch or its lifetime is over.
   *
   * @param timeout seconds to wait for them once the answer has begun, instead of the lifetime of the request. The time
   *   between two calls does not count
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async next(timeout?: number): Promise<WatchEvent[] | undefined> {
    if (this.#unread.length > 0) return this.#unread.splice(0);
    const { clock } = this.#options;
    const startedAt = clock.now();
    this.#timeout = timeout;
    if (timeout !== undefined && this.#answeredAt !== undefined) this.#deadline.extend(timeout);
    try {
      const { done, value } = await this.#events.next();
      if (done) {
        if (!this.isOutOfTime) this.#options.onContact();
        return undefined;
      }
      this.#options.onContact();
      return value;
    } catch (error) {
      if (!this.isOutOfTime) throw error;
      if (this.#answeredAt !== undefined) return undefined;
      throw new TransportError("read", `no answer to a watch of ${this.#options.source.kind}s`, { cause: error });
    } finally {
      if (timeout !== undefined) this.#deadline.extend(Infinity);
      this.#secondsWaited = (clock.now() - Math.max(startedAt, this.#answeredAt ?? startedAt)) / 1000;
    }
  }

  /** Makes {@link WatchRequest.next} return these events first. */
  putBack(events: WatchEvent[]): void {
    this.#unread = events;
  }

  async close(): Promise<void> {
    this.#deadline[Symbol.dispose]();
    await this.#events.return();
  }
}

/**
 * Checks one line of a watch: throws when it reports an error, or when it is not an event.
 *
 * @throws {ApiError | AnswerError}
 */
export function assertEvent(event: WatchEvent | null, { kind }: WatchTarget): void {
  const { type, object }: Partial<WatchEvent> = event ?? {};
  if (type === "ERROR") {
    const status = object as unknown as Partial<Status> | undefined;
    throw new ApiError(`watch of ${kind}s`, status?.code ?? 500, status);
  }
  if (type === "BOOKMARK" ? object?.metadata === undefined : !isNamed(object, kind)) {
    throw new AnswerError(`a watch of ${kind}s brought a line that is not an event`);
  }
}
