/** Looks single objects up by lists, which need no right besides `list`. */
import type { ObjectApi } from "../kube/client/object_api.ts";
import { FIRST_PAGE, nextPage } from "../kube/client/pages.ts";
import type { ListQuery } from "../kube/client/client.ts";
import type { KubeObject, ObjectMeta } from "../objects/object.ts";
import type { ObjectRef } from "../objects/ref.ts";
import type { Source, WatchTarget } from "../objects/source.ts";
import type { Sighting } from "./why_not_selected.ts";

type Lister = Pick<ObjectApi, "list">;

/** The objects of a target, one by one. */
export async function* listAll(client: Lister, target: WatchTarget, signal: AbortSignal): AsyncGenerator<KubeObject> {
  for (let query: ListQuery | undefined = FIRST_PAGE; query !== undefined;) {
    const page = client.list(target, query, signal);
    let step = await page.next();
    for (; !step.done; step = await page.next()) yield* step.value;
    query = nextPage(step.value);
  }
}

/** `undefined`: there is no such object. */
export function find(client: Lister, { kind, namespace, name }: ObjectRef, signal: AbortSignal) {
  return firstOf(client, { kind, namespace, name }, signal);
}

/** `undefined`: there is no such object, or the source does not select it. */
export function findIn(client: Lister, source: Source, { namespace, name }: ObjectRef, signal: AbortSignal) {
  return firstOf(client, { ...source, namespace, name }, signal);
}

async function firstOf(client: Lister, target: WatchTarget, signal: AbortSignal): Promise<KubeObject | undefined> {
  for await (const object of listAll(client, target, signal)) return object;
  return undefined;
}

export interface LookupOptions {
  client: Lister;
  /** `false` with `--manifests`, where namespaces have no labels. */
  haveNamespacesLabels: boolean;
}

/** What the API server says about an object, as far as a selection asks. */
export async function sight(
  { client, haveNamespacesLabels }: LookupOptions,
  ref: ObjectRef,
  { ofNamespace }: { ofNamespace: boolean },
  signal: AbortSignal,
): Promise<Sighting & { metadata?: ObjectMeta }> {
  const object = await find(client, ref, signal);
  if (object === undefined) return { exists: false };
  const { metadata, metadata: { labels, annotations } } = object;
  const sighting = { exists: true, labels, annotations, metadata };
  if (!ofNamespace || !haveNamespacesLabels) return sighting;
  return {
    ...sighting,
    namespaceLabels: await labelsOfNamespace(client, ref.namespace, signal),
  };
}

export async function labelsOfNamespace(
  client: Lister,
  name: string,
  signal: AbortSignal,
): Promise<Record<string, string> | undefined> {
  const namespace = await firstOf(client, { kind: "Namespace", name }, signal);
  return namespace === undefined ? undefined : namespace.metadata.labels ?? {};
}
