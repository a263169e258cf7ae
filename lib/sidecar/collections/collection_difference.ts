/** What a new version of the configuration means for a collection that runs. */
import type { Collection } from "../../config/collection_settings.ts";

/**
 * `none`: it is as it was. `requests`: only how the application is notified and how URLs are fetched changed, so that nothing
 * is listed or written again. `restart`: it begins anew, with the files that its record names.
 */
export type Difference = "none" | "requests" | "restart";

export function differenceOf(before: Collection, after: Collection): Difference {
  if (same(before, after)) return "none";
  const { notification, requests } = after;
  const hasSameTurns = before.requests.urlMaxOpen === requests.urlMaxOpen;
  return hasSameTurns && same({ ...before, notification, requests }, after) ? "requests" : "restart";
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Array.isArray(a) === Array.isArray(b) &&
    [...keys].every((key) => same(a[key as keyof typeof a], b[key as keyof typeof b]));
}
