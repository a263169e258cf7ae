/** Reads the keys of a collection, or of `defaults`, in CONFIG_FILE. */
import { type Form, FORMS, itemOf } from "./forms.ts";
import type { Group, Leaf, Target } from "./keys.ts";
import { describeValue, type Located, type LocatedMap } from "./located.ts";
import { readReference, type ReferenceContext } from "./references.ts";
import { unknownKey } from "./unknown_key.ts";

/** What was read. A header from a file is in `headerFiles`. */
export type Draft = Map<Target | "headerFiles", unknown>;

export interface ReadContext extends ReferenceContext {
  keys: Group;
  /** Like `fail`, for a fault of a key and not of its value. */
  failAt(offset: number, key: string, reason: string): void;
}

/** @param place `collections[2]`, for messages */
export function readKeys(map: LocatedMap, place: string, context: ReadContext): Draft {
  const draft: Draft = new Map();
  readGroup(context.keys, map, place, draft, context);
  return draft;
}

function readGroup(group: Group, value: Located, place: string, draft: Draft, context: ReadContext): void {
  if (value.type !== "map") {
    context.fail(value, placeOf(place, group.path), `${describeValue(value)}: expected a map`);
    return;
  }
  for (const [name, { at, value: child }] of value.entries) {
    const key = group.keys.get(name);
    if (key === undefined) {
      const path = placeOf(place, group.path === "" ? name : `${group.path}.${name}`);
      context.failAt(at, path, unknownKey(name, [...group.keys.keys()], context.keys));
    } else if (key.type === "group") readGroup(key, child, place, draft, context);
    else readLeaf(key, child, placeOf(place, key.path), draft, context);
  }
}

function readLeaf(leaf: Leaf, value: Located, key: string, draft: Draft, context: ReadContext): void {
  const { row, target, fileTarget } = leaf;
  if (leaf.form === "headers") return readHeaders(value, key, draft, context);
  if (leaf.form === "reference" || (leaf.form === "textOrReference" && value.type === "map")) {
    const reference = readReference(value, key, context);
    if (reference === undefined) return;
    if ("file" in reference) draft.set(fileTarget!, reference.file);
    else if (row.type.parse(reference.text) !== undefined) draft.set(target, row.type.parse(reference.text));
    else context.fail(value, key, `(value not shown): expected ${row.type.accepts}`);
    return;
  }
  const form = FORMS[leaf.form === "textOrReference" ? "text" : leaf.form]!;
  const read = form.read(value, row);
  if (read !== undefined) draft.set(target, read);
  else failOfValue(form, leaf, value, key, context);
}

/** Forms that are text, but that YAML reads as something else without quotes. */
const QUOTED = ["text", "textOrReference", "mode", "name", "labelKey", "labelValue"];

function failOfValue(form: Form, { row, form: name }: Leaf, value: Located, key: string, context: ReadContext): void {
  const faulty = name === "list" || (name === "namespaces" && value.type === "list")
    ? faultyItems(value, row.type, key)
    : [];
  for (const { item, key } of faulty) {
    const what = name === "list"
      ? form.expected(row).replace("a list: ", "")
      : "the name of a namespace (ALL and OWN stand alone: namespaces: ALL)";
    context.fail(item, key, `${describeValue(item)}: expected ${what}${quotesHint(item)}`);
  }
  if (faulty.length > 0) return;
  const shown = row.secret ? "(value not shown)" : describeValue(value, row.redact);
  const hint = QUOTED.includes(name) ? quotesHint(value) : "";
  context.fail(value, key, `${shown}: expected ${form.expected(row)}${hint}`);
}

function faultyItems(value: Located, type: Leaf["row"]["type"], key: string): { item: Located; key: string }[] {
  if (value.type !== "list") return [];
  const items = value.items.map((item, index) => ({ item, key: `${key}[${index}]` }));
  return items.filter(({ item }) => itemOf(item, type) === undefined);
}

/** YAML reads `1`, `0644` and `true` as numbers and booleans. */
function quotesHint(value: Located): string {
  const isOther = typeof scalar(value) === "number" || typeof scalar(value) === "boolean";
  return value.type === "scalar" && isOther ? `; put it in quotes: "${value.source}"` : "";
}

function scalar(value: Located): unknown {
  return value.type === "scalar" ? value.value : undefined;
}

function readHeaders(value: Located, key: string, draft: Draft, context: ReadContext): void {
  if (value.type !== "map") {
    context.fail(value, key, "expected a map of header names and values");
    return;
  }
  const headers: Record<string, string> = {};
  const headerFiles: Record<string, string> = {};
  for (const [name, { at, value: child }] of value.entries) {
    const path = `${key}.${name}`;
    if (!isHeader(name, "")) {
      context.failAt(at, path, `${JSON.stringify(name)}: expected the name of a header`);
      continue;
    }
    const text = scalar(child);
    if (child.type === "map") {
      const reference = readReference(child, path, context);
      if (reference === undefined) continue;
      if ("file" in reference) headerFiles[name] = reference.file;
      else if (isHeader(name, reference.text.trim())) headers[name] = reference.text.trim();
      else context.fail(child, path, "(value not shown): expected text that a header may have");
    } else if (typeof text === "string") {
      if (isHeader(name, text)) headers[name] = text;
      else context.fail(child, path, "(value not shown): expected text that a header may have");
    } else {
      context.fail(child, path, "(value not shown): expected text in quotes, { env: NAME } or { file: /path }");
    }
  }
  draft.set("REQ_HEADERS", headers);
  draft.set("headerFiles", headerFiles);
}

function isHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]]);
    return true;
  } catch {
    return false;
  }
}

function placeOf(place: string, path: string): string {
  return path === "" ? place : `${place}.${path}`;
}
