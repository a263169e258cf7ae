/** Reads one manifest file, YAML or JSON, into ConfigMaps and Secrets. */
import type * as yaml from "yaml";
import { type Kind, KINDS } from "../objects/kind.ts";
import { isLabelKey, isLabelValue } from "../objects/selector_grammar.ts";
import type { KubeObject, ObjectMeta } from "../objects/object.ts";
import { keyOf } from "../objects/ref.ts";

/** An object that a file defines. */
export interface Manifest {
  /** `Secret/grafana/datasources` */
  key: string;
  /** Without a resourceVersion. */
  object: KubeObject & { kind: Kind };
  /** `dashboards/team.yaml:12`, for messages. */
  place: string;
}

export interface ManifestFile {
  manifests: Manifest[];
  /** Objects of other kinds: `Deployment at app.yaml:3`. */
  skipped: string[];
  /** Keys that are not base64, with their places. They do not become files; the rest of the object does. */
  broken: string[];
}

/** A file does not contain valid manifests. The message begins with the name of the file and the line. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

type Json = Record<string, unknown>;

/** The path from an object to one of its fields. */
type Path = readonly string[];

/** One object of a text. */
interface Item {
  value: Json;
  place: string;
  /** File, line, field and reason. */
  describe(path: Path, reason: string): string;
  /** @throws {ManifestError} with file, line, field and reason */
  fail(path: Path, reason: string): never;
}

const COMMON_FIELDS = ["apiVersion", "kind", "metadata", "immutable", "data"];
const FIELDS = { ConfigMap: [...COMMON_FIELDS, "binaryData"], Secret: [...COMMON_FIELDS, "stringData", "type"] };

/**
 * The fields in the last two lines are set by an API server. They are accepted, so that the output of
 * `kubectl get -o yaml` is valid.
 */
const METADATA_FIELDS = [
  ...["name", "namespace", "labels", "annotations", "creationTimestamp"],
  ...["uid", "resourceVersion", "generation", "generateName", "managedFields", "selfLink", "ownerReferences"],
  ...["finalizers", "deletionTimestamp", "deletionGracePeriodSeconds"],
];

/**
 * The default for all objects. Age decides which object wins a path, and a file does not show the age of its objects.
 */
const DEFAULT_CREATION_TIMESTAMP = "1970-01-01T00:00:00Z";

const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads all objects of one file. A fault other than a broken key makes the whole file invalid. An object without a namespace is in `default`.
 *
 * @throws {ManifestError} the text is not YAML, or an API server would refuse an object
 */
export async function parseManifestFile(name: string, text: string): Promise<ManifestFile> {
  const { LineCounter, parseAllDocuments } = await import("../runtime/yaml_library.ts");
  const lineCounter = new LineCounter();
  const placeAt = (offset: number) => `${name}:${lineCounter.linePos(offset).line}`;
  const documents = parseAllDocuments(text, { lineCounter, merge: true }) as yaml.Document.Parsed[];
  const file: ManifestFile = { manifests: [], skipped: [], broken: [] };
  for (const item of documents.flatMap((document) => itemsOf(document, placeAt))) {
    const { kind, apiVersion } = item.value;
    if (typeof kind !== "string" || typeof apiVersion !== "string") {
      item.fail([], "not a Kubernetes object: apiVersion and kind are required");
    }
    const known = apiVersion === "v1" ? KINDS.find((known) => known === kind) : undefined;
    if (known === undefined) file.skipped.push(`${kind} at ${item.place}`);
    else {
      file.manifests.push(readManifest(known, item));
      file.broken.push(...brokenKeys(known, item));
    }
  }
  return file;
}

/** The objects of a document: one, the items of a list, or none if it is empty. */
function itemsOf(document: yaml.Document.Parsed, placeAt: (offset: number) => string): Item[] {
  const [fault] = document.errors;
  if (fault !== undefined) {
    // The rest of the message quotes the text, which may contain a Secret
    const reason = fault.message.split("\n")[0]!.replace(/ at line .*$/, "");
    throw new ManifestError(`${placeAt(fault.pos[0])}: not valid YAML: ${reason}`);
  }
  const item = (value: unknown, base: (string | number)[]): Item => {
    const describe = (path: Path, reason: string) => {
      const field = path.length === 0 ? "" : `${path.join(".")}: `;
      return `${placeAt(offsetOf(document.contents, [...base, ...path]))}: ${field}${reason}`;
    };
    const fail = (path: Path, reason: string): never => {
      throw new ManifestError(describe(path, reason));
    };
    if (!isMap(value)) return fail([], "not a Kubernetes object");
    return { value, place: placeAt(offsetOf(document.contents, base)), describe, fail };
  };
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    return item({}, []).fail([], `not valid YAML: ${(error as Error).message}`);
  }
  if (value === null || value === undefined) return [];
  const { kind, apiVersion, items } = value as Json;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [item(value, [])];
  // The items of a ConfigMapList may omit kind and apiVersion
  const implied = kind === "List" ? {} : { kind: kind.slice(0, -"List".length), apiVersion };
  return items.map((value, index) => item(isMap(value) ? { ...implied, ...value } : value, ["items", index]));
}

/** The offset of a field in the text; that of its parent if the field is missing or comes from an alias. */
function offsetOf(root: unknown, path: readonly (string | number)[]): number {
  type Node = { range?: yaml.Range | null; items?: Node[]; key?: Node & { value?: unknown }; value?: unknown };
  let node = root as Node | null | undefined;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    const found = typeof step === "number" ? node?.items?.[step] : node?.items?.find(({ key }) => key?.value === step);
    offset = (found?.key ?? found)?.range?.[0] ?? offset;
    node = found?.key === undefined ? found : found.value as Node | undefined;
  }
  return offset;
}

function readManifest(kind: Kind, item: Item): Manifest {
  refuseUnknown(item, [], FIELDS[kind]);
  const object: Manifest["object"] = { kind, metadata: readMetadata(kind, item) };
  const { value: { data, binaryData, stringData }, place } = item;
  if (data) object.data = kind === "ConfigMap" ? readMap(item, ["data"]) : readBase64(item, "data");
  if (binaryData) object.binaryData = readBase64(item, "binaryData");
  for (const [key, text] of stringData ? Object.entries(readMap(item, ["stringData"])) : []) {
    object.data = { ...object.data, [key]: new TextEncoder().encode(text).toBase64() };
  }
  return { key: object.metadata.uid, object, place };
}

function readMetadata(kind: Kind, item: Item): ObjectMeta {
  refuseUnknown(item, ["metadata"], METADATA_FIELDS);
  const text = (field: string) => readText(item, ["metadata", field]) || undefined;
  const { name, namespace = "default" } = { name: text("name") ?? "", namespace: text("namespace") };
  if (name === "") item.fail(["metadata", "name"], "required");
  for (const [field, value] of Object.entries({ name, namespace })) {
    if (!NAME.test(value)) item.fail(["metadata", field], 'accepted are lower-case letters, digits, "-" and "."');
  }
  const { labels, annotations } = valueAt(item, ["metadata"]) as Json;
  const creationTimestamp = text("creationTimestamp") ?? DEFAULT_CREATION_TIMESTAMP;
  if (Number.isNaN(Date.parse(creationTimestamp))) item.fail(["metadata", "creationTimestamp"], "not a time");
  const uid = keyOf({ kind, namespace, name });
  const metadata: ObjectMeta = { name, namespace, uid, resourceVersion: "", creationTimestamp };
  if (annotations) metadata.annotations = readMap(item, ["metadata", "annotations"]);
  if (labels) metadata.labels = readMap(item, ["metadata", "labels"]);
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!isLabelKey(key)) item.fail(["metadata", "labels", key], "not a label key");
    if (!isLabelValue(value)) item.fail(["metadata", "labels", key], `${JSON.stringify(value)} is not a label value`);
  }
  return metadata;
}

function refuseUnknown(item: Item, path: Path, known: readonly string[]): void {
  const map = valueAt(item, path) ?? {};
  if (!isMap(map)) item.fail(path, "not a map");
  const unknown = Object.keys(map).find((field) => !known.includes(field));
  if (unknown !== undefined) item.fail([...path, unknown], "unknown field");
}

/** Lines are joined, as an API server does. */
function readBase64(item: Item, field: string): Record<string, string> {
  const entries = Object.entries(readMap(item, [field]));
  return Object.fromEntries(entries.map(([key, text]) => [key, text.replace(/[\r\n]/g, "")]));
}

/** Base64 that cannot be read is the fault of one key, as it is with objects of an API server. */
function brokenKeys(kind: Kind, item: Item): string[] {
  const [field, hint] = kind === "Secret" ? ["data", " (plain text goes into stringData)"] : ["binaryData", ""];
  if (!isMap(item.value[field])) return [];
  const broken = Object.entries(readBase64(item, field)).filter(([, text]) => !BASE64.test(text));
  return broken.map(([key]) => item.describe([field, key], `not base64${hint}`));
}

function readMap(item: Item, path: Path): Record<string, string> {
  const map = valueAt(item, path);
  if (!isMap(map)) return item.fail(path, "not a map");
  return Object.fromEntries(Object.keys(map).map((key) => [key, readText(item, [...path, key]) ?? ""]));
}

function readText(item: Item, path: Path): string | undefined {
  const value = valueAt(item, path) ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  if (typeof value !== "object") item.fail(path, `expected a string, found a ${typeof value}: put it in quotes`);
  return item.fail(path, `expected a string, found a ${Array.isArray(value) ? "list" : "map"}`);
}

function valueAt({ value }: Item, path: Path): unknown {
  return path.reduce<unknown>((map, step) => isMap(map) && Object.hasOwn(map, step) ? map[step] : undefined, value);
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
