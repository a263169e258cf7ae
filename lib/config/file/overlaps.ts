/** Which collections get in each other's way: the same folder, one inside the other, or the same record. */
import type { Collection } from "../collection_settings.ts";

export interface Overlap {
  key: "folder" | "stateFile";
  reason: string;
}

/** Folders by their names without symlinks, each looked up once. */
export class RealFolders {
  readonly #known = new Map<string, readonly string[]>();

  /**
   * Why a collection cannot be beside another one; `undefined` if it can.
   *
   * @param isEnvironment the other one is that of the environment, which has no `sharedFolder`
   */
  overlapOf(
    { files, sharedFolder }: Collection,
    other: Collection,
    { isEnvironment = false } = {},
  ): Overlap | undefined {
    const name = JSON.stringify(other.name);
    const { stateFile } = files;
    if (stateFile !== undefined && stateFile !== "none" && stateFile === other.files.stateFile) {
      return { key: "stateFile", reason: `the collection ${name} has the same file: expected a file of its own` };
    }
    const areApart = (files.uniqueFilenames && other.files.uniqueFilenames) || (sharedFolder && other.sharedFolder);
    const where = areApart ? undefined : this.#relation(files.folder, other.files.folder);
    if (where === undefined) return undefined;
    const remedy = isEnvironment
      ? "expected uniqueFilenames: true here and UNIQUE_FILENAMES=true, or another folder"
      : "expected uniqueFilenames: true or sharedFolder: true in both, or another folder";
    return { key: "folder", reason: `${where} that of the collection ${name}: ${remedy}` };
  }

  /** Claims compare paths by their names: folders that overlap get those without symlinks. */
  unify(collections: readonly Collection[]): Collection[] {
    return collections.map((collection) => {
      const { folder } = collection.files;
      const isAlone = !collections.some((other) =>
        other !== collection && this.#relation(folder, other.files.folder) !== undefined
      );
      if (isAlone) return collection;
      return { ...collection, files: { ...collection.files, folder: `/${this.#stepsOf(folder).join("/")}` } };
    });
  }

  #relation(folder: string, other: string): string | undefined {
    return relation(this.#stepsOf(folder), this.#stepsOf(other));
  }

  #stepsOf(folder: string): readonly string[] {
    const steps = this.#known.get(folder) ?? withoutSymlinks(stepsOf(folder));
    this.#known.set(folder, steps);
    return steps;
  }
}

function relation(folder: readonly string[], other: readonly string[]): string | undefined {
  const shorter = Math.min(folder.length, other.length);
  if (folder.slice(0, shorter).some((step, index) => step !== other[index])) return undefined;
  if (folder.length === other.length) return "is the same folder as";
  return folder.length > other.length ? "is inside" : "contains";
}

/** As far as the directories exist. */
function withoutSymlinks(folder: readonly string[]): readonly string[] {
  for (let end = folder.length; end > 0; end--) {
    try {
      const real = Deno.realPathSync(`/${folder.slice(0, end).join("/")}`);
      return [...stepsOf(real), ...folder.slice(end)];
    } catch {
      // It does not exist, or cannot be examined
    }
  }
  return folder;
}

function stepsOf(path: string): string[] {
  const steps: string[] = [];
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  for (const step of absolute.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return steps;
}
