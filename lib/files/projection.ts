import type { Kind } from "../objects/kind.ts";
import type { KubeObject } from "../objects/object.ts";
import { base64Body, type Body, isBase64, textBody, textOf } from "./body.ts";
import { joinPath, RESERVED_PREFIX } from "./paths.ts";
import { NAME_MAX, targetFolder, type TargetSettings } from "./target_folder.ts";

/** The bytes of a file, their origin, or the reason why there are none (an earlier file then stays). */
export type Content = { body: Body } | DeferredContent | { broken: string };

/** Content that takes time: a URL serves it, or it must be unpacked, or both. */
export type DeferredContent = { url: string; isGzip?: true } | { body: Body; isGzip: true };

export interface WantedFile {
  /** Absolute and normalised. */
  path: string;
  /** The key of `data` or `binaryData` that it comes from. */
  key: string;
  content: Content;
}

export interface Projection {
  files: WantedFile[];
  /** Why the object, or a key of it, cannot become files; a sentence each. */
  refusals: string[];
  /** The object as a whole is refused. */
  isRefused: boolean;
  /** Why, where it is. */
  refusedFor?: "folder" | "too_many_keys";
}

export interface ProjectionSettings extends TargetSettings {
  uniqueFilenames: boolean;
  /** Keys that end in `.gz` are archives. */
  decompress: boolean;
  /** An object with more keys is refused. */
  maxFilesPerObject: number;
}

/** A key with this ending whose text is a URL: the file is named without it and has the content that the URL serves. */
const URL_SUFFIX = ".url";

/** With DECOMPRESS, a key with this ending, or with it before `.url`, is an archive: the file is named without it. */
const GZIP_SUFFIX = ".gz";

/**
 * The files that an object wants; a pure function of the object and the collection's file settings. Never throws: a fault
 * in the object is a refusal of the object, or of one key.
 */
export function project(kind: Kind, object: KubeObject, settings: ProjectionSettings): Projection {
  const folder = targetFolder(object, settings);
  if ("refused" in folder) return refusal(folder.refused, "folder");
  const tooMany = tooManyKeys(object, settings);
  if (tooMany !== undefined) return refusal(tooMany, "too_many_keys");
  const files = new Map<string, WantedFile>();
  const refusals: string[] = [];
  for (const { key, stem, content } of entriesOf(kind, object, settings)) {
    const name = fileName(kind, object, stem, settings);
    if (typeof name !== "string") {
      refusals.push(`key ${JSON.stringify(key)} cannot be a file name${name.why}`);
      continue;
    }
    const path = joinPath(folder.path, name);
    // `a`, `a.gz` and `a.url` in one object want the same file: the one that lost the fewest endings has it
    if (stem !== key && files.has(path)) continue;
    if ("broken" in content) refusals.push(content.broken);
    files.set(path, { path, key, content });
  }
  return { files: [...files.values()], refusals, isRefused: false };
}

function refusal(reason: string, refusedFor: NonNullable<Projection["refusedFor"]>): Projection {
  return { files: [], refusals: [reason], isRefused: true, refusedFor };
}

function tooManyKeys({ data, binaryData }: KubeObject, { maxFilesPerObject }: ProjectionSettings): string | undefined {
  const count = Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length;
  return count > maxFilesPerObject ? `it has ${count} keys (MAX_FILES_PER_OBJECT=${maxFilesPerObject})` : undefined;
}

interface KeyEntry {
  key: string;
  /** The key without the endings that say how its content is had. */
  stem: string;
  content: Content;
}

/** The keys of an object: plain ones first, then archives, then URLs. */
function entriesOf(kind: Kind, object: KubeObject, { decompress }: ProjectionSettings): KeyEntry[] {
  const { data, binaryData } = object;
  const entries: KeyEntry[] = [];
  const add = (values: Record<string, string> | null | undefined, base64: boolean) => {
    for (const [key, value] of Object.entries(values ?? {})) entries.push(entryOf(key, value, base64, decompress));
  };
  add(data, kind === "Secret");
  add(binaryData, true);
  return entries.sort((a, b) => rankOf(a) - rankOf(b));
}

function entryOf(key: string, value: unknown, base64: boolean, decompress: boolean): KeyEntry {
  const content = contentOf(key, value, base64);
  const isUrlKey = key.endsWith(URL_SUFFIX);
  const url = isUrlKey && "body" in content ? urlIn(content.body) : undefined;
  // A key that cannot be read is no plain file, which would be another path than before
  const stem = isUrlKey && (url !== undefined || "broken" in content) ? key.slice(0, -URL_SUFFIX.length) : key;
  const source = url === undefined ? content : { url };
  if (!decompress || !stem.endsWith(GZIP_SUFFIX)) return { key, stem, content: source };
  const archive: Content = "broken" in source ? source : { ...source, isGzip: true };
  return { key, stem: stem.slice(0, -GZIP_SUFFIX.length), content: archive };
}

function rankOf({ key, stem, content }: KeyEntry): number {
  if (key === stem) return 0;
  return "url" in content || key.endsWith(URL_SUFFIX) ? 2 : 1;
}

function contentOf(key: string, value: unknown, base64: boolean): { body: Body } | { broken: string } {
  if (typeof value !== "string") return { broken: `key ${JSON.stringify(key)} is not text` };
  const text = base64 ? value.replace(/\s+/g, "") : value;
  if (base64 && !isBase64(text)) return { broken: `key ${JSON.stringify(key)} is not base64` };
  return { body: base64 ? base64Body(text) : textBody(text) };
}

/** The http or https URL that is all of the text; `undefined` for any other text, such as `jdbc:…` or `ftp://…`. */
function urlIn(body: Body): string | undefined {
  const text = textOf(body).trim();
  // deno-lint-ignore no-control-regex
  return /^https?:\/\/[^\x00-\x1f\x7f]+$/i.test(text) && URL.canParse(text) ? text : undefined;
}

function fileName(kind: Kind, object: KubeObject, key: string, settings: ProjectionSettings): string | { why: string } {
  // The API server checks keys, too, but an object may come from elsewhere
  if (!/^[-._a-zA-Z0-9]+$/.test(key) || key === "." || key === ".." || key.startsWith(RESERVED_PREFIX)) {
    return { why: "" };
  }
  const { namespace, name } = object.metadata;
  const unique = `namespace_${namespace}.${kind.toLowerCase()}_${name}.${key}`;
  const chosen = settings.uniqueFilenames ? unique : key;
  if (chosen.length <= NAME_MAX) return chosen;
  return { why: `: ${chosen.slice(0, 100)}… has ${chosen.length} characters, more than ${NAME_MAX}` };
}
