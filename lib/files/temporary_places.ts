import type { AllowedFolders } from "./allowed_folders.ts";
import { parentOf } from "./paths.ts";
import { StateDirectory } from "./state_directory.ts";
import type { TemporaryFile } from "./temporary_file.ts";

export interface TemporaryPlacesOptions {
  /** FOLDER. */
  folder: string;
  id: string;
  allowedFolders: Pick<AllowedFolders, "folderOf">;
}

/**
 * Chooses the state directory that a temporary file is created in, which must be on the file system of the target:
 *
 * 1. FOLDER's own, when the device number is the same
 * 2. one in the topmost directory with the target's device number that is still in the allowed folder
 * 3. one beside the target: renames fail with EXDEV within one device, too, between two mounts of it
 *
 * All but FOLDER's own exist only while a temporary file is in them.
 */
export class TemporaryPlaces {
  readonly #options: TemporaryPlacesOptions;
  readonly #home: StateDirectory;
  /** By directory of the target. */
  readonly #chosen = new Map<string, StateDirectory>();
  /** All but FOLDER's own, by the directory they are in. */
  readonly #foreign = new Map<string, StateDirectory>();

  constructor(options: TemporaryPlacesOptions) {
    this.#options = options;
    this.#home = new StateDirectory(options.folder, options.id, { isTransient: false });
    this.#home.sweep();
  }

  /**
   * Chooses for a directory that exists, and removes what an earlier run left where its temporary files were. Cheap when
   * the directory is known.
   *
   * @throws {Deno.errors.*}
   */
  visit(directory: string): StateDirectory {
    const known = this.#chosen.get(directory);
    if (known !== undefined) return known;
    const candidates = this.#candidates(directory);
    for (const place of candidates) {
      if (place !== this.#home) place.sweep();
    }
    const [place = this.#home] = candidates;
    this.#chosen.set(directory, place);
    return place;
  }

  /** @throws {Deno.errors.*} */
  createFile(target: string, mode: number): TemporaryFile {
    return this.visit(parentOf(target)).createFile(target, mode);
  }

  /**
   * Copies a temporary file to the next place, after its rename failed with EXDEV, and uses that place from now on.
   *
   * @returns `undefined` when there is no other place
   * @throws {Deno.errors.*}
   */
  copyElsewhere(file: TemporaryFile, mode: number): TemporaryFile | undefined {
    const candidates = this.#candidates(parentOf(file.target));
    const next = candidates[candidates.findIndex(({ path }) => path === parentOf(file.path)) + 1];
    if (next === undefined) return undefined;
    const copy = next.createFile(file.target, mode);
    try {
      for (const piece of file.body()) copy.write(piece);
    } catch (error) {
      copy.end();
      throw error;
    }
    this.#chosen.set(parentOf(file.target), next);
    return copy;
  }

  /** The directory is gone; another one may come in its place. */
  forget(directory: string): void {
    this.#chosen.delete(directory);
  }

  #candidates(directory: string): StateDirectory[] {
    const { folder, allowedFolders } = this.#options;
    const device = deviceOf(directory);
    const root = allowedFolders.folderOf(directory) ?? directory;
    let topmost = directory;
    while (topmost !== root && deviceOf(parentOf(topmost)) === device) topmost = parentOf(topmost);
    const parents = [...(deviceOf(folder) === device ? [folder] : []), topmost, directory];
    return [...new Set(parents)].map((parent) => parent === folder ? this.#home : this.#foreignIn(parent));
  }

  #foreignIn(parent: string): StateDirectory {
    const known = this.#foreign.get(parent);
    if (known !== undefined) return known;
    const place = new StateDirectory(parent, this.#options.id, { isTransient: true });
    this.#foreign.set(parent, place);
    return place;
  }
}

function deviceOf(directory: string): number {
  return Deno.statSync(directory).dev;
}
