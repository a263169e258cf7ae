import { MAX_PAGE_SECONDS } from "../client/answer_deadline.ts";
import type { WatchEvent } from "../client/client.ts";
import { MAX_INITIAL_EVENT_GAP_SECONDS } from "./retry_policy.ts";

/**
 * How long a streaming list is waited for. It is given up when it brings no end within {@link
 * MAX_INITIAL_EVENT_GAP_SECONDS} of its last initial event, or within the deadline of a page in all. Only waiting counts.
 *
 * An initial event is an ADDED event before any event of another type. A server that ignores `sendInitialEvents` sends
 * its objects as ADDED events, too, and goes on with bookmarks and changes, which are no sign that the list will end. One
 * that sends nothing but new objects, each within the gap, cannot be told from a long list, so there is the second limit.
 */
export class StreamPatience {
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
