/** Files that the sidecar's configuration names: no object may write to them, by whatever path. */
import { RefusedPathError } from "./allowed_folders.ts";
import { joinPath, nameOf, parentOf } from "./paths.ts";
import { lstat, realPathOf } from "./file_calls.ts";

export interface ConfigFile {
  /** Absolute and normalised. */
  path: string;
  /** Names it in an error message: `the SCRIPT`. */
  what: string;
}

/**
 * Compares the files as they are now, because a directory or a symlink in their paths may change at any time. Ordinary writes
 * cost no system call: by name, only files of the same name are looked up, and by inode, only what the sidecar has not
 * written.
 */
export class ConfigFiles {
  readonly #files: ConfigFile[] = [];
  /** By the last name of their path, and of their real path at the start. */
  readonly #byName = new Map<string, Set<ConfigFile>>();

  constructor(files: readonly ConfigFile[]) {
    this.add(files);
  }

  add(files: readonly ConfigFile[]): void {
    for (const file of files) {
      this.#files.push(file);
      for (const path of [file.path, realPathOf(file.path)]) {
        const ofThatName = this.#byName.get(nameOf(path)) ?? new Set();
        this.#byName.set(nameOf(path), ofThatName.add(file));
      }
    }
  }

  /**
   * For a path at which there may be nothing.
   *
   * @param realDirectory the real path of its directory
   * @throws {RefusedPathError}
   */
  refusePath(path: string, realDirectory: string): void {
    const real = joinPath(realDirectory, nameOf(path));
    for (const { path: named, what } of this.#byName.get(nameOf(path)) ?? []) {
      const isSame = real === joinPath(realPathOf(parentOf(named)), nameOf(named)) || real === realPathOf(named);
      if (isSame) throw refusal(path, what);
    }
  }

  /**
   * For a file or symlink that the sidecar has not written. It may also be a symlink on the way to a file, or a hard link.
   *
   * @throws {RefusedPathError}
   */
  refuseEntry(path: string, present: Deno.FileInfo): void {
    for (const { path: named, what } of this.#files) {
      if (isSame(present, statOf(named))) throw refusal(path, what);
      if (!present.isSymlink) continue;
      if (isSame(statOf(path), statOf(named))) throw refusal(path, what);
      for (let part = named; part !== "/"; part = parentOf(part)) {
        if (isSame(present, lstat(part))) throw refusal(path, `on the way to ${what}`);
      }
    }
  }
}

function refusal(path: string, what: string): RefusedPathError {
  return new RefusedPathError(`${path} is ${what}, which belongs to the sidecar`);
}

function isSame(one: Deno.FileInfo | undefined, other: Deno.FileInfo | undefined): boolean {
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
