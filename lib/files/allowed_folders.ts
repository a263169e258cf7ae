/** The folders that files may go to, checked on the disk as it is: symlinks are resolved, so that none leads out. */
import { isInside } from "./projection.ts";

/** A path that leads out of the allowed folders. */
export class RefusedPathError extends Error {
  override readonly name = "RefusedPathError";
}

/** Told of each directory that is made here: before that, so that a crash in between does not leave it unknown. */
export interface DirectoryRecord {
  make(directory: string): void;
  /** It was not made after all. */
  unmake(directory: string): void;
}

/** What says that nothing of ours can be behind a path. */
const UNREACHABLE = [RefusedPathError, Deno.errors.NotADirectory, Deno.errors.FilesystemLoop];

export class Roots {
  /** What each root was when it was first seen there; a root that becomes a symlink to elsewhere is not followed. */
  readonly #real = new Map<string, string>();
  readonly #record: DirectoryRecord;

  /**
   * @param folder made when it is missing, now and later
   * @param others used where they exist
   * @throws {Deno.errors.*} `folder` can neither be found nor made, or it is no directory
   */
  constructor(folder: string, others: readonly string[], record: DirectoryRecord) {
    this.#record = record;
    Deno.mkdirSync(folder, { recursive: true });
    this.#real.set(folder, Deno.realPathSync(folder));
    for (const root of others) this.#real.set(root, root);
    for (const root of others) this.#resolveRoot(root);
  }

  /**
   * Makes a directory below a root, with its parents, where it is missing.
   *
   * @throws {RefusedPathError} it leads out of the roots
   */
  ensureDirectory(directory: string): void {
    if (this.#contains(directory)) return;
    const root = [...this.#real.keys()].find((root) => isInside(root, directory));
    if (root === undefined) throw new RefusedPathError(`${directory} is in none of the allowed folders`);
    if (directory === root) {
      Deno.mkdirSync(directory, { recursive: true });
      this.#resolveRoot(root);
    } else {
      this.ensureDirectory(parentOf(directory));
      this.#make(directory);
    }
    if (!this.#contains(directory)) throw new RefusedPathError(`${directory} is a symlink to nowhere`);
  }

  /** Whether a directory exists and, with all symlinks resolved, is inside a root. */
  has(directory: string): boolean {
    try {
      return this.#contains(directory);
    } catch (error) {
      if (UNREACHABLE.some((kind) => error instanceof kind)) return false;
      throw error;
    }
  }

  #make(directory: string): void {
    this.#record.make(directory);
    try {
      Deno.mkdirSync(directory);
    } catch (error) {
      this.#record.unmake(directory);
      // Somebody else made it meanwhile, or it is a symlink to nowhere
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }

  /** `false`: it does not exist. */
  #contains(directory: string): boolean {
    let real: string;
    try {
      real = Deno.realPathSync(directory);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    for (const root of this.#real.values()) {
      if (isInside(root, real)) return true;
    }
    throw new RefusedPathError(`${directory} leads to ${real}, which is in none of the allowed folders`);
  }

  #resolveRoot(root: string): void {
    try {
      this.#real.set(root, Deno.realPathSync(root));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
