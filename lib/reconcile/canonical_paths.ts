import { joinPath, parentOf } from "../files/paths.ts";
import type { Projection } from "../files/projection.ts";
import type { Publisher } from "../files/publisher.ts";

/** Replaces paths by their names without symlinks, so that two paths to the same file collide. */
export function canonical(projection: Projection, publisher: Pick<Publisher, "canonical">): Projection {
  const directories = new Map<string, string>();
  for (const file of projection.files) {
    const directory = parentOf(file.path);
    const known = directories.get(directory) ?? publisher.canonical(directory);
    directories.set(directory, known);
    if (known !== directory) file.path = joinPath(known, file.path.slice(file.path.lastIndexOf("/") + 1));
  }
  return projection;
}
