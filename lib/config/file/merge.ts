/** `defaults` of CONFIG_FILE: a collection's own values take precedence, and maps are merged key by key. */
import type { Group } from "./keys.ts";
import { isText, type Located, type LocatedEntry, type LocatedMap, valueAt } from "./located.ts";

/** The one that a collection has replaces those of `defaults`. */
const SELECTIONS = ["label", "selector", "names"];

export function withDefaults(own: LocatedMap, defaults: Located | undefined, keys: Group): LocatedMap {
  if (defaults?.type !== "map") return own;
  const entries = new Map(defaults.entries);
  if (SELECTIONS.some((key) => own.entries.has(key))) {
    for (const key of SELECTIONS) entries.delete(key);
    // It is the value of label alone
    if (!own.entries.has("label")) entries.delete("labelValue");
  }
  // A list of namespaces does not go with a selector of them
  if (own.entries.has("namespaces")) entries.delete("namespaceSelector");
  const namespaces = valueAt(defaults, "namespaces");
  if (own.entries.has("namespaceSelector") && !isText(namespaces, "ALL")) entries.delete("namespaces");
  return merged({ ...defaults, entries }, own, keys) as LocatedMap;
}

function merged(defaults: Located, own: Located, key: ReturnType<Group["keys"]["get"]>): Located {
  // Maps of other keys are one value: `{ env: NAME }`, a payload
  const isMerged = key?.type === "group" || key?.form === "headers";
  if (!isMerged || defaults.type !== "map" || own.type !== "map") return own;
  const entries = new Map<string, LocatedEntry>(defaults.entries);
  for (const [name, entry] of own.entries) {
    const value = entries.get(name)?.value;
    const child = key.type === "group" ? key.keys.get(name) : undefined;
    entries.set(name, value === undefined ? entry : { ...entry, value: merged(value, entry.value, child) });
  }
  return { type: "map", at: own.at, entries };
}
