/** Describes a selection in words, for logs. */
import type { NamedObject, Selection } from "../../config/collection_settings.ts";
import { pluralOf } from "../../objects/kind.ts";

/**
 * `configmaps and secrets with labels app=web in all namespaces`.
 *
 * @param ownNamespace the name of the sidecar's own namespace, where it is known
 */
export function describeSelection(selection: Selection, ownNamespace?: string): string {
  const { labelSelector, names, kinds } = selection;
  const which = names.length === 0
    ? `with labels ${labelSelector}`
    : `named ${names.map(({ namespace, kind, name }) => [namespace, kind, name].filter(Boolean).join("/")).join(", ")}`;
  return `${kinds.map(pluralOf).join(" and ")} ${which} in ${describeNamespaces(selection, ownNamespace)}`;
}

/** `configmap or secret settings in namespace a`: an object of RESOURCE_NAME. */
export function describeNamed(item: NamedObject, selection: Selection): string {
  const kinds = item.kind === undefined ? selection.kinds : [item.kind];
  const where = item.namespace === undefined ? describeNamespaces(selection) : `namespace ${item.namespace}`;
  return `${kinds.join(" or ")} ${item.name} in ${where}`;
}

function describeNamespaces({ namespaces, namespaceSelector, namespaceExclude }: Selection, own?: string): string {
  const chosen = namespaces === "ALL"
    ? namespaceSelector === undefined ? "all namespaces" : `namespaces with labels ${namespaceSelector}`
    : namespaces === "OWN"
    ? `the sidecar's own namespace${own === undefined ? "" : ` (${own})`}`
    : `${namespaces.length === 1 ? "namespace" : "namespaces"} ${namespaces.join(", ")}`;
  return namespaceExclude.length === 0 ? chosen : `${chosen} but ${namespaceExclude.join(", ")}`;
}
