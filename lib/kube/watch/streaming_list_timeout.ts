import { MAX_PAGE_SECONDS } from "../client/dead_connection.ts";
import type { WatchEvent } from "../client/client.ts";

/**
 * Maximum seconds of waiting between the last initial event and the end of a streaming list. Servers that ignore
 * `sendInitialEvents` send the objects and then watch for ever.
 */
export const MAX_INITIAL_EVENT_GAP_SECONDS = 30;

/**
 * Limits the wait for the end of a streaming list: to {@link MAX_INITIAL_EVENT_GAP_SECONDS} after its last initial
 * event, and to the deadline of a page in total. Only time spent waiting counts.
 *
 * An initial event is an ADDED event before any event of another type. A server that ignores `sendInitialEvents` also
 * sends its objects as ADDED events and continues with bookmarks and changes, which do not mean that the list will end.
 * If it sends only new objects, each within the gap, it looks like a long list; the second limit ends that.
 */
export class StreamingListTimeout {
  #gap = 0;
  #total = 0;
  #isLive = false;

  /** Seconds left to wait for the next events. */
  get seconds(): number {
    return Math.min(MAX_INITIAL_EVENT_GAP_SECONDS - this.#gap, MAX_PAGE_SECONDS - this.#total);
  }

  /** Waiting for the next events took `seconds`. */
  waited(seconds: number): void {
    this.#gap += seconds;
    this.#total += seconds;
  }

  /** Records an event of this type. */
  saw(type: WatchEvent["type"]): void {
    this.#isLive ||= type !== "ADDED";
    if (!this.#isLive) this.#gap = 0;
  }
}
