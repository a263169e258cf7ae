import type { Kind } from "../objects/kind.ts";
import type { KubeObject } from "../objects/object.ts";
import { base64Body, type Body, isBase64, textBody, textOf } from "./body.ts";
import { isInside, joinPath, RESERVED_PREFIX, resolvePath } from "./paths.ts";

/** The bytes of a file, the URL that serves them, or the reason why there are none (an earlier file is then kept). */
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
  /** Why the object, or a key of it, cannot become files; a sentence each. */
  refusals: string[];
  /** The object as a whole is refused. */
  isRefused: boolean;
}

export interface ProjectionSettings {
  /** Absolute and normalised. */
  folder: string;
  folderAnnotation: string;
  /** Absolute and normalised: where an annotation may point to, in addition to `folder`. */
  allowedFolders: readonly string[];
  uniqueFilenames: boolean;
}

/** A key with this ending holds a URL; the file is named without it and has the content that the URL serves. */
const URL_SUFFIX = ".url";

/** Linux' limits in bytes: of a name, and of a path (4096), less room for the name of a file in it. */
const NAME_MAX = 255;
const PATH_MAX = 3800;

const ENCODER = new TextEncoder();

/**
 * The files that an object wants; a pure function of the object and the collection's file settings. Never throws: a fault
 * in the object is a refusal of the object, or of one key.
 */
export function project(kind: Kind, object: KubeObject, settings: ProjectionSettings): Projection {
  const folder = targetFolder(object, settings);
  if ("refused" in folder) return { files: [], refusals: [folder.refused], isRefused: true };
  const files = new Map<string, WantedFile>();
  const refusals: string[] = [];
  for (const [key, value, base64] of entriesOf(kind, object)) {
    const isUrl = key.endsWith(URL_SUFFIX);
    const name = fileName(kind, object, isUrl ? key.slice(0, -URL_SUFFIX.length) : key, settings);
    if (typeof name !== "string") {
      refusals.push(`key ${JSON.stringify(key)} cannot be a file name${name.why}`);
      continue;
    }
    const path = joinPath(folder.path, name);
    // `a` and `a.url` in one object want the same file: `a` wins, for its content is there
    if (isUrl && files.has(path)) continue;
    const content = contentOf(key, value, base64, isUrl);
    if ("broken" in content) refusals.push(content.broken);
    files.set(path, { path, key, content });
  }
  return { files: [...files.values()], refusals, isRefused: false };
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
  if (typeof value !== "string") return { broken: `key ${JSON.stringify(key)} is not text` };
  const text = base64 ? value.replace(/\s+/g, "") : value;
  if (base64 && !isBase64(text)) return { broken: `key ${JSON.stringify(key)} is not base64` };
  const body = base64 ? base64Body(text) : textBody(text);
  return isUrl ? { url: textOf(body).trim() } : { body };
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

function targetFolder(object: KubeObject, settings: ProjectionSettings): { path: string } | { refused: string } {
  const { folder, folderAnnotation, allowedFolders } = settings;
  const value: unknown = object.metadata.annotations?.[folderAnnotation] ?? "";
  if (value === "") return { path: folder };
  if (typeof value !== "string") return { refused: `annotation ${folderAnnotation} is not text` };
  const shown = JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) {
    return { refused: `annotation ${folderAnnotation}=${shown} has control characters` };
  }
  const path = resolvePath(folder, value);
  if (![folder, ...allowedFolders].some((allowed) => isInside(allowed, path))) {
    return {
      refused: `annotation ${folderAnnotation}=${shown} points outside ${folder}` +
        (allowedFolders.length === 0 ? " (ALLOWED_FOLDERS admits more folders)" : ` and ${allowedFolders.join(", ")}`),
    };
  }
  const names = path.split("/");
  if (names.some((name) => name.startsWith(RESERVED_PREFIX))) {
    return { refused: `annotation ${folderAnnotation}=${shown} has a name in it that is reserved for the sidecar` };
  }
  if (ENCODER.encode(path).length > PATH_MAX || names.some((name) => ENCODER.encode(name).length > NAME_MAX)) {
    return { refused: `annotation ${folderAnnotation}=${shown} makes a path that is too long` };
  }
  return { path };
}
