/** Whether a folder is mounted read-only, found out without writing. */
import { errnoOf } from "../files/file_calls.ts";
import { joinPath, parentOf, RESERVED_PREFIX } from "../files/paths.ts";
import type { PlanProblem } from "./plan.ts";

export function folderProblems(folder: string): PlanProblem[] {
  const present = nearest(folder);
  if (!isReadOnly(present)) return [];
  return [{
    kind: "failed",
    path: folder,
    what: `${present} is mounted read-only`,
    cure: "mount the volume without readOnly in the sidecar's container",
  }];
}

/** A name that does not exist cannot be renamed. The system looks at the mount before it looks for the name. */
function isReadOnly(directory: string): boolean {
  const nothing = joinPath(directory, `${RESERVED_PREFIX}${crypto.randomUUID()}`);
  try {
    Deno.renameSync(nothing, nothing);
    return false;
  } catch (error) {
    return errnoOf(error) === "EROFS";
  }
}

function nearest(folder: string): string {
  for (let at = folder;; at = parentOf(at)) {
    try {
      Deno.statSync(at);
      return at;
    } catch {
      if (at === "/") return at;
    }
  }
}
