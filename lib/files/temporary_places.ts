import type { AllowedFolders } from "./allowed_folders.ts";
import type { FileModes } from "./file_modes.ts";
import { parentOf } from "./paths.ts";
import { StateDirectory } from "./state_directory.ts";
import type { TemporaryFile } from "./temporary_file.ts";

export interface TemporaryPlacesOptions {
  /** FOLDER. */
  folder: string;
  id: string;
  allowedFolders: Pick<AllowedFolders, "folderOf">;
  modes: FileModes;
}

/**
 * Chooses the state directory for a temporary file. It must be on the file system of the target:
 *
 * 1. FOLDER's, if the device number is the same
 * 2. one in the topmost directory with the target's device number that is still inside the allowed folder
 * 3. one beside the target, because a rename between two mounts of one device fails with EXDEV, too
 *
 * The latter two exist only while a temporary file is in them.
 */
export class TemporaryPlaces {
  readonly #folder: string;
  readonly #id: string;
  readonly #allowedFolders: TemporaryPlacesOptions["allowedFolders"];
  readonly #modes: FileModes;
  readonly #home: StateDirectory;
  /** State directories outside FOLDER that were chosen, by the directory that they are in. */
  readonly #foreign = new Map<string, StateDirectory>();
  /** The choice for each directory of targets. */
  readonly #chosen = new Map<string, StateDirectory>();

  /** Removes the temporary files of an earlier run in FOLDER. */
  constructor({ folder, id, allowedFolders, modes }: TemporaryPlacesOptions) {
    this.#folder = folder;
    this.#id = id;
    this.#allowedFolders = allowedFolders;
    this.#modes = modes;
    this.#home = new StateDirectory(folder, id, { isTransient: false, modes });
    this.#home.sweep();
  }

  /**
   * Chooses for targets in a directory, which must exist. The first time, removes temporary files of an earlier run.
   *
   * @throws {Deno.errors.*}
   */
  visit(directory: string): StateDirectory {
    const known = this.#chosen.get(directory);
    if (known !== undefined) return known;
    const parents = this.#parentsFor(directory);
    for (const parent of parents) {
      const mayBeInUse = parent === this.#folder || this.#foreign.has(parent);
      if (!mayBeInUse) this.#stateDirectoryIn(parent).sweep();
    }
    return this.#choose(directory, parents[0] ?? directory);
  }

  /** @throws {Deno.errors.*} */
  createFile(target: string, mode: number): TemporaryFile {
    return this.visit(parentOf(target)).createFile(target, mode);
  }

  /**
   * Copies a temporary file to the next place, after its rename failed with EXDEV, and chooses that place from now on.
   *
   * @returns `undefined` when there is no other place
   * @throws {Deno.errors.*}
   */
  copyElsewhere(file: TemporaryFile, mode: number): TemporaryFile | undefined {
    const directory = parentOf(file.target);
    const parents = this.#parentsFor(directory);
    const tried = parents.findIndex((parent) => this.#stateDirectoryIn(parent).path === parentOf(file.path));
    const next = parents[tried + 1];
    if (next === undefined) return undefined;
    const copy = this.#choose(directory, next).createFile(file.target, mode);
    try {
      for (const piece of file.body()) copy.write(piece);
    } catch (error) {
      copy.end();
      throw error;
    }
    return copy;
  }

  /** The directory was removed; another one may have its name later. */
  forget(directory: string): void {
    this.#chosen.delete(directory);
  }

  /** The directories to have a state directory in, in the order of preference. */
  #parentsFor(directory: string): string[] {
    const device = deviceOf(directory);
    const root = this.#allowedFolders.folderOf(directory) ?? directory;
    let topmost = directory;
    while (topmost !== root && deviceOf(parentOf(topmost)) === device) topmost = parentOf(topmost);
    const isAtHome = deviceOf(this.#folder) === device;
    return [...new Set(isAtHome ? [this.#folder, topmost, directory] : [topmost, directory])];
  }

  #choose(directory: string, parent: string): StateDirectory {
    const place = this.#stateDirectoryIn(parent);
    if (place !== this.#home) this.#foreign.set(parent, place);
    this.#chosen.set(directory, place);
    return place;
  }

  #stateDirectoryIn(parent: string): StateDirectory {
    if (parent === this.#folder) return this.#home;
    return this.#foreign.get(parent) ?? new StateDirectory(parent, this.#id, { isTransient: true, modes: this.#modes });
  }
}

function deviceOf(directory: string): number {
  return Deno.statSync(directory).dev;
}
