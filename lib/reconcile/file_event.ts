import type { ObjectRef } from "../objects/ref.ts";

/** What happened to an object's files, for whoever counts or tells. */
export type FileEvent =
  & { ref: ObjectRef; uid?: string }
  & (
    | { type: "written" | "removed"; paths: string[] }
    /** Nothing of the object, or not all of it, can become files. */
    | { type: "refused"; reason: string }
    /** Another object has the path. */
    | { type: "collided"; winner: ObjectRef; path: string }
    /** The disk would not have it, or a URL did not serve it; tried again. */
    | { type: "failed"; reason: string }
  );

/** Some paths in few words, for a log line: the one, or how many. */
export function summaryOf(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0] ?? "" : `${paths.length} files`;
}

/** The first of several paths, beside a log line that says only how many. */
export function listOf(paths: readonly string[]): Record<string, unknown> {
  return paths.length === 1 ? {} : { files: paths.slice(0, 10) };
}
