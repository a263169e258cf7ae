/** How a file of an object is, or why it is not there. */
import { lstat } from "../files/file_calls.ts";
import type { WantedFile } from "../files/projection.ts";
import type { PlannedFile } from "../files/dry_publisher.ts";
import { given } from "../runtime/given.ts";
import { duration } from "../runtime/quantities.ts";
import { cureOfCollision } from "./cures.ts";
import type { FileExplanation } from "./explanation.ts";
import { followingNotification } from "./following_notification.ts";
import type { Picture } from "./picture.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { shownKey } from "./shown_object.ts";

/** What the running sidecar says of its files, and its settings. */
export type SeenBySidecar = Pick<Picture, "status" | "written" | "watch">;

/** @param owner the key of the object that wants the file */
export function fileState(
  collection: PlannedCollection,
  { path, key, content }: Pick<WantedFile, "path" | "content"> & { key?: string },
  owner: string,
  picture: SeenBySidecar,
): FileExplanation {
  const file = { path, ...given("key", key), object: shownKey(owner) };
  const lost = lossOf(collection, path, owner);
  if (lost !== undefined) return { ...file, state: "lost", ...lost };
  if ("broken" in content) return { ...file, state: "broken", detail: content.broken, cure: "correct the value" };
  const planned = collection.fileAt(path);
  const others = othersAt(collection, path, owner);
  const more = { ...(others.length > 0 ? { others } : {}), ...onDisk(path, picture) };
  if (planned !== undefined) return { ...file, ...plannedState(path, planned, collection, picture), ...more };
  if (collection.reconciler.inner.claims.get(owner) !== undefined || isRefused(collection, owner)) {
    return { ...file, state: "broken", detail: "refused, see the problems", ...more };
  }
  if (lstat(path) !== undefined) {
    return { ...file, state: "in place", detail: "it stays as it is while its object cannot be listed", ...more };
  }
  const detail = collection.isReady ? "its object is new" : "the sidecar does not get its object, see the errors";
  return { ...file, state: "missing", detail, ...more };
}

/** Whether the object is among those that were listed, or no list failed. */
export function isListed({ reconciler, isReady, problems }: PlannedCollection, owner: string): boolean {
  return isReady || reconciler.inner.claims.get(owner) !== undefined ||
    problems.some(({ object }) => object === shownKey(owner));
}

/** How a file is whose object was listed. */
export function plannedState(
  path: string,
  planned: PlannedFile,
  collection: PlannedCollection,
  picture: SeenBySidecar,
): Pick<FileExplanation, "state" | "detail" | "cure"> {
  switch (planned.action) {
    case "same":
      return { state: "in place" };
    case "create":
      return { state: "missing", ...whyMissing(path, planned.owner, collection, picture) };
    case "change":
      return { state: "differs", ...whyDifferent(path, planned, collection, picture) };
    case "remove":
      return { state: "to be removed" };
    case "unknown": {
      const host = collection.downloads.hosts.get(path) ?? "";
      return lstat(path) === undefined
        ? { state: "to be downloaded", detail: `not downloaded from ${host} yet` }
        : { state: "in place", detail: `its content comes from ${host}` };
    }
  }
}

const BY_A_START = "a start with these settings would write it";

type Why = Pick<FileExplanation, "detail" | "cure">;

function whyMissing(path: string, owner: string, collection: PlannedCollection, picture: SeenBySidecar): Why {
  const wasThere = isKnownOf(path, owner, collection, picture);
  if (picture.status === undefined) {
    return { detail: wasThere ? `something removed it; ${BY_A_START} again` : BY_A_START };
  }
  return wasThere
    ? { detail: `something removed it; the sidecar writes it again ${restoredWhen(picture)}` }
    : untilNextList("the sidecar has not written it yet", collection, picture);
}

function whyDifferent(
  path: string,
  { differs = [] }: PlannedFile,
  collection: PlannedCollection,
  picture: SeenBySidecar,
): Why {
  if (differs.includes("foreign")) return { detail: "a file is there that is not ours: it will be replaced" };
  if (differs.includes("mode")) return { detail: "its mode differs" };
  if (picture.status === undefined) return { detail: `what is there differs from the object; ${BY_A_START}` };
  return isChangedByOthers(path, picture)
    ? { detail: `something else changed it; the sidecar writes it again ${restoredWhen(picture)}` }
    : untilNextList("the object has changed, and the sidecar has not written it yet", collection, picture);
}

/** METHOD=SLEEP meets a change with the next list. */
function untilNextList(
  detail: string,
  { collection: { name } }: PlannedCollection,
  { status, watch }: SeenBySidecar,
): Why {
  if (status?.method !== "SLEEP") return { detail };
  const sources = status.sources.filter(({ collections }) => collections.includes(name));
  const latest = sources.flatMap(({ nextListAt }) => nextListAt ?? []).sort().at(-1);
  const when = latest === undefined ? "" : ` at ${latest}`;
  return {
    detail: `${detail}: METHOD=SLEEP lists again${when} (SLEEP_TIME is ${duration(watch.sleepTime)})`,
    cure: "wait, lower SLEEP_TIME, or set METHOD=WATCH, which follows changes at once",
  };
}

/** Whether the file is not the one that the sidecar wrote, or is gone. */
export function isChangedByOthers(path: string, { written }: SeenBySidecar): boolean {
  const known = written.get(path);
  if (known === undefined) return false;
  const present = lstat(path);
  return !present?.isFile || present.size !== known.size ||
    Math.floor((present.mtime?.getTime() ?? 0) / 1000) * 1000 !== Date.parse(known.writtenAt);
}

/** When the sidecar restores a file that something else removed or changed. */
export function restoredWhen({ watch: { checkPeriod, resyncPeriod } }: SeenBySidecar): string {
  const when = checkPeriod > 0
    ? `within CHECK_PERIOD (${duration(checkPeriod)})`
    : resyncPeriod > 0
    ? `within RESYNC_PERIOD (${duration(resyncPeriod)})`
    : "when its object changes, as CHECK_PERIOD and RESYNC_PERIOD are 0";
  return when;
}

/** Whether the sidecar, or the record, says that the object's content was written to the path. */
function isKnownOf(path: string, owner: string, { recorded }: PlannedCollection, { written }: SeenBySidecar): boolean {
  return recorded.get(path) === owner || written.get(path)?.object === shownKey(owner);
}

function isRefused({ problems }: PlannedCollection, owner: string): boolean {
  return problems.some(({ object }) => object === shownKey(owner));
}

function lossOf(
  collection: PlannedCollection,
  path: string,
  owner: string,
): Pick<FileExplanation, "detail" | "cure" | "others"> | undefined {
  if (collection.reconciler.inner.claims.winnerOf(path)?.key === owner) return undefined;
  for (const { path: lost, winner, loser, blocker, collections } of collection.lost()) {
    if (lost !== path || loser.key !== owner) continue;
    const whose = shownKey(winner.key) + (collections === undefined ? "" : ` of collection ${collections.winner}`);
    const age = winner.created < loser.created
      ? "is older"
      : winner.created > loser.created
      ? "is newer"
      : "comes first by name and is as old";
    return {
      detail: blocker === undefined
        ? `${whose} has the path: it ${age}`
        : `${whose}, which ${age}, has ${blocker}, and a path cannot be a file and a folder`,
      cure: cureOfCollision(blocker !== undefined),
      others: [shownKey(winner.key)],
    };
  }
  return undefined;
}

/** Other objects that claim the path. */
export function othersAt({ reconciler }: PlannedCollection, path: string, owner: string): string[] {
  const others: string[] = [];
  for (const { path: lost, loser, blocker } of reconciler.inner.claims.lost()) {
    if ((lost === path || blocker === path) && loser.key !== owner) others.push(shownKey(loser.key));
  }
  return [...new Set(others)];
}

function onDisk(
  path: string,
  { status, written }: SeenBySidecar,
): Pick<FileExplanation, "size" | "writtenAt" | "notification"> {
  const present = lstat(path);
  if (!present?.isFile) return {};
  const known = written.get(path);
  return {
    size: present.size,
    ...given("writtenAt", known?.writtenAt ?? present.mtime?.toISOString()),
    ...given("notification", known && status && followingNotification(known, status)),
  };
}
