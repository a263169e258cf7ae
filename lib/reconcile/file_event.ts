import type { ObjectRef } from "../objects/ref.ts";

/** What happened to an object's files, for metrics, Events and notifications. */
export type FileEvent =
  & { ref: ObjectRef; uid?: string }
  & (
    | { type: "written" | "removed"; paths: string[] }
    /** The object, or some of its keys, cannot become files. */
    | { type: "refused"; reason: string }
    /** Another object won the path. */
    | { type: "collided"; winner: ObjectRef; path: string }
    /** A file could not be written, or its URL failed. It is retried. */
    | { type: "failed"; reason: string }
  );

/** A summary of paths for a log line: the only path, or their number. */
export function summaryOf(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0] ?? "" : `${paths.length} files`;
}

/** The first of several paths, as a property of a log line that has only their number. */
export function listOf(paths: readonly string[]): Record<string, unknown> {
  return paths.length === 1 ? {} : { files: paths.slice(0, 10) };
}
