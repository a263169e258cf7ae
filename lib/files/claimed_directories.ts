import { parentOf } from "./paths.ts";

interface Directory {
  /** Keys of the objects that claim a path in the directory itself. Most directories have one, which is stored without a set. */
  keys: string | Set<string> | undefined;
  /** The directories in it that are known, too. */
  directories: Set<string> | undefined;
}

/**
 * The directories that claimed paths need, each with the directories above it. Finds a file that is claimed where others
 * need a directory, at a cost for each directory and each object, and none for each path.
 */
export class ClaimedDirectories {
  readonly #directories = new Map<string, Directory>();

  /** Whether claimed paths need a directory here. */
  has(path: string): boolean {
    return this.#directories.has(path);
  }

  /** The object claims a path in the directory. */
  add(directory: string, key: string): void {
    const node = this.#nodeOf(directory);
    if (node.keys === undefined) node.keys = key;
    else if (typeof node.keys !== "string") node.keys.add(key);
    else if (node.keys !== key) node.keys = new Set([node.keys, key]);
  }

  /** The object claims no path in the directory any more. */
  remove(directory: string, key: string): void {
    const node = this.#directories.get(directory);
    if (node === undefined) return;
    if (node.keys === key) node.keys = undefined;
    else if (typeof node.keys === "object" && node.keys.delete(key) && node.keys.size === 0) node.keys = undefined;
    this.#dropIfUnused(directory, node);
  }

  /** Keys of the objects that claim paths below a directory. An object with paths in several directories may come twice. */
  *keysBelow(directory: string): Generator<string, void> {
    const node = this.#directories.get(directory);
    if (node === undefined) return;
    if (typeof node.keys === "string") yield node.keys;
    else if (node.keys !== undefined) yield* node.keys;
    for (const inner of node.directories ?? []) yield* this.keysBelow(inner);
  }

  #nodeOf(directory: string): Directory {
    const known = this.#directories.get(directory);
    if (known !== undefined) return known;
    const node: Directory = { keys: undefined, directories: undefined };
    this.#directories.set(directory, node);
    const parent = parentOf(directory);
    if (parent !== directory) (this.#nodeOf(parent).directories ??= new Set()).add(directory);
    return node;
  }

  #dropIfUnused(directory: string, node: Directory): void {
    if (node.keys !== undefined || node.directories !== undefined) return;
    this.#directories.delete(directory);
    const parent = parentOf(directory);
    const above = this.#directories.get(parent);
    if (parent === directory || above?.directories === undefined) return;
    above.directories.delete(directory);
    if (above.directories.size === 0) above.directories = undefined;
    this.#dropIfUnused(parent, above);
  }
}
