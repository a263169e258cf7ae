/** The three kinds of patch that the API server takes besides apply. All are pure: they return the patched copy. */
import { badRequest, type StatusError, unprocessable, unsupportedMediaType } from "./status.ts";
import { applyJsonPatch } from "./json_patch.ts";

type Json = Record<string, unknown>;

const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

/** Lists that a strategic merge patch merges, by the key that makes an item the same; `undefined`: the item itself. */
const MERGE_KEYS: Readonly<Record<string, string | undefined>> = { finalizers: undefined, ownerReferences: "uid" };

/**
 * Applies `patch`, whose kind its media type tells.
 *
 * @throws {StatusError} 415 for an unknown media type, 400 for a patch of the wrong shape, 422 for one that does not fit.
 */
export function applyPatch(mediaType: string, target: unknown, patch: unknown): unknown {
  if (!PATCH_TYPES.includes(mediaType)) throw unsupportedMediaType(PATCH_TYPES);
  if (mediaType === "application/json-patch+json") return applyJsonPatch(structuredClone(target), patch);
  if (!isJson(patch)) throw badRequest("the patch must be an object");
  return mediaType === "application/merge-patch+json" ? mergePatch(target, patch) : strategicMerge(target, patch);
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return patch;
  const merged = new Map(Object.entries(isJson(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/**
 * Merges maps, and the lists of {@link MERGE_KEYS}; other lists are replaced. Directives are those of the source:
 * `$patch: replace | delete | merge`, `$retainKeys`, `$deleteFromPrimitiveList/FIELD`, `$setElementOrder/FIELD`.
 * Source: https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md
 */
function strategicMerge(target: unknown, patch: Json): Json {
  const { $patch: directive, $retainKeys: retained, ...fields } = patch;
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "replace" && directive !== "merge") throw unknownDirective(directive);
  const merged = new Map(Object.entries(directive !== "replace" && isJson(target) ? target : {}));
  if (Array.isArray(retained)) {
    for (const key of merged.keys()) if (!retained.includes(key)) merged.delete(key);
  }
  for (const [key, value] of Object.entries(fields)) {
    const [, directive, field] = /^\$(deleteFromPrimitiveList|setElementOrder)\/(.*)$/.exec(key) ?? [];
    if (directive === "deleteFromPrimitiveList") merged.set(field!, without(merged.get(field!), value));
    else if (directive === "setElementOrder") continue;
    else if (value === null) merged.delete(key);
    else if (Array.isArray(value) && Object.hasOwn(MERGE_KEYS, key)) {
      merged.set(key, mergeList(merged.get(key), value, MERGE_KEYS[key]));
    } else merged.set(key, isJson(value) ? strategicMerge(merged.get(key), value) : value);
  }
  for (const [key, order] of Object.entries(fields)) {
    const field = key.startsWith("$setElementOrder/") ? key.slice("$setElementOrder/".length) : undefined;
    if (field !== undefined && merged.has(field)) {
      merged.set(field, ordered(merged.get(field), order, MERGE_KEYS[field]));
    }
  }
  return Object.fromEntries(merged);
}

function mergeList(target: unknown, patch: unknown[], mergeKey: string | undefined): unknown[] {
  const directive = patch.find((item) => isJson(item) && item.$patch === "replace");
  const merged = directive === undefined && Array.isArray(target) ? [...target] : [];
  for (const item of patch) {
    if (item === directive) continue;
    const index = merged.findIndex((known) => identityOf(known, mergeKey) === identityOf(item, mergeKey));
    if (isJson(item) && item.$patch === "delete") {
      if (index >= 0) merged.splice(index, 1);
    } else if (index < 0) merged.push(isJson(item) ? strategicMerge({}, item) : item);
    else merged[index] = isJson(item) ? strategicMerge(merged[index], item) : item;
  }
  return merged;
}

function without(target: unknown, removed: unknown): unknown[] {
  if (!Array.isArray(removed)) throw unprocessable("$deleteFromPrimitiveList must be a list");
  return Array.isArray(target) ? target.filter((item) => !removed.includes(item)) : [];
}

/** Items that `order` does not name keep their order, after those that it does. */
function ordered(target: unknown, order: unknown, mergeKey: string | undefined): unknown {
  if (!Array.isArray(order)) throw unprocessable("$setElementOrder must be a list");
  if (!Array.isArray(target)) return target;
  const places = order.map((item) => identityOf(item, mergeKey));
  const placeOf = (item: unknown) => {
    const place = places.indexOf(identityOf(item, mergeKey));
    return place < 0 ? places.length : place;
  };
  return target.toSorted((a, b) => placeOf(a) - placeOf(b));
}

function identityOf(item: unknown, mergeKey: string | undefined): unknown {
  return mergeKey !== undefined && isJson(item) ? item[mergeKey] : item;
}

function unknownDirective(directive: unknown): StatusError {
  return badRequest(`unknown $patch directive ${JSON.stringify(directive)}`);
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
