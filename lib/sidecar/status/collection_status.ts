/** One collection, and all that is wrong with it. */
import { describeNamed, describeSelection } from "../collections/describe_selection.ts";
import type { CollectionStatus, Problem } from "../../serve/status.ts";
import { given } from "../../runtime/given.ts";
import type { CollectionInner } from "../collections/collection.ts";
import { addressOf } from "../opening/open_notifications.ts";
import { folderOf } from "../opening/open_files.ts";
import { notificationProblems } from "./notification_problems.ts";
import { type CollectionProblem, objectProblems } from "./object_problems.ts";
import { type Calendar, settingOf } from "./words.ts";

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
    problems: [...ofNotification, ...ofObjects.map(withoutMark), ...missing(inner)],
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

/** Nothing is selected, or an object that is named does not exist. */
function missing({ collection, readyAt, outcome, objects }: CollectionInner): Problem[] {
  const { selection, name } = collection;
  const about = { severity: "warning", collection: name } as const;
  const namespace = settingOf(collection, "NAMESPACE");
  if (readyAt === undefined) return [];
  if (selection.names.length > 0) {
    const cure = `Check ${settingOf(collection, "RESOURCE_NAME")} and ${namespace}`;
    return selection.names.filter((item) => !outcome.has(item)).map((item) => ({
      ...about,
      what: `there is no ${describeNamed(item, selection)}`,
      cure,
    }));
  }
  if (objects > 0) return [];
  const kinds = selection.kinds.map((kind) => `${kind.toLowerCase()}s`).join(",");
  const cure = `Check ${settingOf(collection, "LABEL")}, ${settingOf(collection, "LABEL_VALUE")} and ${namespace}: ` +
    `\`kubectl get ${kinds} ${scopeOf(selection)} -l '${selection.labelSelector ?? ""}'\` must list the objects`;
  return [{ ...about, what: `nothing is selected: there are no ${describeSelection(selection)}`, cure }];
}

/** The flag of kubectl for the namespaces of a selection. */
function scopeOf({ namespaces }: CollectionInner["collection"]["selection"]): string {
  if (namespaces === "ALL") return "-A";
  const [only, ...others] = namespaces === "OWN" ? [] : namespaces;
  return `-n ${only !== undefined && others.length === 0 ? only : "NAMESPACE"}`;
}
