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

/** `place`: among the lists that the client allows at one time; given back when the list ends or fails. */
export type State =
  /** There is nothing to resume from: the next request lists. */
  | { type: "empty" }
  /** A list is under way; `query` asks for its next page. */
  | { type: "listing"; query: ListQuery; place: Disposable }
  /** A watch that begins with the list is open, and the list is not complete. */
  | { type: "streaming"; watch: WatchRequest; timeout: StreamingListTimeout; place: Disposable }
  /** The list is complete and no watch is open. */
  | { type: "resuming"; resumePoint: ResumePoint }
  /** A watch is open and delivers changes. */
  | { type: "watching"; watch: WatchRequest; resumePoint: ResumePoint }
  /** Sleeps before the state `then`. */
  | { type: "waiting"; seconds: number; then: State };

/** Where a watch resumes: a version, and the history of the watches since the list. Times by the clock, in ms. */
export class ResumePoint {
  readonly listedAt: number;
  readonly resyncAt: number;
  /** The resourceVersion of the list, or of the last event. */
  #version: string;
  /** Choose a random lifetime for the next watch, so that sidecars that started together do not reconnect together. */
  randomizeLifetime = true;
  /** The server may have been restored from a backup: compare its version with ours before resuming. */
  mustVerifyVersion = false;
  /** No watch has succeeded or failed since the list. */
  noWatchYet = true;
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
   * Takes the version of an event. Returns whether it is newer.
   *
   * @throws {VersionError} it is older than a previous one, so changes may have been missed
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
