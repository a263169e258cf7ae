/** Finds the objects with a name, of either kind, where they may be listed. */
import { ApiError } from "../kube/client/errors.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { KINDS } from "../objects/kind.ts";
import { keyOf, type ObjectRef, qualifiedName } from "../objects/ref.ts";
import { describeSource, type Source, type WatchTarget } from "../objects/source.ts";
import type { Collection } from "../config/collection_settings.ts";
import { sourcesOf } from "../sidecar/sources/sources.ts";
import { given } from "../runtime/given.ts";
import { messageOf } from "../runtime/message_of.ts";
import { listAll } from "./lookup.ts";
import { nearNames } from "./near_names.ts";
import type { NamedSubject } from "./subject.ts";
import { reasonsBySettings } from "./why_not_selected.ts";

export interface ObjectsByName {
  /** Objects with the name. */
  found: ObjectRef[];
  /** The only one of them that the settings select, or the only one. */
  meant: ObjectRef | undefined;
  /** If there are none, and the settings leave out the namespace, so that nothing has to be found: one of a watched kind. */
  excluded?: ObjectRef;
  /** If there are none: selected objects with a similar name. */
  near: string[];
  /** If there are none: why not all objects could be listed. */
  failure: string | undefined;
}

export async function findByName(
  { name, namespace }: NamedSubject,
  collections: readonly Pick<Collection, "selection">[],
  client: ObjectApi,
  signal: AbortSignal,
): Promise<ObjectsByName> {
  const own = await client.namespace();
  const sources = collections.flatMap(({ selection }) => sourcesOf(selection, own));
  let failure: string | undefined;
  const among = async (targets: readonly Source[]) => {
    const refs = new Map<string, ObjectRef>();
    for (const target of targets) {
      for (const one of await namesIn(client, target, signal, (reason) => failure ??= reason)) {
        const ref = { kind: target.kind, ...one };
        if (namespace === undefined || one.namespace === namespace) refs.set(keyOf(ref), ref);
      }
    }
    return [...refs.values()];
  };
  const namespaces = namespace === undefined ? [undefined, ...sources.map((one) => one.namespace), own] : [namespace];
  const found = await among(
    KINDS.flatMap((kind) => [...new Set(namespaces)].map((where) => ({ kind, name, ...given("namespace", where) }))),
  );
  if (found.length > 0) {
    const selected = found.length === 1 ? found : await among(sources.map((source) => ({ ...source, name })));
    return { found, meant: selected.length === 1 ? selected[0] : undefined, near: [], failure: undefined };
  }
  const excluded = failure === undefined || namespace === undefined
    ? undefined
    : excludedIn(namespace, name, collections, own);
  if (excluded !== undefined) return { found, meant: undefined, excluded, near: [], failure };
  const others = new Map((await among(sources)).map((ref) => [ref.name, qualifiedName(ref)]));
  return { found, meant: undefined, near: nearNames(name, others.keys()).map((near) => others.get(near)!), failure };
}

function excludedIn(
  namespace: string,
  name: string,
  collections: readonly Pick<Collection, "selection">[],
  own: string,
): ObjectRef | undefined {
  const refs = collections.flatMap(({ selection }) => selection.kinds).map((kind) => ({ kind, namespace, name }));
  const isExcluded = refs.every((ref) =>
    collections.every(({ selection }) => reasonsBySettings(selection, own, ref).length > 0)
  );
  return isExcluded ? refs[0] : undefined;
}

/** None where they cannot be listed. */
async function namesIn(
  client: ObjectApi,
  target: WatchTarget,
  signal: AbortSignal,
  onFailure: (reason: string) => void,
): Promise<{ namespace: string; name: string }[]> {
  const names: { namespace: string; name: string }[] = [];
  try {
    for await (const { metadata: { namespace, name } } of listAll(client, target, signal)) {
      names.push({ namespace, name });
    }
  } catch (error) {
    if (signal.aborted) throw error;
    const isForbidden = error instanceof ApiError && error.isForbidden;
    onFailure(isForbidden ? `not allowed to list ${describeSource(target)}` : messageOf(error));
  }
  return names;
}
