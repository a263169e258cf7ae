/** What files an object wants: a pure function of the object and of the collection's file settings. */
import type { Kind } from "../objects/kind.ts";
import type { KubeObject } from "../objects/object.ts";
import { isInside, joinPath, RESERVED_PREFIX, resolvePath } from "./paths.ts";
import { base64Body, type Body, isBase64, textBody, textOf } from "./body.ts";

/** The bytes of a file, the URL that serves them, or why neither is to be had (an earlier file is then kept). */
export type Content = { body: Body } | { url: string } | { broken: string };

export interface WantedFile {
  /** Absolute and normalised. */
  path: string;
  /** The key of `data` or `binaryData` that it comes from. */
  key: string;
  content: Content;
}

export interface Projection {
  files: WantedFile[];
  /** What could not become a file, one sentence each: the whole object, or one key of it. */
  refusals: string[];
}

export interface ProjectionSettings {
  /** Absolute and normalised. */
  folder: string;
  folderAnnotation: string;
  /** Absolute and normalised; where an annotation may point to besides `folder`. */
  allowedFolders: readonly string[];
  uniqueFilenames: boolean;
}

/** A key with this ending holds a URL, and the file without it what the URL serves. */
const URL_SUFFIX = ".url";

/** Linux' limits: a name in bytes (NAME_MAX), and a path with room for a temporary's name in it (PATH_MAX is 4096). */
const NAME_MAX = 255;
const PATH_MAX = 3800;

const ENCODER = new TextEncoder();

/** Never throws: what an object's author got wrong harms only the object, or only the key. */
export function project(kind: Kind, object: KubeObject, settings: ProjectionSettings): Projection {
  const folder = targetFolder(object, settings);
  if ("refused" in folder) return { files: [], refusals: [folder.refused] };
  const files = new Map<string, WantedFile>();
  const refusals: string[] = [];
  for (const [key, value, base64] of entriesOf(kind, object)) {
    const isUrl = key.endsWith(URL_SUFFIX);
    const name = fileName(kind, object, isUrl ? key.slice(0, -URL_SUFFIX.length) : key, settings);
    if (typeof name !== "string") {
      refusals.push(`key ${JSON.stringify(key)} makes no file name${name.why}`);
      continue;
    }
    const path = joinPath(folder.path, name);
    // `a` and `a.url` in one object want the same file: what is in the object itself wins
    if (isUrl && files.has(path)) continue;
    const content = contentOf(key, value, base64, isUrl);
    if ("broken" in content) refusals.push(content.broken);
    files.set(path, { path, key, content });
  }
  return { files: [...files.values()], refusals };
}

/** `[key, value, base64?]`, keys that hold URLs last. */
function entriesOf(kind: Kind, object: KubeObject): [string, string, boolean][] {
  const { data, binaryData } = object;
  const entries: [string, string, boolean][] = [];
  for (const [key, value] of Object.entries(data ?? {})) entries.push([key, value, kind === "Secret"]);
  for (const [key, value] of Object.entries(binaryData ?? {})) entries.push([key, value, true]);
  return entries.sort(([a], [b]) => Number(a.endsWith(URL_SUFFIX)) - Number(b.endsWith(URL_SUFFIX)));
}

function contentOf(key: string, value: unknown, base64: boolean, isUrl: boolean): Content {
  if (typeof value !== "string") return { broken: `key ${JSON.stringify(key)} holds no text` };
  const text = base64 ? value.replace(/\s+/g, "") : value;
  if (base64 && !isBase64(text)) return { broken: `key ${JSON.stringify(key)} is not base64` };
  const body = base64 ? base64Body(text) : textBody(text);
  return isUrl ? { url: textOf(body).trim() } : { body };
}

function fileName(kind: Kind, object: KubeObject, key: string, settings: ProjectionSettings): string | { why: string } {
  // The API's own rule for keys; an object from elsewhere must not get past it
  if (!/^[-._a-zA-Z0-9]+$/.test(key) || key === "." || key === ".." || key.startsWith(RESERVED_PREFIX)) {
    return { why: "" };
  }
  const { namespace, name } = object.metadata;
  const unique = `namespace_${namespace}.${kind.toLowerCase()}_${name}.${key}`;
  const chosen = settings.uniqueFilenames ? unique : key;
  if (chosen.length <= NAME_MAX) return chosen;
  return { why: `: ${chosen.slice(0, 100)}… has ${chosen.length} characters, and ${NAME_MAX} is the most` };
}

function targetFolder(object: KubeObject, settings: ProjectionSettings): { path: string } | { refused: string } {
  const { folder, folderAnnotation, allowedFolders } = settings;
  const value: unknown = object.metadata.annotations?.[folderAnnotation] ?? "";
  if (value === "") return { path: folder };
  if (typeof value !== "string") return { refused: `annotation ${folderAnnotation} is no text` };
  const shown = JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) {
    return { refused: `annotation ${folderAnnotation}=${shown} has control characters` };
  }
  const path = resolvePath(folder, value);
  if (![folder, ...allowedFolders].some((root) => isInside(root, path))) {
    return {
      refused: `annotation ${folderAnnotation}=${shown} points outside ${folder}` +
        (allowedFolders.length === 0 ? " (ALLOWED_FOLDERS names more roots)" : ` and ${allowedFolders.join(", ")}`),
    };
  }
  const names = path.split("/");
  if (names.some((name) => name.startsWith(RESERVED_PREFIX))) {
    return { refused: `annotation ${folderAnnotation}=${shown} has a name that is the sidecar's own` };
  }
  if (ENCODER.encode(path).length > PATH_MAX || names.some((name) => ENCODER.encode(name).length > NAME_MAX)) {
    return { refused: `annotation ${folderAnnotation}=${shown} makes a path that is too long` };
  }
  return { path };
}
