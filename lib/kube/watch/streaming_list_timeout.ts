import { MAX_PAGE_SECONDS } from "../client/dead_connection.ts";
import type { WatchEvent } from "../client/client.ts";

/**
 * Seconds after the last initial event, spent waiting, in which a streaming list has to end. Servers that ignore
 * `sendInitialEvents` send the objects and then watch for ever.
 */
export const MAX_INITIAL_EVENT_GAP_SECONDS = 30;

/**
 * How long to wait for the end of a streaming list: at most {@link MAX_INITIAL_EVENT_GAP_SECONDS} after its last initial
 * event, and at most the deadline of a page in all. Only waiting counts.
 *
 * An initial event is an ADDED event before any event of another type. A server that ignores `sendInitialEvents` sends
 * its objects as ADDED events, too, and goes on with bookmarks and changes, which are no sign that the list will end. One
 * that sends nothing but new objects, each within the gap, cannot be told from a long list, so there is the second limit.
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

  /** An event of this type came. */
  saw(type: WatchEvent["type"]): void {
    this.#isLive ||= type !== "ADDED";
    if (!this.#isLive) this.#gap = 0;
  }
}
