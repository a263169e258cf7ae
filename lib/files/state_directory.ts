import { errnoOf, lstat, removeIfThere } from "./file_calls.ts";
import type { FileModes } from "./file_modes.ts";
import { joinPath, parentOf, RESERVED_PREFIX } from "./paths.ts";
import { TemporaryFile } from "./temporary_file.ts";

/** Readable by all: a program that walks the folder must not fail here. */
const MODE = 0o755;

/** Bits that are copied from the parent, because the next run may be under another user. */
const INHERITED = 0o022;

const STATE = "state";
const RECORD = "record";
const TEMPORARY_PREFIX = "temporary-";
/** Directories that were in the record's place. */
const REPLACED_PREFIX = "replaced-";

/** Maximum attempts to create a file whose name is already in use. */
const MAX_FAILURES = 1000;

/** `FOLDER/..k8s-sidecar-<id>`. */
export function ownDirectoryOf(folder: string, id: string): string {
  return joinPath(folder, RESERVED_PREFIX + id);
}

/** `FOLDER/..k8s-sidecar-<id>/state/record`, where STATE_FILE names no other place. */
export function recordPathOf(folder: string, id: string): string {
  return joinPath(joinPath(ownDirectoryOf(folder, id), STATE), RECORD);
}

/**
 * `PARENT/..k8s-sidecar-<id>/state`: holds the record of the journal and temporary files, and is the only place for the
 * sidecar's own files. It has two levels for programs that read the files of a folder and of each directory in it.
 */
export class StateDirectory {
  readonly path: string;
  readonly #outer: string;
  readonly #modes: FileModes;
  readonly #onEnd: () => void;
  #isThere = false;
  #created = 0;
  /** The real path of its parent, as it was first. */
  #realParent: string | undefined;

  /**
   * Does not touch the disk.
   *
   * @param isTransient the directory exists only while it contains a temporary file
   */
  constructor(parent: string, id: string, { isTransient, modes }: { isTransient: boolean; modes: FileModes }) {
    this.#modes = modes;
    this.#onEnd = isTransient ? () => this.removeIfEmpty() : () => {};
    this.#outer = ownDirectoryOf(parent, id);
    this.path = joinPath(this.#outer, STATE);
  }

  get recordPath(): string {
    return joinPath(this.path, RECORD);
  }

  /** Whether it exists. Somebody else may have put a symlink in its place, which is not followed. */
  get isReal(): boolean {
    return lstat(this.#outer)?.isDirectory === true && lstat(this.path)?.isDirectory === true;
  }

  /** From now on, it is not made where its parent is a symlink to elsewhere. */
  pin(): void {
    this.#realParent ??= realPathIfThere(parentOf(this.#outer));
  }

  /**
   * Creates a temporary file.
   *
   * @param mode permission bits of the target
   * @throws {Deno.errors.*}
   */
  createFile(target: string, mode: number): TemporaryFile {
    if (!this.#isThere || !this.isReal) this.#make();
    for (let failures = 0;; failures++) {
      try {
        const path = joinPath(this.path, `${TEMPORARY_PREFIX}${this.#created++}`);
        return new TemporaryFile(path, target, mode, this.#onEnd);
      } catch (error) {
        if (failures === MAX_FAILURES) throw error;
        if (error instanceof Deno.errors.AlreadyExists) continue;
        if (failures > 0 || !(error instanceof Deno.errors.NotFound)) throw error;
        this.#make();
      }
    }
  }

  /**
   * Moves a directory out of the record's place: the name is reserved, and nothing could be recorded otherwise.
   *
   * @throws {Deno.errors.*}
   */
  freeRecordPath(): void {
    for (let count = 0; lstat(this.recordPath)?.isDirectory; count++) {
      try {
        Deno.renameSync(this.recordPath, joinPath(this.path, `${REPLACED_PREFIX}${count}`));
      } catch (error) {
        // There is a directory of that name with something in it
        if (count === MAX_FAILURES || !["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
      }
    }
  }

  /** Removes the temporary files of an earlier run. Never throws: what cannot be removed does no harm. */
  sweep(): void {
    this.pin();
    try {
      if (!this.isReal) return;
      for (const { name, isDirectory } of Deno.readDirSync(this.path)) {
        if (!isDirectory && name.startsWith(TEMPORARY_PREFIX)) removeIfThere(joinPath(this.path, name));
      }
    } catch {
      return;
    }
    this.#onEnd();
  }

  /** Removes the directory if it contains nothing. Never throws. */
  removeIfEmpty(): void {
    try {
      for (const directory of [this.path, this.#outer]) {
        if (lstat(directory)?.isDirectory) Deno.removeSync(directory);
      }
      this.#isThere = false;
    } catch {
      // Another temporary file is in it
    }
  }

  #make(): void {
    const parent = parentOf(this.#outer);
    Deno.mkdirSync(parent, { recursive: true });
    this.pin();
    if (Deno.realPathSync(parent) !== this.#realParent) {
      throw new Error(`${parent} does not lead to ${this.#realParent} any more`);
    }
    const wanted = MODE | ((Deno.statSync(parent).mode ?? 0) & INHERITED);
    for (const directory of [this.#outer, this.path]) {
      const there = lstat(directory);
      if (there?.isDirectory) continue;
      // The name is reserved: a file here is the record of an earlier version, and a symlink may be an attack
      if (there !== undefined) Deno.removeSync(directory);
      Deno.mkdirSync(directory, { mode: wanted });
      const made = Deno.lstatSync(directory);
      this.#modes.setOwn(directory, made, ((made.mode ?? 0) & 0o7777) | wanted, parent);
    }
    this.#isThere = true;
  }
}

function realPathIfThere(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
