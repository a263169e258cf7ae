/** Handles events of the disk instead of the API: the end of downloads, and files that others changed. */
import type { ReconcilerParts } from "./reconciler_parts.ts";

export class DiskEvents {
  readonly #parts: Pick<
    ReconcilerParts,
    "claims" | "queue" | "removals" | "releases" | "reports" | "slice"
  >;

  constructor(
    parts: Pick<ReconcilerParts, "claims" | "queue" | "removals" | "releases" | "reports" | "slice">,
  ) {
    this.#parts = parts;
  }

  /** A file of ours is missing or was changed by somebody else: reads its object again. Returns whether there is one. */
  heal(path: string): boolean {
    const winner = this.#parts.claims.winnerOf(path);
    if (winner !== undefined) this.#parts.queue.add(winner.key);
    return winner !== undefined;
  }

  /** The content of a path was written by a download. */
  downloaded(path: string): void {
    this.#parts.reports.clearRefusal(path);
    this.#parts.releases?.check();
  }

  /** The content of a path cannot be downloaded for now. */
  downloadFailed(path: string): void {
    this.#parts.slice.begin();
    this.#parts.removals.removeStaleContent(path);
    this.#parts.releases?.check();
  }
}
