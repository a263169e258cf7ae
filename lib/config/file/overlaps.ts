/** Which collections get in each other's way: the same folder, one inside the other, or the same record. */
import type { Collection } from "../collection_settings.ts";

export interface Overlap {
  key: "folder" | "stateFile";
  reason: string;
}

/** Returns a function that tells why a collection cannot be beside another one; `undefined` if it can. */
export function overlapFinder(): (collection: Collection, other: Collection) => Overlap | undefined {
  const known = new Map<string, readonly string[]>();
  const realStepsOf = (folder: string) => {
    const real = known.get(folder) ?? withoutSymlinks(stepsOf(folder));
    known.set(folder, real);
    return real;
  };
  return (collection, other) => overlapOf(collection, other, realStepsOf);
}

function overlapOf(
  { files, sharedFolder }: Collection,
  other: Collection,
  realStepsOf: (folder: string) => readonly string[],
): Overlap | undefined {
  const name = JSON.stringify(other.name);
  const { stateFile } = files;
  if (stateFile !== undefined && stateFile !== "none" && stateFile === other.files.stateFile) {
    return { key: "stateFile", reason: `the collection ${name} has the same file: expected a file of its own` };
  }
  if (files.uniqueFilenames && other.files.uniqueFilenames) return undefined;
  const where = relation(realStepsOf(files.folder), realStepsOf(other.files.folder));
  if (where === undefined) return undefined;
  if (!sharedFolder || !other.sharedFolder) {
    const remedy = "expected uniqueFilenames: true or sharedFolder: true in both, or another folder";
    return { key: "folder", reason: `${where} that of the collection ${name}: ${remedy}` };
  }
  // Claims compare paths by the names that collections have for their folders
  if (relation(stepsOf(files.folder), stepsOf(other.files.folder)) === where) return undefined;
  const remedy = "expected the same name for it in both, without the symlink";
  return { key: "folder", reason: `${where} that of the collection ${name}, by a symlink: ${remedy}` };
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
