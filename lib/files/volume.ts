import { parentOf } from "./paths.ts";

/**
 * The topmost directory above a folder that has the folder's device number (`st_dev`): the root of its volume, as far as
 * this process can see. Symlinks are followed.
 *
 * @param folder absolute and normalised. If it does not exist, its nearest existing parent counts
 * @returns `undefined` when the folder is on the root file system, or on one that cannot be examined
 */
export function volumeOf(folder: string): string | undefined {
  let topmost = folder;
  let device = deviceOf(topmost);
  while (device === undefined && topmost !== "/") {
    topmost = parentOf(topmost);
    device = deviceOf(topmost);
  }
  while (device !== undefined && topmost !== "/" && deviceOf(parentOf(topmost)) === device) topmost = parentOf(topmost);
  return device === undefined || topmost === "/" ? undefined : topmost;
}

function deviceOf(directory: string): number | undefined {
  try {
    return Deno.statSync(directory).dev;
  } catch {
    return undefined;
  }
}
