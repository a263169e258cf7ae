import type { KubeObject } from "../objects/object.ts";
import { isInside, joinPath, RESERVED_PREFIX, resolvePath } from "./paths.ts";

export interface TargetSettings {
  /** Absolute and normalised. */
  folder: string;
  folderAnnotation: string;
  /** Absolute and normalised: where an annotation may point to, in addition to `folder`. */
  allowedFolders: readonly string[];
  /** Each namespace has a folder of its own in `folder`. */
  folderPerNamespace: boolean;
}

/** Linux' limits in bytes: of a name, and of a path (4096), less room for the name of a file in it. */
export const NAME_MAX = 255;
const PATH_MAX = 3800;

/** Directories below a folder. Each costs calls to the file system for each file in it. */
const MAX_DEPTH = 50;

const ENCODER = new TextEncoder();

/**
 * The folder that an object's files go to, or why the object is refused. With FOLDER_PER_NAMESPACE, a relative annotation
 * must not leave the folder of the object's namespace, so that no namespace can write among the files of another.
 */
export function targetFolder(object: KubeObject, settings: TargetSettings): { path: string } | { refused: string } {
  const { folder, folderAnnotation, allowedFolders, folderPerNamespace } = settings;
  const { namespace, annotations } = object.metadata;
  // The API server checks names, too, but an object may come from elsewhere
  if (folderPerNamespace && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace)) {
    return { refused: `namespace ${JSON.stringify(namespace)} cannot be a folder (FOLDER_PER_NAMESPACE)` };
  }
  const base = folderPerNamespace ? joinPath(folder, namespace) : folder;
  const value: unknown = annotations?.[folderAnnotation] ?? "";
  if (value === "") return { path: base };
  if (typeof value !== "string") return { refused: `annotation ${folderAnnotation} is not text` };
  const shown = JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) {
    return { refused: `annotation ${folderAnnotation}=${shown} has control characters` };
  }
  const path = resolvePath(base, value);
  if (folderPerNamespace && !value.startsWith("/") && !isInside(base, path)) {
    return {
      refused: `annotation ${folderAnnotation}=${shown} points outside ${base}, the folder of its namespace ` +
        "(FOLDER_PER_NAMESPACE)",
    };
  }
  const allowed = [folder, ...allowedFolders];
  if (!allowed.some((root) => isInside(root, path))) {
    return {
      refused: `annotation ${folderAnnotation}=${shown} points outside ${allowed.join(", ")} ` +
        "(set ALLOWED_FOLDERS to allow others)",
    };
  }
  const names = path.split("/");
  if (names.some((name) => name.startsWith(RESERVED_PREFIX))) {
    return { refused: `annotation ${folderAnnotation}=${shown} has a name in it that is reserved for the sidecar` };
  }
  if (ENCODER.encode(path).length > PATH_MAX || names.some((name) => ENCODER.encode(name).length > NAME_MAX)) {
    return { refused: `annotation ${folderAnnotation}=${shown} makes a path that is too long` };
  }
  if (
    Math.min(...allowed.filter((root) => isInside(root, path)).map((root) => depthOf(path) - depthOf(root))) > MAX_DEPTH
  ) {
    return { refused: `annotation ${folderAnnotation}=${shown} has more than ${MAX_DEPTH} directories` };
  }
  return { path };
}

function depthOf(path: string): number {
  return path.split("/").length;
}
