/**
 * Many namespaces of one kind: one watch of all namespaces, of which the chosen ones are used, costs less than a watch for
 * each of them. It needs the right to list and watch the whole cluster.
 */
import type { KubeObject } from "../../objects/object.ts";
import type { Source, WatchTarget } from "../../objects/source.ts";
import type { ObjectSink } from "./object_sink.ts";

/** Maximum namespaces of one kind that are watched one by one, where the credentials allow more. */
export const MAX_NAMESPACE_WATCHES = 8;

export interface WatchGroup {
  /** What is listed and watched. */
  target: WatchTarget;
  /** Whose objects it has. */
  sources: readonly Source[];
}

/** How sources are watched: each by itself, or many namespaces of one kind together. */
export function watchGroups(sources: readonly Source[]): WatchGroup[] {
  const byKind = Map.groupBy(
    sources,
    ({ kind, namespace, labelSelector, name }) =>
      namespace === undefined || name !== undefined ? "" : `${kind} ${labelSelector}`,
  );
  return [...byKind].flatMap(([key, members]): WatchGroup[] => {
    const [first] = members;
    if (key === "" || first === undefined || members.length <= MAX_NAMESPACE_WATCHES) return oneByOne(members);
    const { namespace: _, ...target } = first;
    return [{ target, sources: members }];
  });
}

export function oneByOne(sources: readonly Source[]): WatchGroup[] {
  return sources.map((source) => ({ target: source, sources: [source] }));
}

/** Receives the objects of all namespaces, and passes those of chosen ones on. */
export class ChosenNamespaces implements ObjectSink {
  readonly #sinks: ReadonlyMap<string, ObjectSink>;
  readonly #onForbidden: () => void;

  /** @param sinks by namespace */
  constructor(sinks: ReadonlyMap<string, ObjectSink>, onForbidden: () => void) {
    this.#sinks = sinks;
    this.#onForbidden = onForbidden;
  }

  beginList(): void {
    for (const sink of this.#sinks.values()) sink.beginList();
  }

  endList(): void {
    for (const sink of this.#sinks.values()) sink.endList();
  }

  apply(object: KubeObject, listed: boolean, signal: AbortSignal): void | Promise<void> {
    return this.#sinks.get(object.metadata.namespace)?.apply(object, listed, signal);
  }

  delete(object: KubeObject): void {
    this.#sinks.get(object.metadata.namespace)?.delete(object);
  }

  /** The namespaces are followed one by one then. */
  forbidden(): boolean {
    this.#onForbidden();
    return true;
  }
}
