/** One collection, and all that is wrong with it. */
import { describeSelection } from "../collections/describe_selection.ts";
import type { CollectionStatus, Problem } from "../../serve/status.ts";
import { given } from "../../runtime/given.ts";
import type { CollectionInner } from "../collections/collection.ts";
import { addressOf } from "../opening/open_notifications.ts";
import { folderOf } from "../opening/open_files.ts";
import { missingObjects } from "./missing_objects.ts";
import { notificationProblems } from "./notification_problems.ts";
import { type CollectionProblem, objectProblems } from "./object_problems.ts";
import type { Calendar } from "./words.ts";

export interface CollectionReport {
  status: CollectionStatus;
  problems: Problem[];
}

/** @param sourceFailureSince since when a source of the collection fails, by the clock in ms */
export function collectionReport(
  inner: CollectionInner,
  sourceFailureSince: number | undefined,
  calendar: Calendar,
): CollectionReport {
  const { collection, journal, openedAt, readyAt, changedAt, objects } = inner;
  const ofObjects = objectProblems(inner);
  const ofNotification = notificationProblems(inner, calendar);
  let [files, bytes] = [0, 0];
  for (const [, { size }] of journal.files()) {
    files++;
    bytes += Math.max(0, size);
  }
  const failing = ofObjects.some(({ isOfCollection }) => isOfCollection) || sourceFailureSince !== undefined ||
    ofNotification.length > 0;
  const begun = readyAt ?? openedAt;
  const failingSince = Math.min(
    sourceFailureSince ?? Infinity,
    ...inner.told.failures.map(({ since }) => since),
  );
  return {
    status: {
      name: collection.name,
      selects: describeSelection(collection.selection),
      folder: folderOf(collection),
      state: failing ? "failing" : readyAt === undefined ? "syncing" : "ready",
      since: calendar.at(failing && Number.isFinite(failingSince) ? failingSince : begun),
      objects,
      files,
      bytes,
      ...given("changedAt", calendar.at(changedAt)),
      ...given("notification", notificationOf(inner, calendar)),
    },
    problems: [
      ...ofNotification,
      ...ofObjects.map(withoutMark),
      ...(readyAt === undefined ? [] : missingObjects(inner)),
    ],
  };
}

function withoutMark({ isOfCollection: _, ...problem }: CollectionProblem): Problem {
  return problem;
}

function notificationOf({ notifications }: CollectionInner, calendar: Calendar): CollectionStatus["notification"] {
  const { settings, isPending, pendingSince, dueAt } = notifications;
  const kind = settings.webhook !== undefined ? "webhook" : settings.script !== undefined ? "script" : undefined;
  if (kind === undefined) return undefined;
  return {
    kind,
    to: addressOf(kind, settings),
    pending: isPending,
    ...given("pendingSince", calendar.at(pendingSince)),
    ...given("nextAt", calendar.at(dueAt)),
  };
}
