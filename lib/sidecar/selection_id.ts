import type { Selection } from "../config/collection_settings.ts";

/** Identifies a selection, so that sidecars with different selections can share a folder. */
export async function selectionId(selection: Selection): Promise<string> {
  const { labelSelector, names, kinds, namespaces, namespaceSelector, namespaceExclude } = selection;
  // The order in which they are set does not matter
  const objects = names.map((name) => JSON.stringify(name)).sort();
  const spaces = typeof namespaces === "string" ? namespaces : namespaces.toSorted();
  const parts: unknown[] = [labelSelector ?? null, objects, kinds, spaces];
  // Only where they are set, so that the records of earlier versions are found
  if (namespaceSelector !== undefined || namespaceExclude.length > 0) {
    parts.push(namespaceSelector ?? null, namespaceExclude.toSorted());
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(parts)));
  return new Uint8Array(digest).slice(0, 5).toHex();
}
