/**
 * The states of a watcher, each with the data that is valid in it.
 *
 * ```
 *             ┌───────────── version lost, resync ◀────────────┐
 *             ▼                                                │
 *  empty ──▶ listing, page by page ──┐                         │
 *    ▲  └──▶ streaming ──────────────┴─▶ resuming ──▶ watching ┤
 *    │              │                        ▲         │       │
 *    └── waiting ◀──┴─ failed                └─ ended ─┴── waiting ◀── failed
 * ```
 */
import type { ListQuery } from "../client/client.ts";
import { isOlderVersion } from "../../objects/version.ts";
import type { WatchRequest } from "./watch_request.ts";
import { VersionError } from "./watch_errors.ts";
import type { StreamingListTimeout } from "./streaming_list_timeout.ts";

export type State =
  /** Nothing is known: the next request lists. */
  | { type: "empty" }
  /** A list is under way; `query` asks for its next page. */
  | { type: "listing"; query: ListQuery }
  /** A watch that begins with the list is open, and the list is not complete. */
  | { type: "streaming"; watch: WatchRequest; timeout: StreamingListTimeout }
  /** The list is complete and no watch is open. */
  | { type: "resuming"; known: Known }
  /** Changes come in. */
  | { type: "watching"; watch: WatchRequest; known: Known }
  /** Nothing happens for some seconds. */
  | { type: "waiting"; seconds: number; then: State };

/** What a complete list and the watches after it have brought. Times by the clock, in ms. */
export class Known {
  readonly listedAt: number;
  readonly resyncAt: number;
  /** Where a watch resumes. */
  #version: string;
  /** The lifetime of the next watch is random, so that sidecars that began together do not reconnect together. */
  isSpread = true;
  /** The server's history may be another one by now: ask for its version before resuming. */
  isDoubtful = false;
  /** No watch has lived or failed since the list. */
  isFresh = true;
  /** Refusals of this version, and watches that ended at once without an event; each in a row. */
  refusals = 0;
  emptyWatches = 0;

  constructor(version: string, listedAt: number, resyncAt: number) {
    this.#version = version;
    this.listedAt = listedAt;
    this.resyncAt = resyncAt;
  }

  get version(): string {
    return this.#version;
  }

  /**
   * An event brought a version. Returns whether it is a newer one.
   *
   * @throws {VersionError} it is older than one before, so there may be changes that we missed
   */
  advance(version: string): boolean {
    if (version === this.#version) return false;
    if (isOlderVersion(version, this.#version)) {
      throw new VersionError(`resourceVersion went backwards from ${this.#version} to ${version}: listing again`);
    }
    this.#version = version;
    this.refusals = 0;
    return true;
  }
}
