/** Reads a manifest file: YAML or JSON, several documents, `kind: List`. */
import type * as yaml from "yaml";
import { decodeObject } from "./codec.ts";
import { apiVersionOf, CONFIG_MAPS, NAMESPACES, type Resource, SECRETS, type StoredObject } from "./resources.ts";

/** An object that a file defines. */
export interface Manifest {
  resource: Resource;
  object: StoredObject;
  /** `dashboards/team.yaml:12`, for messages. */
  place: string;
}

export interface ManifestFile {
  manifests: Manifest[];
  /** What is no ConfigMap, Secret or Namespace: `Deployment at app.yaml:3`. */
  skipped: string[];
}

/** A file that cannot be read as manifests. The message starts with the file's name and the line. */
export class ManifestError extends Error {
  override name = "ManifestError";
}

const RESOURCES = [CONFIG_MAPS, SECRETS, NAMESPACES];

/**
 * Reads all objects of one file, or none: a file with one fault is as good as not there.
 *
 * An object without a namespace goes to `default`. What the server gives an object (uid, resourceVersion, times) is dropped,
 * so that what `kubectl get -o yaml` printed is a manifest.
 *
 * @throws {ManifestError} when the text is no YAML, or what it says is no object.
 */
export async function parseManifestFile(name: string, text: string): Promise<ManifestFile> {
  const { LineCounter, parseAllDocuments } = await import("../../lib/runtime/yaml_library.ts");
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, merge: true }) as yaml.Document.Parsed[];
  const file: ManifestFile = { manifests: [], skipped: [] };
  for (const document of documents) {
    const fault = document.errors[0];
    if (fault !== undefined) {
      const line = lineCounter.linePos(fault.pos[0]).line;
      throw new ManifestError(`${name}:${line}: ${fault.message.split("\n")[0]!.replace(/ at line .*$/, "")}`);
    }
    const placeOf = (offset: number) => `${name}:${lineCounter.linePos(offset).line}`;
    for (const { value, offset } of objectsOf(document, placeOf)) readObject(placeOf(offset), value, file);
  }
  return file;
}

interface Located {
  value: unknown;
  /** Where in the file it starts. */
  offset: number;
}

/** The objects of a document: one, or those of a list, or none when it is empty. */
function objectsOf(document: yaml.Document.Parsed, placeOf: (offset: number) => string): Located[] {
  const offset = document.contents?.range[0] ?? 0;
  const value = toJs(document, placeOf(offset));
  if (value === null || value === undefined) return [];
  const { kind, apiVersion, items } = value as { kind?: unknown; apiVersion?: unknown; items?: unknown };
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [{ value, offset }];
  const nodes = (document.get("items") as yaml.YAMLSeq).items as { range?: yaml.Range | null }[];
  const implied = kind === "List" ? {} : { kind: kind.slice(0, -"List".length), apiVersion };
  return items.map((item, index) => ({
    value: typeof item === "object" ? { ...implied, ...item } : item,
    offset: nodes[index]?.range?.[0] ?? offset,
  }));
}

function toJs(document: yaml.Document.Parsed, place: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ManifestError(`${place}: ${(error as Error).message}`, { cause: error });
  }
}

function readObject(place: string, value: unknown, file: ManifestFile): void {
  const { kind, apiVersion } = (value ?? {}) as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind !== "string" || typeof apiVersion !== "string") {
    throw new ManifestError(`${place}: no Kubernetes object: it needs apiVersion and kind`);
  }
  const resource = RESOURCES.find((known) => known.kind === kind && apiVersionOf(known) === apiVersion);
  if (resource === undefined) {
    file.skipped.push(`${kind} at ${place}`);
    return;
  }
  file.manifests.push({ resource, object: decode(place, resource, value), place });
}

function decode(place: string, resource: Resource, value: unknown): StoredObject {
  let decoded: StoredObject;
  try {
    decoded = decodeObject(resource, value, true);
  } catch (error) {
    throw new ManifestError(`${place}: ${(error as Error).message}`, { cause: error });
  }
  const { name, namespace = "default", labels, annotations, finalizers } = decoded.metadata;
  if (name === "") throw new ManifestError(`${place}: the ${resource.kind} has no metadata.name`);
  return {
    ...decoded,
    metadata: {
      name,
      ...(resource.namespaced ? { namespace } : {}),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
  };
}
