/** Reads a stream of Kubernetes manifests, such as `helm template` prints, and finds pods and ConfigMaps in it. */
import type * as yaml from "yaml";

export type Json = Record<string, unknown>;

/** Keys and indexes from the document to a value. */
export type Path = readonly (string | number)[];

/** One object of the stream. */
export interface StreamObject {
  kind: string;
  name: string;
  namespace: string | undefined;
  value: Json;
  /** The place of a value in the object, or of its nearest parent that is written there. */
  placeOf(path: Path): { line: number; column: number };
  /** The place of the text of a literal block (`|`) whose first column is the given one; `undefined` for other texts. */
  blockAt(path: Path): { line: number; column: number } | undefined;
}

export interface StreamFault {
  line: number;
  reason: string;
}

/** Never throws: a document that is not valid is a fault, and the others are read. */
export async function readStream(text: string): Promise<{ objects: StreamObject[]; faults: StreamFault[] }> {
  const { LineCounter, parseAllDocuments } = await import("../../runtime/yaml_library.ts");
  const lines = new LineCounter();
  const options = {
    lineCounter: lines,
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  } as const;
  const objects: StreamObject[] = [];
  const faults: StreamFault[] = [];
  for (const document of parseAllDocuments(text, options) as yaml.Document.Parsed[]) {
    const [error] = document.errors;
    if (error !== undefined) {
      // The rest of the message quotes the text, which may contain a Secret
      const reason = error.message.split("\n")[0]!.replace(/:? ".*$/, "");
      faults.push({ line: lines.linePos(error.pos[0]).line, reason: `not valid YAML: ${reason}` });
      continue;
    }
    try {
      objects.push(...objectsOf(document, document.toJS(), [], text, lines));
    } catch (error) {
      const reason = `not valid YAML: ${(error as Error).message.split("\n")[0]}`;
      faults.push({ line: lines.linePos(document.range[0]).line, reason });
    }
  }
  return { objects, faults };
}

function objectsOf(
  document: yaml.Document.Parsed,
  value: unknown,
  base: Path,
  text: string,
  lines: yaml.LineCounter,
): StreamObject[] {
  if (!isMap(value) || typeof value.kind !== "string") return [];
  if (value.kind.endsWith("List") && Array.isArray(value.items)) {
    return value.items.flatMap((item, index) => objectsOf(document, item, [...base, "items", index], text, lines));
  }
  const metadata = mapOf(value.metadata);
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  return [{
    kind: value.kind,
    name: typeof metadata.name === "string" ? metadata.name : "without a name",
    namespace: typeof metadata.namespace === "string" ? metadata.namespace : undefined,
    value,
    placeOf: (path) => place(nodeAt(document, [...base, ...path])?.range?.[0] ?? document.range[0]),
    blockAt(path) {
      const node = nodeAt(document, [...base, ...path]);
      if (node?.type !== "BLOCK_LITERAL" || !node.range) return undefined;
      const begin = text.indexOf("\n", node.range[0]) + 1;
      const indent = /^ */.exec(text.slice(begin).replace(/^(?: *\n)+/, ""))![0].length;
      return { line: place(begin).line, column: indent + 1 };
    },
  }];
}

function nodeAt(document: yaml.Document.Parsed, path: Path): (yaml.Node & { type?: string }) | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as yaml.Scalar | undefined;
    if (node?.range) return node;
  }
  return document.contents ?? undefined;
}

export function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function mapOf(value: unknown): Json {
  return isMap(value) ? value : {};
}

/** The maps of a list, with their places in it. */
export function entriesOf(value: unknown): [index: number, item: Json][] {
  return Array.isArray(value) ? [...value.entries()].filter((entry): entry is [number, Json] => isMap(entry[1])) : [];
}
