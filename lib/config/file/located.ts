/** Values of a YAML or JSON text, each with its place. */

export interface LocatedScalar {
  type: "scalar";
  /** The offset in the text. */
  at: number;
  value: string | number | boolean | null;
  /** As it is written, without quotes. */
  source: string;
}

export interface LocatedList {
  type: "list";
  at: number;
  items: readonly Located[];
}

export interface LocatedMap {
  type: "map";
  at: number;
  entries: ReadonlyMap<string, LocatedEntry>;
}

export interface LocatedEntry {
  /** The offset of the key. */
  at: number;
  value: Located;
}

export type Located = LocatedScalar | LocatedList | LocatedMap;

/** The value at a path of keys; `undefined` if there is none. */
export function valueAt(root: Located | undefined, ...path: readonly string[]): Located | undefined {
  let value = root;
  for (const key of path) value = value?.type === "map" ? value.entries.get(key)?.value : undefined;
  return value;
}

export function isText(value: Located | undefined, text: string): boolean {
  return value?.type === "scalar" && value.value === text;
}

export function plainValue(value: Located): unknown {
  if (value.type === "scalar") return value.value;
  if (value.type === "list") return value.items.map(plainValue);
  return Object.fromEntries([...value.entries].map(([key, entry]) => [key, plainValue(entry.value)]));
}

/**
 * For messages.
 *
 * @param redact leaves what of a text may be printed
 */
export function describeValue(value: Located, redact = (text: string) => text): string {
  if (value.type !== "scalar") return value.type === "list" ? "a list" : "a map";
  const text = typeof value.value === "string" ? value.value : undefined;
  if (text === undefined) return value.value === null ? "no value" : value.source;
  const shown = redact(text);
  return JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}…` : shown);
}
