/** Counts what a collection has, for metrics. Takes time proportional to its objects, so it is taken when asked for. */
import type { ObjectClaims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import type { Kind } from "../objects/kind.ts";
import type { Outcome } from "./outcome.ts";
import type { RefusalReason } from "./refusals.ts";
import type { TrackedObject } from "./tracked_object.ts";

export interface Census {
  objects: ReadonlyMap<Kind, number>;
  /** Files on disk that belong to the collection, and their size in bytes. */
  files: number;
  bytes: number;
  /** Objects by the reason of their refusal. */
  refused: ReadonlyMap<RefusalReason, number>;
  /** Paths that several objects claim. */
  collisions: number;
}

export interface CensusParts {
  claims: Pick<ObjectClaims<TrackedObject>, "objects" | "contested">;
  hidden: ReadonlySet<string>;
  journal: Pick<Journal, "files">;
  outcome: Pick<Outcome, "refused">;
}

/** @param undelivered paths whose content was refused */
export function takeCensus({ claims, hidden, journal, outcome }: CensusParts, undelivered: Iterable<string>): Census {
  const objects = new Map<Kind, number>();
  for (const { key, kind } of claims.objects()) {
    if (!hidden.has(key)) objects.set(kind, (objects.get(kind) ?? 0) + 1);
  }
  let [files, bytes] = [0, 0];
  for (const [, { size }] of journal.files()) {
    files++;
    // A file that is being rewritten has no size yet
    bytes += Math.max(0, size);
  }
  const refused = new Map<RefusalReason, number>();
  for (const reason of outcome.refused(undelivered).values()) refused.set(reason, (refused.get(reason) ?? 0) + 1);
  return { objects, files, bytes, refused, collisions: claims.contested };
}
