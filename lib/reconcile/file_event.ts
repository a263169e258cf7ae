import type { ObjectRef } from "../objects/ref.ts";

/** What happened to an object's files, for metrics, Events and notifications. */
export type FileEvent =
  & { ref: ObjectRef; uid?: string }
  & (
    | { type: "written" | "removed"; paths: string[] }
    /** The object, or some of its keys, cannot become files. */
    | { type: "refused"; reason: string }
    /** Another object has the path, and `more` other paths of this one. `blocker`: that path of the other is above or below. */
    | { type: "collided"; winner: ObjectRef; path: string; more: number; blocker?: string }
    /** The disk did not accept it, or a URL did not serve it. It is tried again. */
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

/** Paths that a log line lists; `count` is that of all. */
const MAX_LISTED = 10;

/** The properties of a log line about several paths: the only path, or their number and the first ones. */
export function aboutFiles(paths: readonly string[]): Record<string, unknown> {
  return paths.length === 1 ? { path: paths[0] } : { count: paths.length, files: paths.slice(0, MAX_LISTED) };
}
