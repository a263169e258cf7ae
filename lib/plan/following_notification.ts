/** The notification that told the application of a file. */
import type { FileStatus, NotificationStatus, Status } from "../serve/status.ts";
import { MAX_KEPT } from "../sidecar/collections/told.ts";
import type { FollowingNotification } from "./explanation.ts";

/**
 * Of the calls that began after the file was written, the first that was delivered; if none was, the last that failed. With
 * a script and a webhook, that of the two that fails. `undefined`: nothing is known.
 */
export function followingNotification(
  { collection, writtenAt }: Pick<FileStatus, "collection" | "writtenAt">,
  { collections, notifications, startedAt }: Status,
): FollowingNotification | undefined {
  const settings = collections.find(({ name }) => name === collection)?.notification;
  if (settings === undefined) return undefined;
  const written = Date.parse(writtenAt);
  const newestFirst = notifications.filter((one) => one.collection === collection && startOf(one) > written);
  // A call for other files says nothing about this one if an earlier call may have told of it
  const isComplete = written >= Date.parse(startedAt) &&
    (notifications.length < MAX_KEPT || notifications.some((one) => Date.parse(one.at) < written));
  const told = [...Map.groupBy(newestFirst, ({ kind }) => kind).values()].flatMap((ofKind) =>
    ofKind.findLast(({ result }) => result === "delivered") ?? (isComplete ? ofKind[0]! : [])
  );
  const { kind, to, pending } = settings;
  const shown = told.find(({ result }) => result === "failed") ?? told.find((one) => one.kind === kind) ?? told[0];
  if (shown === undefined) return pending ? { kind, to, result: "pending" } : undefined;
  const { result, detail, at } = shown;
  return { kind: shown.kind, to: shown.to, result, detail, at };
}

/** Times have whole seconds, so the start may be up to a second later than it seems. */
function startOf({ at, seconds }: NotificationStatus): number {
  return Date.parse(at) + 1000 - seconds * 1000;
}
