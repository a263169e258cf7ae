/** Which objects a list or a watch shows: by namespace, by labels, by fields. */
import { matchesSelector, parseSelector, SelectorError } from "../../lib/objects/selector_grammar.ts";
import type { Resource, StoredObject } from "./resources.ts";
import { badRequest } from "./status.ts";

export type Predicate = (object: StoredObject) => boolean;

/** The fields that a field selector may name besides metadata.name and metadata.namespace. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  secrets: ["type"],
  namespaces: ["status.phase"],
  events: [
    ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map((f) =>
      `involvedObject.${f}`
    ),
    ...["reason", "reportingComponent", "source", "type"],
  ],
};

/** Names that select by a field that has another name, or sits elsewhere, in the shape that is kept. */
const ALIASES: Readonly<Record<string, string>> = {
  source: "source.component",
  reportingController: "reportingComponent",
};

/**
 * The predicate for a namespace (`undefined`: all) and the query's `labelSelector` and `fieldSelector`.
 *
 * @throws {StatusError} 400 when a selector cannot be read or names an unknown field.
 */
export function selection(resource: Resource, namespace: string | undefined, query: URLSearchParams): Predicate {
  const labels = parseLabels(query.get("labelSelector") ?? "");
  const fields = parseFields(resource, query.get("fieldSelector") ?? "");
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    matchesSelector(labels, object.metadata.labels) &&
    fields.every((matches) => matches(object));
}

function parseLabels(text: string) {
  try {
    return parseSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

function parseFields(resource: Resource, text: string): Predicate[] {
  return text.split(",").map((term) => term.trim()).filter((term) => term !== "").map((term) => {
    const [, field, operator, value] = /^([^=!]+)(!=|==|=)(.*)$/.exec(term) ?? [];
    if (field === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const path = pathOf(resource, field);
    return (object) => (read(object, path) === value) === (operator !== "!=");
  });
}

function pathOf(resource: Resource, field: string): string[] {
  const known = ["metadata.name", "metadata.namespace", ...FIELDS[resource.plural] ?? []];
  const kept = resource.group === "" ? field : field.replace(/^regarding\./, "involvedObject.");
  const path = ALIASES[kept] ?? kept;
  if (!known.includes(kept) && !known.includes(path)) {
    const names = known.map((name) => `"${name}"`).join(", ");
    throw badRequest(`"${field}" is not a known field selector: only ${names}`);
  }
  return path.split(".");
}

function read(object: StoredObject, path: string[]): string {
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object);
  return value === undefined ? "" : String(value);
}
