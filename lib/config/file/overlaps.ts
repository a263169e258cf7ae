/** Which collections get in each other's way: the same folder, one inside the other, or the same record. */
import type { Collection } from "../collection_settings.ts";

/**
 * Why a collection cannot be beside another one; `undefined` if it can.
 *
 * @param isEnvironment the other one is that of the environment, which has no `sharedFolder`
 */
export function overlapOf(
  { files, sharedFolder }: Collection,
  other: Collection,
  { isEnvironment = false } = {},
): { key: "folder" | "stateFile"; reason: string } | undefined {
  const name = JSON.stringify(other.name);
  const { stateFile } = files;
  if (stateFile !== undefined && stateFile !== "none" && stateFile === other.files.stateFile) {
    return { key: "stateFile", reason: `the collection ${name} has the same file: expected a file of its own` };
  }
  const areApart = (files.uniqueFilenames && other.files.uniqueFilenames) || (sharedFolder && other.sharedFolder);
  const where = areApart ? undefined : relation(stepsOf(files.folder), stepsOf(other.files.folder));
  if (where === undefined) return undefined;
  const remedy = isEnvironment
    ? "expected uniqueFilenames: true here and UNIQUE_FILENAMES=true, or another folder"
    : "expected uniqueFilenames: true or sharedFolder: true in both, or another folder";
  return { key: "folder", reason: `${where} that of the collection ${name}: ${remedy}` };
}

function relation(folder: readonly string[], other: readonly string[]): string | undefined {
  const shorter = Math.min(folder.length, other.length);
  if (folder.slice(0, shorter).some((step, index) => step !== other[index])) return undefined;
  if (folder.length === other.length) return "is the same folder as";
  return folder.length > other.length ? "is inside" : "contains";
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
