/** Labels of namespaces, for NAMESPACE_SELECTOR. */
import { labelsOfNamespace } from "./lookup.ts";
import type { Picture } from "./picture.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { selectorFailure } from "./read_failures.ts";

/** What a NAMESPACE_SELECTOR is about. */
export interface OfNamespace {
  labels?: Record<string, string> | undefined;
  /** Why they could not be read. */
  failure?: { what: string; cure: string };
}

export async function namespaceOf(name: string, picture: Picture, signal: AbortSignal): Promise<OfNamespace> {
  const { collections, client, haveNamespacesLabels } = picture;
  if (!haveNamespacesLabels || !collections.some(selectsNamespaces)) return {};
  try {
    return { labels: await labelsOfNamespace(client, name, signal) };
  } catch (error) {
    return { failure: selectorFailure(error) };
  }
}

export function selectsNamespaces({ collection: { selection } }: PlannedCollection): boolean {
  return selection.namespaces === "ALL" && selection.namespaceSelector !== undefined;
}
