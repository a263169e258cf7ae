/** How a file of an object is, or why it is not there. */
import { lstat } from "../files/file_calls.ts";
import type { WantedFile } from "../files/projection.ts";
import type { FileStatus, Status } from "../serve/status.ts";
import { given } from "../runtime/given.ts";
import { cureOfCollision } from "./cures.ts";
import type { FileExplanation, FollowingNotification } from "./explanation.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { shownKey } from "./shown_object.ts";

/** @param wanted by the object with this key */
export function fileState(
  collection: PlannedCollection,
  { path, key, content }: Pick<WantedFile, "path" | "content"> & { key?: string },
  owner: string,
  status: Status | undefined,
): FileExplanation {
  const file = { path, ...given("key", key), object: shownKey(owner) };
  const lost = lossOf(collection, path, owner);
  if (lost !== undefined) return { ...file, state: "lost", ...lost };
  if ("broken" in content) return { ...file, state: "broken", detail: content.broken, cure: "correct the value" };
  const planned = collection.fileAt(path);
  const others = othersAt(collection, path, owner);
  const more = { ...(others.length > 0 ? { others } : {}), ...onDisk(path, collection, status) };
  const present = lstat(path);
  switch (planned?.action) {
    case "same":
      return { ...file, state: "in place", ...more };
    case "create":
      return { ...file, state: "missing", detail: missing(status), ...more };
    case "change": {
      const differs = planned.differs ?? [];
      const what = differs.includes("foreign")
        ? "a file is there that is not ours: it will be replaced"
        : differs.includes("mode")
        ? "its mode differs"
        : "what is there differs from the object";
      return { ...file, state: "differs", detail: status === undefined ? `${what}; no sidecar runs` : what, ...more };
    }
    case "unknown": {
      const host = collection.downloads.hosts.get(path) ?? "";
      const detail = present === undefined ? `not downloaded from ${host} yet` : `its content comes from ${host}`;
      return { ...file, state: present === undefined ? "to be downloaded" : "in place", detail, ...more };
    }
    default:
      // Refused: the reason is among the problems
      return { ...file, state: "broken", detail: "refused, see the problems", ...more };
  }
}

function missing(status: Status | undefined): string {
  return status === undefined ? "a start would write it; no sidecar runs" : "the sidecar has not written it yet";
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
  { collection: { name } }: PlannedCollection,
  status: Status | undefined,
): Pick<FileExplanation, "size" | "writtenAt" | "notification"> {
  const present = lstat(path);
  if (!present?.isFile) return {};
  const known = status?.files.find((file) => file.path === path);
  const writtenAt = known?.writtenAt ?? present.mtime?.toISOString();
  return {
    size: present.size,
    ...given("writtenAt", writtenAt),
    ...given("notification", known && status && notificationOf(name, known, status)),
  };
}

/** The first notification that followed the writing of a file; without one, that which is pending. */
function notificationOf(
  collection: string,
  { writtenAt }: FileStatus,
  status: Status,
): FollowingNotification | undefined {
  const settings = status.collections.find(({ name }) => name === collection)?.notification;
  if (settings === undefined) return undefined;
  const { kind, to, pending } = settings;
  // Times of notifications have whole seconds
  const written = Math.floor(Date.parse(writtenAt) / 1000) * 1000;
  const first = status.notifications.findLast((one) => one.collection === collection && Date.parse(one.at) >= written);
  if (first === undefined) return pending ? { kind, to, result: "pending" } : undefined;
  const { result, detail, at } = first;
  return { kind: first.kind, to: first.to, result, detail, at };
}
