import type { ObjectRef } from "../objects/ref.ts";

/** What happened to an object's files, for metrics, Events and notifications. */
export type FileEvent =
  & { ref: ObjectRef; uid?: string }
  & (
    | { type: "written" | "removed"; paths: string[] }
    /** The object, or some of its keys, cannot become files. */
    | { type: "refused"; reason: string }
    /** Another object has the path. */
    | { type: "collided"; winner: ObjectRef; path: string }
    /** The disk would not have it, or a URL did not serve it; tried again. */
    | { type: "failed"; reason: string }
  );

/** A summary of paths for a log line: the only path, or their number. */
export function summaryOf(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0] ?? "" : `${paths.length} files`;
}

/** The first of several paths, beside a log line that says only how many. */
export function listOf(paths: readonly string[]): Record<string, unknown> {
  return paths.length === 1 ? {} : { files: paths.slice(0, 10) };
}
