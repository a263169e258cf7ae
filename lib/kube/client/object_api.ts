import type { KubeObject } from "../../objects/object.ts";
import type { ObjectRef } from "../../objects/ref.ts";
import type { Source, WatchTarget } from "../../objects/source.ts";
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "./client.ts";

/** What a watcher needs of an API. */
export interface ListWatch {
  /** Set to false for good by the first watcher that finds that the server has none. */
  streamingLists: boolean;
  list(source: WatchTarget, query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult>;
  watch(
    source: WatchTarget,
    query: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void>;
}

/** Where objects come from: an API server, or a folder of manifests. */
export interface ObjectApi extends ListWatch {
  /** One object as it is now; `undefined` when it is gone, or when the source no longer selects it. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** The namespace that `NAMESPACE` stands for when it is not set. */
  namespace(): Promise<string>;
  close(): void | Promise<void>;
}
