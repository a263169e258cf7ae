import type { ObjectRef } from "../objects/ref.ts";

/** What happened to an object's files, for metrics, Events and notifications. */
export type FileEvent =
  & { ref: ObjectRef; uid?: string }
  & (
    | { type: "written" | "removed"; paths: string[] }
    /** The object, or some of its keys, cannot become files. */
    | { type: "refused"; reason: string }
    /** Another object has the path, and so many more paths of this one; with `blocker`, it has that path above or below. */
    | { type: "collided"; winner: ObjectRef; path: string; more: number; blocker?: string }
    /** The disk would not have it, or a URL did not serve it; tried again. */
    | { type: "failed"; reason: string }
  );

/** A summary of paths for a log line: the only path, or their number. */
export function summaryOf(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0] ?? "" : `${paths.length} files`;
}

/** How many files there are besides one that is named: ` and 3 more files`. */
export function moreFiles(more: number): string {
  return more === 0 ? "" : ` and ${more} more ${more === 1 ? "file" : "files"}`;
}

/** The first of several paths, beside a log line that says only how many. */
export function listOf(paths: readonly string[]): Record<string, unknown> {
  return paths.length === 1 ? {} : { files: paths.slice(0, 10) };
}
