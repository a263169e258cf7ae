import type { NamedObject, Selection } from "../../config/collection_settings.ts";
import { describeSource, type Source } from "../../objects/source.ts";
import { type Kind, KINDS } from "../../objects/kind.ts";
import { namePattern } from "../../objects/name_pattern.ts";

/**
 * The sources of a selection: one for each kind in each namespace, or for each named object. No two of them contain the
 * same object.
 *
 * @param ownNamespace the namespace for `OWN`
 */
export function sourcesOf(selection: Selection, ownNamespace: string): Source[] {
  const namespaces = namespacesOf(selection, ownNamespace);
  const sources = selection.names.length === 0
    ? selection.kinds.flatMap((kind) => namespaces.map((namespace) => sourceOf(kind, namespace, selection)))
    : selection.names.flatMap((item) => namedSources(item, selection.kinds, namespaces));
  return withoutOverlap(sources);
}

/** `undefined` stands for all namespaces; NAMESPACE_EXCLUDE is then applied to each object (selected_namespaces.ts). */
function namespacesOf({ namespaces, namespaceExclude }: Selection, own: string): readonly (string | undefined)[] {
  if (namespaces === "ALL") return [undefined];
  const named = namespaces === "OWN" ? [own] : namespaces;
  return named.filter((namespace) => !namespaceExclude.some((pattern) => namePattern(pattern).test(namespace)));
}

function sourceOf(kind: Kind, namespace: string | undefined, { labelSelector }: Selection): Source {
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

/** A kind or a namespace in the item takes precedence over RESOURCE and NAMESPACE. */
function namedSources(
  item: NamedObject,
  kinds: readonly Kind[],
  namespaces: readonly (string | undefined)[],
): Source[] {
  const ofKinds = item.kind === undefined ? kinds : KINDS.filter((kind) => kind === item.kind);
  const inNamespaces = item.namespace === undefined ? namespaces : [item.namespace];
  return ofKinds.flatMap((kind) =>
    inNamespaces.map((namespace) => ({ kind, name: item.name, ...(namespace === undefined ? {} : { namespace }) }))
  );
}

function withoutOverlap(sources: readonly Source[]): Source[] {
  const everywhere = new Set(sources.filter(({ namespace }) => namespace === undefined).map(describeSource));
  const kept = new Map<string, Source>();
  for (const source of sources) {
    const { namespace: _, ...inAll } = source;
    if (source.namespace !== undefined && everywhere.has(describeSource(inAll))) continue;
    kept.set(describeSource(source), source);
  }
  return [...kept.values()];
}
