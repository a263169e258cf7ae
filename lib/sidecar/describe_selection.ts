/** Describes a selection in words, for logs. */
import type { NamedObject, Selection } from "../config/collection_settings.ts";
import { pluralOf } from "../objects/kind.ts";

/** `configmaps and secrets with labels app=web in all namespaces`. */
export function describeSelection(selection: Selection): string {
  const { labelSelector, names, kinds } = selection;
  const which = names.length === 0
    ? `with labels ${labelSelector}`
    : `named ${names.map(({ namespace, kind, name }) => [namespace, kind, name].filter(Boolean).join("/")).join(", ")}`;
  return `${kinds.map(pluralOf).join(" and ")} ${which} in ${describeNamespaces(selection)}`;
}

/** A line for each selected object that does not exist. */
export function describeMissing(selection: Selection, has: (item: NamedObject) => boolean, objects: number): string[] {
  if (selection.names.length === 0) {
    return objects > 0 ? [] : [`nothing is selected: there are no ${describeSelection(selection)}`];
  }
  return selection.names.filter((item) => !has(item)).map((item) => {
    const kinds = item.kind === undefined ? selection.kinds : [item.kind];
    const where = item.namespace === undefined ? describeNamespaces(selection) : `namespace ${item.namespace}`;
    return `RESOURCE_NAME: there is no ${kinds.join(" or ")} ${item.name} in ${where}`;
  });
}

function describeNamespaces({ namespaces, namespaceSelector, namespaceExclude }: Selection): string {
  const chosen = namespaces === "ALL"
    ? namespaceSelector === undefined ? "all namespaces" : `namespaces with labels ${namespaceSelector}`
    : namespaces === "OWN"
    ? "the sidecar's own namespace"
    : `${namespaces.length === 1 ? "namespace" : "namespaces"} ${namespaces.join(", ")}`;
  return namespaceExclude.length === 0 ? chosen : `${chosen} but ${namespaceExclude.join(", ")}`;
}
