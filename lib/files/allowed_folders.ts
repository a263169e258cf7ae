import { lstat } from "./file_calls.ts";
import { isVolumeFault } from "./publish_error.ts";
import { isInside, joinPath, nameOf, parentOf, RESERVED_PREFIX } from "./paths.ts";

/** A path that leads out of the allowed folders, or to the sidecar's own files. */
export class RefusedPathError extends Error {
  override readonly name = "RefusedPathError";
}

/** Records the directories that are made here, each before it is made, so that a crash in between loses none. */
export interface DirectoryRecord {
  readonly madeDirectories: ReadonlySet<string>;
  recordDirectory(directory: string): void;
  /** The directory was removed, or was not made after all. */
  forgetDirectory(directory: string): void;
}

/** Errors that mean that no file of ours can be at a path. Deno lets nobody read below /proc (NotCapable). */
const UNREACHABLE = [
  RefusedPathError,
  Deno.errors.NotADirectory,
  Deno.errors.FilesystemLoop,
  Deno.errors.NotCapable,
];

/** The folders that may contain files. Checks paths on the disk, with all symlinks resolved, so that none leads out. */
export class AllowedFolders {
  /** The first real path of each folder: a folder that later becomes a symlink to elsewhere is refused. */
  readonly #real = new Map<string, string>();
  readonly #record: DirectoryRecord;

  /**
   * @param folder created if it is missing, now or, if the volume does not allow it, later
   * @param others used if they exist
   * @param options.isDryRun `folder` is not created
   * @throws {Deno.errors.*} `folder` can never be created, or is not a directory
   */
  constructor(folder: string, others: readonly string[], record: DirectoryRecord, { isDryRun = false } = {}) {
    this.#record = record;
    const isThere = !isDryRun && makeFolder(folder);
    this.#real.set(folder, isThere ? Deno.realPathSync(folder) : futureRealPath(folder));
    for (const other of others) this.#real.set(other, other);
    for (const other of others) this.#resolve(other);
  }

  /**
   * Makes a directory in an allowed folder, with its parents, if it is missing. Returns its real path.
   *
   * @throws {RefusedPathError} it leads out of the allowed folders
   */
  ensureDirectory(directory: string): string {
    const present = this.realPathOf(directory);
    if (present !== undefined) return present;
    const folder = this.folderOf(directory);
    if (folder === undefined) throw new RefusedPathError(`${directory} is in none of the allowed folders`);
    if (directory === folder) {
      Deno.mkdirSync(directory, { recursive: true });
      this.#resolve(folder);
    } else {
      this.ensureDirectory(parentOf(directory));
      this.#make(directory);
    }
    const made = this.realPathOf(directory);
    if (made === undefined) throw new RefusedPathError(`${directory} is a symlink to nowhere`);
    return made;
  }

  /** Whether a directory exists and, with all symlinks resolved, is in an allowed folder. */
  has(directory: string): boolean {
    try {
      return this.realPathOf(directory) !== undefined;
    } catch (error) {
      if (UNREACHABLE.some((kind) => error instanceof kind)) return false;
      throw error;
    }
  }

  /**
   * The real path of a directory; `undefined` when it does not exist.
   *
   * @throws {RefusedPathError} it leads out of the allowed folders
   */
  realPathOf(directory: string): string | undefined {
    let real: string;
    try {
      real = Deno.realPathSync(directory);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    if (real.includes(`/${RESERVED_PREFIX}`)) {
      throw new RefusedPathError(`${directory} leads to ${real}, which is the sidecar's own`);
    }
    for (const folder of this.#real.values()) {
      if (isInside(folder, real)) return real;
    }
    const reason = "which is in none of the allowed folders (FOLDER, ALLOWED_FOLDERS)";
    throw new RefusedPathError(`${directory} leads to ${real}, ${reason}`);
  }

  /**
   * The name of a directory without symlinks, so that two names of one directory claim the same path. Keeps symlinks in the
   * name of the allowed folder itself; of two with the same real path, the first one's name counts. Returns a name outside
   * of the allowed folders, or one that cannot be resolved, as it is.
   */
  canonical(directory: string): string {
    let real: string;
    try {
      real = Deno.realPathSync(directory);
    } catch (error) {
      if (this.#real.has(directory)) return directory;
      const parent = parentOf(directory);
      const isThere = !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
      if (isThere || parent === directory) return directory;
      return joinPath(this.canonical(parent), directory.slice(directory.lastIndexOf("/") + 1));
    }
    for (const [folder, realFolder] of this.#real) {
      if (real === realFolder) return folder;
      if (isInside(realFolder, real)) {
        return joinPath(folder, real.slice(realFolder.length + Number(realFolder !== "/")));
      }
    }
    return directory;
  }

  /** The allowed folder that contains a directory, by its name alone. */
  folderOf(directory: string): string | undefined {
    for (const folder of this.#real.keys()) {
      if (isInside(folder, directory)) return folder;
    }
    return undefined;
  }

  /**
   * Removes a directory, and its parents below the allowed folder, as long as they are empty and were made here. Returns what
   * it removed.
   */
  removeEmpty(directory: string): string[] {
    const removed: string[] = [];
    const folder = this.folderOf(directory);
    for (let empty = directory; empty !== folder && this.#removeIfEmpty(empty); empty = parentOf(empty)) {
      removed.push(empty);
    }
    return removed;
  }

  /** Removes a directory, with those in it, if they contain no file and were made here. Returns whether it is gone. */
  removeMade(directory: string): boolean {
    const { madeDirectories } = this.#record;
    if (!madeDirectories.has(directory)) return false;
    for (const made of madeInside(directory, madeDirectories)) this.#removeIfEmpty(made);
    return !madeDirectories.has(directory);
  }

  #removeIfEmpty(directory: string): boolean {
    if (!this.#record.madeDirectories.has(directory)) return false;
    try {
      // It was replaced by a file or a symlink, which is not ours
      if (lstat(directory)?.isDirectory) Deno.removeSync(directory);
    } catch {
      return false;
    }
    this.#record.forgetDirectory(directory);
    return true;
  }

  #make(directory: string): void {
    this.#record.recordDirectory(directory);
    try {
      Deno.mkdirSync(directory);
    } catch (error) {
      this.#record.forgetDirectory(directory);
      // Made by somebody else in the meantime, or a symlink to nowhere
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }

  #resolve(folder: string): void {
    try {
      this.#real.set(folder, Deno.realPathSync(folder));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** The directories that were made in a directory, and itself, those inside first. */
export function madeInside(directory: string, madeDirectories: ReadonlySet<string>): string[] {
  return [...madeDirectories].filter((made) => isInside(directory, made)).sort((a, b) => b.length - a.length);
}

/** Returns `false` when the volume does not allow it now. */
function makeFolder(folder: string): boolean {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    return true;
  } catch (error) {
    if (!isVolumeFault(error)) throw error;
    return false;
  }
}

/** The real path that a directory has once it is created. */
function futureRealPath(directory: string): string {
  try {
    return Deno.realPathSync(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || isVolumeFault(error)) || directory === "/") throw error;
    return joinPath(futureRealPath(parentOf(directory)), nameOf(directory));
  }
}
