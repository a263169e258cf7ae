/**
 * Lists: whole or in pages, of now or of an earlier version.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ ("Resource versions", "Retrieving large results").
 */
import { encodeObject } from "./codec.ts";
import { apiVersionOf, type Resource, type StoredObject } from "./resources.ts";
import { selection } from "./selection.ts";
import { badRequest, type Cause, expired, invalidListOptions, tooLargeResourceVersion } from "./status.ts";
import { CompactedError, type Store } from "./store.ts";

export interface ObjectList {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  /** Without `kind` and `apiVersion`. */
  items: Partial<StoredObject>[];
}

const EXPIRED_CONTINUE =
  "The provided continue parameter is too old to display a consistent list result. You can start a " +
  "new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the " +
  "results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
  "deleted between the time the first chunk was returned and now may show up in the list.";
const EXPIRED_VERSION = "The resourceVersion for the provided list is too old.";

/**
 * Answers a list. The query is a list request's: labelSelector, fieldSelector, limit, continue, resourceVersion,
 * resourceVersionMatch.
 *
 * @throws {StatusError} 400, 410 (version or continue token too old), 422 (contradicting options), 504 (future version)
 */
export function listObjects(
  store: Store,
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
): ObjectList {
  validateListOptions(query);
  const matches = selection(resource, namespace, query);
  const { limit, start, version } = pageOf(store, query);
  const objects = snapshot(store, resource, version, start)
    .filter((object) => (start === undefined || keyOf(object) >= start) && matches(object));
  const page = limit === 0 ? objects : objects.slice(0, limit);
  const remaining = objects.length - page.length;
  const last = page.at(-1);
  const selective = query.get("labelSelector") || query.get("fieldSelector");
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(version),
      ...(remaining > 0 && last !== undefined ? { continue: encodeContinue(version, `${keyOf(last)}\0`) } : {}),
      ...(remaining > 0 && !selective ? { remainingItemCount: remaining } : {}),
    },
    items: page.map((object) => {
      const { kind: _, apiVersion: __, ...item } = encodeObject(resource, object);
      return item;
    }),
  };
}

/** A version as a query gives it: `undefined` for none, and for `0`, which means any. @throws {StatusError} 400 */
export function parseResourceVersion(query: URLSearchParams): number | undefined {
  const text = query.get("resourceVersion") ?? "";
  if (text === "" || text === "0") return undefined;
  if (!/^[0-9]+$/.test(text)) throw badRequest(`resourceVersion: Invalid value: "${text}": invalid syntax`);
  return Number(text);
}

/** A number of a query; 0 when it is not given. @throws {StatusError} 400 */
export function parseCount(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  if (text === "") return 0;
  if (!/^-?[0-9]+$/.test(text)) throw badRequest(`${name}: parsing "${text}": invalid syntax`);
  return Math.max(0, Number(text));
}

/** Source: k8s.io/apimachinery `pkg/apis/meta/internalversion/validation`. */
function validateListOptions(query: URLSearchParams): void {
  const match = query.get("resourceVersionMatch") ?? "";
  const causes: Cause[] = [];
  const forbid = (field: string, why: string) =>
    causes.push({ reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field });
  if (query.has("sendInitialEvents")) forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (match !== "") {
    const field = "resourceVersionMatch";
    if (!query.get("resourceVersion")) forbid(field, `${field} is forbidden unless resourceVersion is provided`);
    if (query.get("continue")) forbid(field, `${field} is forbidden when continue is provided`);
    if (match !== "Exact" && match !== "NotOlderThan") {
      const message = `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`;
      causes.push({ reason: "FieldValueNotSupported", message, field });
    }
    if (match === "Exact" && query.get("resourceVersion") === "0") {
      forbid(field, `${field} "exact" is forbidden for resourceVersion "0"`);
    }
  }
  if (causes.length > 0) throw invalidListOptions(causes);
}

interface Page {
  /** 0: no limit. */
  limit: number;
  /** Key of the first object that may be shown. */
  start?: string;
  version: number;
}

/** A limit with resourceVersion "0" is not kept, as a real API server's watch cache does not. */
function pageOf(store: Store, query: URLSearchParams): Page {
  const limit = query.get("resourceVersion") === "0" ? 0 : parseCount(query, "limit");
  const token = query.get("continue") ?? "";
  const asked = parseResourceVersion(query);
  if (token !== "") {
    if (asked !== undefined) throw badRequest("specifying resource version is not allowed when using continue");
    const { rv, start } = decodeContinue(token);
    return { limit, start, version: rv < 0 ? store.version : rv };
  }
  if (asked !== undefined && asked > store.version) throw tooLargeResourceVersion(asked, store.version);
  const match = query.get("resourceVersionMatch") ?? "";
  const exact = match === "Exact" || (match === "" && limit > 0);
  return { limit, version: exact && asked !== undefined ? asked : store.version };
}

function snapshot(store: Store, resource: Resource, version: number, start: string | undefined): StoredObject[] {
  try {
    return store.list(resource.storage, version);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    throw start === undefined ? expired(EXPIRED_VERSION) : expired(EXPIRED_CONTINUE, encodeContinue(-1, start));
  }
}

function keyOf({ metadata }: StoredObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** Version -1: of whatever version is the newest when it is used. */
function encodeContinue(rv: number, start: string): string {
  return btoa(JSON.stringify({ v: "meta.k8s.io/v1", rv, start })).replaceAll("+", "-").replaceAll("/", "_");
}

function decodeContinue(token: string): { rv: number; start: string } {
  try {
    const { rv, start } = JSON.parse(atob(token.replaceAll("-", "+").replaceAll("_", "/")));
    if (Number.isInteger(rv) && typeof start === "string") return { rv, start };
  } catch (error) {
    throw badRequest(`invalid continue token: continue key is not valid: ${error}`);
  }
  throw badRequest("invalid continue token: continue key is not valid");
}
