/** Reads the top level of CONFIG_FILE: `version`, `defaults` and `collections`. */
import type { FileFaults } from "./faults.ts";
import { collectionKeys, type Group } from "./keys.ts";
import { describeValue, type Located, type LocatedMap, valueAt } from "./located.ts";
import { withDefaults } from "./merge.ts";
import { type Draft, type ReadContext, readKeys } from "./read_keys.ts";
import type { ReferenceContext } from "./references.ts";
import { unknownKey } from "./unknown_key.ts";

/** One item of `collections`. */
export interface Item {
  /** `collections[2]` */
  place: string;
  own: LocatedMap;
  /** With the values of `defaults`. */
  map: LocatedMap;
  draft: Draft;
}

const KEYS = ["version", "defaults", "collections"];
const VERSION = 1;

/** Each is compared with each other one. */
export const MAX_COLLECTIONS = 1000;

/** Reports all faults of single keys. A value with a fault is not in the draft. */
export function readCollections(root: Located, faults: FileFaults, access: Access): Item[] {
  const keys = collectionKeys();
  const context: ReadContext = {
    ...access,
    keys,
    fail: ({ at }, key, reason) => faults.add(at, key, reason),
    failAt: (offset, key, reason) => faults.add(offset, key, reason),
    warn: ({ at }, key, reason) => faults.warn(at, key, reason),
  };
  if (root.type !== "map") {
    context.fail(root, "", `${describeValue(root)}: expected a map with version and collections`);
    return [];
  }
  checkTopLevel(root, keys, context);
  const defaults = readDefaults(root, context);
  const list = valueAt(root, "collections");
  if (list === undefined) context.fail(root, "collections", "is required: a list with one item for each collection");
  else if (list.type !== "list" || list.items.length === 0) {
    const shown = list.type === "list" ? "an empty list" : describeValue(list);
    context.fail(list, "collections", `${shown}: expected a list with one item for each collection`);
  } else if (list.items.length > MAX_COLLECTIONS) {
    context.fail(list, "collections", `${list.items.length} items: expected at most ${MAX_COLLECTIONS}`);
  } else return list.items.flatMap((item, index) => readItem(item, `collections[${index}]`, defaults, context));
  return [];
}

type Access = Pick<ReferenceContext, "variable" | "isFile">;

function checkTopLevel(root: LocatedMap, keys: Group, { fail, failAt }: ReadContext): void {
  for (const [name, { at }] of root.entries) {
    if (KEYS.includes(name)) continue;
    const isOfCollection = keys.keys.has(name);
    failAt(at, name, isOfCollection ? "is a key of a collection or of defaults" : unknownKey(name, KEYS, keys));
  }
  const version = valueAt(root, "version");
  if (version === undefined) fail(root, "version", `is required: version: ${VERSION}`);
  else if (version.type !== "scalar" || version.value !== VERSION) {
    fail(version, "version", `${describeValue(version)}: expected ${VERSION}`);
  }
}

function readDefaults(root: LocatedMap, context: ReadContext): Located | undefined {
  const defaults = valueAt(root, "defaults");
  if (defaults?.type === "map") {
    readKeys(defaults, "defaults", context);
    const name = defaults.entries.get("name");
    if (name !== undefined) context.failAt(name.at, "defaults.name", "each collection has a name of its own");
  } else if (defaults !== undefined) {
    context.fail(defaults, "defaults", `${describeValue(defaults)}: expected a map with keys of a collection`);
  }
  return defaults;
}

function readItem(own: Located, place: string, defaults: Located | undefined, context: ReadContext): Item[] {
  if (own.type !== "map") {
    context.fail(own, place, `${describeValue(own)}: expected a map with name and folder`);
    return [];
  }
  readKeys(own, place, context);
  const map = withDefaults(own, defaults, context.keys);
  // Faults of both maps are already known
  const silent = () => {};
  const draft = readKeys(map, place, { ...context, fail: silent, failAt: silent, warn: silent });
  return [{ place, own, map, draft }];
}
