/**
 * Watches: each reads the store's history at its own pace, so a slow client costs no memory.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ ("Efficient detection of changes", "Watch
 * bookmarks", "Streaming lists").
 */
import { encodeObject } from "./codec.ts";
import { parseCount, parseResourceVersion } from "./list.ts";
import { apiVersionOf, type Resource, type StoredObject } from "./resources.ts";
import { type Predicate, selection } from "./selection.ts";
import { type Cause, expired, invalidListOptions, type StatusBody, tooLargeResourceVersion } from "./status.ts";
import { type Change, CompactedError, type Store } from "./store.ts";

/** A bookmark says how far the watch has come, and is no object. */
export interface Bookmark {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; creationTimestamp: null; annotations?: Record<string, string> };
}

export type WatchEvent =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: StoredObject }
  | { type: "BOOKMARK"; object: Bookmark }
  | { type: "ERROR"; object: StatusBody };

export interface WatchRequest {
  resource: Resource;
  matches: Predicate;
  /** Changes after this version; `undefined`: after now. */
  version?: number;
  /** First an ADDED for each object that is there. */
  initialEvents: boolean;
  /** And then a bookmark that says that these were all. */
  initialEventsEnd: boolean;
  bookmarks: boolean;
  timeoutMs: number;
}

/** A watch whose client asks for no timeout ends after this time. */
const DEFAULT_TIMEOUT_MS = 30 * 60 * 1000;
/** The last bookmark comes this long before the end, so that the next watch starts from there. */
const BOOKMARK_BEFORE_END_MS = 2000;
const MAX_TIMER_MS = 2 ** 31 - 1;
const INITIAL_EVENTS_END = { "k8s.io/initial-events-end": "true" };

/**
 * Reads a watch's query: labelSelector, fieldSelector, resourceVersion, resourceVersionMatch, sendInitialEvents,
 * allowWatchBookmarks, timeoutSeconds.
 *
 * @throws {StatusError} 400, 422 (contradicting options), 504 (initial events of a future version)
 */
export function parseWatchRequest(
  store: Store,
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
): WatchRequest {
  validateWatchOptions(query);
  const version = parseResourceVersion(query);
  const bookmarks = isTrue(query, "allowWatchBookmarks");
  const streamsList = isTrue(query, "sendInitialEvents");
  if (streamsList && version !== undefined && version > store.version) {
    throw tooLargeResourceVersion(version, store.version);
  }
  const initialEvents = query.has("sendInitialEvents") ? streamsList : version === undefined;
  return {
    resource,
    matches: selection(resource, namespace, query),
    ...(initialEvents || version === undefined ? {} : { version }),
    initialEvents,
    initialEventsEnd: streamsList && bookmarks,
    bookmarks,
    timeoutMs: parseCount(query, "timeoutSeconds") * 1000 || DEFAULT_TIMEOUT_MS,
  };
}

/** A query's boolean, as the API reads it: anything but `false` and `0` is true once the name is there. */
export function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

/**
 * The events of a watch, until its timeout, until `signal` aborts, or until the history is compacted beyond what the
 * client has read (one ERROR event, 410).
 */
export async function* watchObjects(
  store: Store,
  request: WatchRequest,
  bookmarkIntervalMs: number,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const { resource, matches, bookmarks } = request;
  const deadline = performance.now() + request.timeoutMs;
  let version = request.version ?? store.version;
  if (request.initialEvents) {
    for (const object of store.list(resource.storage).filter(matches)) {
      yield { type: "ADDED", object: encodeObject(resource, object) };
    }
    if (request.initialEventsEnd) yield bookmarkOf(resource, version, INITIAL_EVENTS_END);
  }
  let nextBookmark = bookmarkTime(performance.now(), bookmarkIntervalMs, deadline);
  while (!signal.aborted) {
    let changes: Change[];
    try {
      changes = store.changesAfter(version);
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      const status = expired(`too old resource version: ${version} (${error.compacted})`).status;
      yield { type: "ERROR", object: status };
      return;
    }
    for (const change of changes) {
      if (signal.aborted) return;
      version = change.version;
      const event = change.storage === resource.storage ? eventOf(resource, change, matches) : undefined;
      if (event !== undefined) yield event;
    }
    const now = performance.now();
    if (now >= deadline) return;
    if (bookmarks && now >= nextBookmark) {
      yield bookmarkOf(resource, version);
      nextBookmark = bookmarkTime(now, bookmarkIntervalMs, deadline);
    }
    const wake = bookmarks ? Math.min(deadline, nextBookmark) : deadline;
    if (store.version <= version) await nextChange(store, wake - now, signal);
  }
}

/** An object that begins to match is new to the watch, one that no longer matches is gone from it. */
function eventOf(resource: Resource, change: Change, matches: Predicate): WatchEvent | undefined {
  const { before, after, last } = change;
  const matched = before !== undefined && matches(before);
  if (after !== undefined && matches(after)) {
    return { type: matched ? "MODIFIED" : "ADDED", object: encodeObject(resource, after) };
  }
  if (!matched) return undefined;
  const version = String(change.version);
  const gone = last ?? { ...before, metadata: { ...before.metadata, resourceVersion: version } };
  return { type: "DELETED", object: encodeObject(resource, gone) };
}

function bookmarkOf(resource: Resource, version: number, annotations?: Record<string, string>): WatchEvent {
  const metadata = { resourceVersion: String(version), creationTimestamp: null };
  return {
    type: "BOOKMARK",
    object: {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: annotations === undefined ? metadata : { ...metadata, annotations },
    },
  };
}

function bookmarkTime(now: number, intervalMs: number, deadline: number): number {
  const beforeEnd = deadline - BOOKMARK_BEFORE_END_MS;
  return beforeEnd > now ? Math.min(now + intervalMs, beforeEnd) : now + intervalMs;
}

/** Resolves after the next change, after `milliseconds`, or when `signal` aborts. */
function nextChange(store: Store, milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const wake = () => resolve();
  const unsubscribe = store.subscribe(wake);
  const timer = setTimeout(wake, Math.min(Math.max(0, milliseconds), MAX_TIMER_MS));
  signal.addEventListener("abort", wake);
  return promise.finally(() => {
    unsubscribe();
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
  });
}

/** Source: k8s.io/apimachinery `pkg/apis/meta/internalversion/validation`. */
function validateWatchOptions(query: URLSearchParams): void {
  const match = query.get("resourceVersionMatch") ?? "";
  const field = "resourceVersionMatch";
  const causes: Cause[] = [];
  const forbid = (why: string) => causes.push({ reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field });
  if (query.has("sendInitialEvents") && match !== "NotOlderThan") {
    forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (match !== "") {
    if (!query.has("sendInitialEvents")) {
      forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if (match !== "NotOlderThan") {
      const message = `Unsupported value: "${match}": supported values: "NotOlderThan"`;
      causes.push({ reason: "FieldValueNotSupported", message, field });
    }
    if (query.get("continue")) forbid("resourceVersionMatch is forbidden when continue is provided");
  }
  if (causes.length > 0) throw invalidListOptions(causes);
}
