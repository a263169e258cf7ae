/** Paths as text. They are absolute and normalised; nothing here looks at the disk or resolves a symlink. */

/** Names with this prefix are the sidecar's own: its state directories. No key and no annotation can make one. */
export const RESERVED_PREFIX = "..k8s-sidecar-";

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Made in one piece: a concatenation would keep its parts in memory as long as the path. */
export function joinPath(folder: string, name: string): string {
  return [folder === "/" ? "" : folder, name].join("/");
}

/** Resolves `path`, which may be relative and have `.` and `..` in it, against an absolute `base`. */
export function resolvePath(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Whether `path` is `root` or below it. */
export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root === "/" ? root : `${root}/`);
}
