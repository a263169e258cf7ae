/** Whether a folder could be written to now, found out without writing. Loads Node's file system module. */
import { parentOf } from "../files/paths.ts";
import type { PlanProblem } from "./plan.ts";

/** @param bytes that are to be written */
export async function folderProblems(folder: string, bytes: number): Promise<PlanProblem[]> {
  const { accessSync, constants, statfsSync } = await import("node:fs");
  const present = nearest(folder);
  try {
    accessSync(present, constants.W_OK | constants.X_OK);
  } catch (error) {
    const isReadOnly = error instanceof Error && "code" in error && error.code === "EROFS";
    return [{
      kind: "failed",
      path: folder,
      what: isReadOnly ? `${present} is mounted read-only` : `${present} cannot be written to by this user`,
      cure: isReadOnly
        ? "mount the volume without readOnly in the sidecar's container"
        : "give the pod an fsGroup or runAsUser that may write there",
    }];
  }
  const { blocks, bavail, bsize, ffree, files } = statfsSync(present);
  // A volume without a limit says 0
  if (blocks === 0) return [];
  if (bavail * bsize > bytes && (ffree > 0 || files === 0)) return [];
  const what = bavail === 0 || (ffree === 0 && files > 0)
    ? `the volume of ${present} is full`
    : `the volume of ${present} has ${bavail * bsize} bytes left, and ${bytes} are to be written`;
  return [{ kind: "failed", path: folder, what, cure: "raise emptyDir.sizeLimit, or free space on the volume" }];
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
