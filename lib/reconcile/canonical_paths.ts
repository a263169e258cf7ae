import { canonicalNames } from "../files/canonical_names.ts";
import type { Projection } from "../files/projection.ts";
import type { Publisher } from "../files/publisher.ts";

/** Replaces paths by their names without symlinks, so that two paths to the same file collide. */
export function canonical(projection: Projection, publisher: Pick<Publisher, "canonical">): Projection {
  const nameOf = canonicalNames(publisher);
  for (const file of projection.files) file.path = nameOf(file.path);
  return projection;
}
