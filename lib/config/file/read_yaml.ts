/** Reads the YAML or JSON text of CONFIG_FILE, within limits. */
import type * as yaml from "yaml";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "../../runtime/yaml_library.ts";
import { FileFaults } from "./faults.ts";
import type { Located, LocatedEntry } from "./located.ts";

/** A larger file is refused. */
const MAX_BYTES = 2 ** 20;

/** Values in the file, with those of each alias counted again. A few lines of nested aliases could stand for billions. */
const MAX_VALUES = 100_000;

/**
 * `root` is missing if the text is not valid YAML; then `faults` says why.
 *
 * @param path of the file, for messages
 */
export function readYaml(text: string, path: string): { root?: Located; faults: FileFaults } {
  const lines = new LineCounter();
  const faults = new FileFaults(path, (offset) => lines.linePos(offset));
  if (text.length > MAX_BYTES || new TextEncoder().encode(text).length > MAX_BYTES) {
    faults.add(0, "", "the file is larger than 1 MiB");
    return { faults };
  }
  try {
    const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: "silent" } as const;
    const [document, second] = parseAllDocuments(text, options) as yaml.Document.Parsed[];
    for (const { message, pos } of [...document?.errors ?? [], ...document?.warnings ?? []]) {
      // The rest of a message quotes the text, which may be a password
      const reason = message.split("\n")[0]!.replace(/:? ".*$/, "").replace(
        /^Maximum call stack.*/,
        "nested too deeply",
      );
      faults.add(pos[0], "", `not valid YAML: ${reason}`);
    }
    if (second !== undefined) faults.add(second.range[0], "", "a second document: expected only one");
    if (faults.faults.length > 0) return { faults };
    if (document?.contents == null) {
      faults.add(0, "", "the file is empty: expected version: 1 and collections");
      return { faults };
    }
    return { root: new Conversion(faults).convert(document.contents, "").value, faults };
  } catch (error) {
    const reason = error instanceof FileError ? error.message : "the values are nested too deeply";
    if (!(error instanceof FileError || error instanceof RangeError)) throw error;
    faults.add(error instanceof FileError ? error.at : 0, "", reason);
    return { faults };
  }
}

/** The rest of the text is not read. */
class FileError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** A value, and how many values it consists of. */
interface Converted {
  value: Located;
  count: number;
}

class Conversion {
  readonly #faults: FileFaults;
  /** An alias shares the value of its anchor. */
  readonly #anchors = new Map<string, Converted>();

  constructor(faults: FileFaults) {
    this.#faults = faults;
  }

  convert(node: unknown, path: string): Converted {
    const converted = this.#convert(node as yaml.Node | null, path);
    if (converted.count > MAX_VALUES) {
      throw new FileError(converted.value.at, `more than ${MAX_VALUES} values, those of aliases counted each time`);
    }
    const anchor = isAlias(node) ? undefined : (node as yaml.Scalar | null)?.anchor;
    if (anchor) this.#anchors.set(anchor, converted);
    return converted;
  }

  #convert(node: yaml.Node | null, path: string): Converted {
    const at = node?.range?.[0] ?? 0;
    if (isAlias(node)) {
      const anchored = this.#anchors.get(node.source);
      if (anchored === undefined) throw new FileError(at, `*${node.source} has no anchor before it`);
      return anchored;
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.convert(item, `${path}[${index}]`));
      return { value: { type: "list", at, items: items.map(({ value }) => value) }, count: sum(items) };
    }
    if (isMap(node)) return this.#convertMap(node, at, path);
    const value = isScalar(node) ? node.value as string : null;
    const source = isScalar(node) && node.source ? node.source : String(value);
    return { value: { type: "scalar", at, value, source }, count: 1 };
  }

  #convertMap(node: yaml.YAMLMap, at: number, path: string): Converted {
    const entries = new Map<string, LocatedEntry>();
    const merged = new Map<string, LocatedEntry>();
    const parts: Converted[] = [];
    for (const pair of node.items) {
      const keyAt = (pair.key as yaml.Node | null)?.range?.[0] ?? at;
      // The key of a pair may be an anchor, too
      const key = this.convert(pair.key, path).value;
      if (key.type !== "scalar") throw new FileError(keyAt, "a key must be text");
      const name = String(key.value);
      const keyPath = path === "" ? name : `${path}.${name}`;
      const part = this.convert(pair.value, keyPath);
      parts.push(part);
      if (name === "<<" && (pair.key as yaml.Scalar).type === "PLAIN") {
        this.#merge(part.value, merged, keyPath);
        continue;
      }
      const first = entries.get(name);
      if (first === undefined) entries.set(name, { at: keyAt, value: part.value });
      else this.#faults.add(keyAt, keyPath, `the key is also in line ${this.#faults.lineOf(first.at)}`);
    }
    for (const [name, entry] of merged) if (!entries.has(name)) entries.set(name, entry);
    return { value: { type: "map", at, entries }, count: sum(parts) };
  }

  /** `<<: *map` or `<<: [*map, *map]`: the first map that has a key wins. */
  #merge(value: Located, into: Map<string, LocatedEntry>, path: string): void {
    for (const map of value.type === "list" ? value.items : [value]) {
      if (map.type !== "map") this.#faults.add(map.at, path, "expected a map, or a list of maps, to merge");
      else for (const [name, entry] of map.entries) if (!into.has(name)) into.set(name, entry);
    }
  }
}

function sum(parts: readonly Converted[]): number {
  return parts.reduce((total, { count }) => total + count, 1);
}
