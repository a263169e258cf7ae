import type { KubeObject } from "../../objects/object.ts";
import type { ObjectRef } from "../../objects/ref.ts";
import type { Source, WatchTarget } from "../../objects/source.ts";
import type { Semaphore } from "../../runtime/semaphore.ts";
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "./client.ts";

/** The part of an API that a watcher uses. */
export interface ListWatch {
  /** Set to false for good when a watcher finds that the server does not support them. */
  streamingLists: boolean;
  /** A watcher enters it for the time of a list. */
  readonly lists: Semaphore;
  list(source: WatchTarget, query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult>;
  watch(
    source: WatchTarget,
    query: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void>;
}

/** Provides objects: an API server, or a folder of manifests. */
export interface ObjectApi extends ListWatch {
  /** The current version of an object; `undefined`: it no longer exists, or the source no longer selects it. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** The sidecar's own namespace. */
  namespace(): Promise<string>;
  close(): void | Promise<void>;
}
