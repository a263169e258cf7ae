/** Takes over the files of earlier runs, once a source was listed in full. */
import type { ObjectClaims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import { refOf } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import type { Releases } from "./releases.ts";
import type { RemovalDelay } from "./removal_delay.ts";
import type { Removals } from "./removals.ts";
import type { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";
import type { WorkQueue } from "./work_queue.ts";

export interface TakeOverOptions {
  journal: Pick<Journal, "files">;
  claims: Pick<ObjectClaims<TrackedObject>, "winnerOf">;
  lists: Pick<SourceLists, "areComplete">;
  queue: Pick<WorkQueue, "add">;
  removals: Pick<Removals, "removeOrphans">;
  removalDelay: Pick<RemovalDelay, "begin">;
  releases: Pick<Releases, "add" | "check"> | undefined;
  /** Whether the object does not exist, or is not selected. */
  isGone(key: string): boolean;
}

/** After the first list of a source: removes files of earlier runs, or writes the content of the object that wins their path. */
export function takeOver(source: Source, options: TakeOverOptions): void {
  const { journal, claims, lists, queue, removals, removalDelay, releases, isGone } = options;
  const isKnown = (owner: string) => lists.areComplete || isOwnerIn(source, owner);
  for (const [path, { owner }] of journal.files()) {
    const winner = claims.winnerOf(path);
    if (winner?.key === owner || !isKnown(owner)) continue;
    if (isGone(owner)) releases?.add(refOf(owner));
    if (winner !== undefined) queue.add(winner.key);
  }
  removals.removeOrphans((owner) => isKnown(owner) && !(isGone(owner) && removalDelay.begin(owner)));
  releases?.check();
}

/** Whether an object is of a source's kind and namespace. */
function isOwnerIn({ kind, namespace }: Source, owner: string): boolean {
  return owner.startsWith(namespace === undefined ? `${kind}/` : `${kind}/${namespace}/`);
}
