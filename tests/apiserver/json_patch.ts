/** JSON Patch, RFC 6902. */
import { isDeepStrictEqual } from "node:util";
import { badRequest, unprocessable } from "./status.ts";

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

/**
 * Applies the operations to `document`, which is changed, and returns the result.
 *
 * @throws {StatusError} 400 when `patch` is no list of operations, 422 when one of them does not fit the document.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch) || !patch.every(isOperation)) throw badRequest("a JSON patch must be a list of operations");
  const root = { document };
  for (const operation of patch) applyOperation(root, operation);
  return root.document;
}

function isOperation(item: unknown): item is Operation {
  if (typeof item !== "object" || item === null) return false;
  const { op, path } = item as Partial<Operation>;
  return typeof op === "string" && typeof path === "string";
}

function applyOperation(root: { document: unknown }, { op, path, from, value }: Operation): void {
  switch (op) {
    case "add":
      return insert(root, path, value);
    case "remove":
      return void remove(root, path);
    case "replace":
      remove(root, path);
      return insert(root, path, value);
    case "move":
      return insert(root, path, remove(root, from ?? ""));
    case "copy":
      return insert(root, path, structuredClone(read(root, from ?? "")));
    case "test":
      if (!isDeepStrictEqual(read(root, path), value)) throw unprocessable(`testing value ${path} failed`);
      return;
    default:
      throw unprocessable(`unexpected operation ${op}`);
  }
}

/** The container that holds what `path` names, and its key there. */
function locate(root: { document: unknown }, path: string): [container: unknown, key: string] {
  if (path === "") return [root, "document"];
  if (!path.startsWith("/")) throw unprocessable(`path ${path} must start with /`);
  const keys = path.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop()!;
  return [keys.reduce((container, key) => member(container, key, path), root.document), last];
}

function read(root: { document: unknown }, path: string): unknown {
  const [container, key] = locate(root, path);
  return member(container, key, path);
}

function member(container: unknown, key: string, path: string): unknown {
  const isItem = !Array.isArray(container) || /^(0|[1-9][0-9]*)$/.test(key);
  if (typeof container !== "object" || container === null || !isItem || !Object.hasOwn(container, key)) {
    throw unprocessable(`path ${path} does not exist`);
  }
  return (container as Record<string, unknown>)[key];
}

function insert(root: { document: unknown }, path: string, value: unknown): void {
  const [container, key] = locate(root, path);
  if (Array.isArray(container)) {
    const index = key === "-" ? container.length : Number(key);
    if (!/^(-|0|[1-9][0-9]*)$/.test(key) || index > container.length) {
      throw unprocessable(`path ${path} does not exist`);
    }
    container.splice(index, 0, value);
  } else if (typeof container === "object" && container !== null) {
    Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
  } else throw unprocessable(`path ${path} does not exist`);
}

function remove(root: { document: unknown }, path: string): unknown {
  const [container, key] = locate(root, path);
  const value = member(container, key, path);
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete (container as Record<string, unknown>)[key];
  return value;
}
