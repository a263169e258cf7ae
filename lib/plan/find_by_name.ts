/** Finds the objects with a name, of either kind, where they may be listed. */
import type { ObjectApi } from "../kube/client/object_api.ts";
import { KINDS } from "../objects/kind.ts";
import { keyOf, type ObjectRef, qualifiedName } from "../objects/ref.ts";
import type { WatchTarget } from "../objects/source.ts";
import type { Collection } from "../config/collection_settings.ts";
import { sourcesOf } from "../sidecar/sources/sources.ts";
import { listAll } from "./lookup.ts";
import { nearNames } from "./near_names.ts";
import type { NamedSubject } from "./subject.ts";

/** Objects with the name; without any, selected ones with a similar name. */
export async function findByName(
  { name, namespace }: NamedSubject,
  collections: readonly Pick<Collection, "selection">[],
  client: ObjectApi,
  signal: AbortSignal,
): Promise<{ found: ObjectRef[]; near: string[] }> {
  const own = await client.namespace();
  const sources = collections.flatMap(({ selection }) => sourcesOf(selection, own));
  const found = new Map<string, ObjectRef>();
  for (const kind of KINDS) {
    const namespaces = [namespace, ...namespace === undefined ? sources.map((source) => source.namespace) : [], own];
    for (const where of namespace === undefined ? [...new Set(namespaces)] : [namespace]) {
      const target: WatchTarget = { kind, name, ...(where === undefined ? {} : { namespace: where }) };
      const refs = (await namesIn(client, target, signal)).map((one): ObjectRef => ({ kind, ...one }));
      for (const ref of refs) found.set(keyOf(ref), ref);
    }
  }
  if (found.size > 0) return { found: [...found.values()], near: [] };
  const selected = new Map<string, string>();
  for (const source of sources) {
    for (const one of await namesIn(client, source, signal)) {
      selected.set(one.name, qualifiedName({ kind: source.kind, ...one }));
    }
  }
  return { found: [], near: nearNames(name, selected.keys()).map((near) => selected.get(near)!) };
}

/** None where they may not be listed. */
async function namesIn(
  client: ObjectApi,
  target: WatchTarget,
  signal: AbortSignal,
): Promise<{ namespace: string; name: string }[]> {
  const names: { namespace: string; name: string }[] = [];
  try {
    for await (const { metadata: { namespace, name } } of listAll(client, target, signal)) {
      names.push({ namespace, name });
    }
  } catch (error) {
    if (signal.aborted) throw error;
  }
  return names;
}
