/** What `explain` looks at: what should be on the disk by the cluster, and what the running sidecar says. */
import { PlannedDisk } from "../files/planned_disk.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import type { WatchSettings } from "../config/config.ts";
import type { FileStatus, Problem, Status } from "../serve/status.ts";
import type { Kind } from "../objects/kind.ts";
import { canLeaveOut } from "../sidecar/status/source_status.ts";
import type { Explanation } from "./explanation.ts";
import { listAll, openCollections, type PlanOptions } from "./make_plan.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { failureOf, withOwnNamespace } from "./read_failures.ts";

export interface Picture {
  client: ObjectApi;
  haveNamespacesLabels: boolean;
  /** With everything listed that could be listed. */
  collections: PlannedCollection[];
  /** Why something could not be listed. */
  failures: Problem[];
  /** The running sidecar's, if it answered. */
  status: Status | undefined;
  /** The files of the running sidecar, by path. */
  written: ReadonlyMap<string, FileStatus>;
  watch: Pick<WatchSettings, "checkPeriod" | "resyncPeriod" | "sleepTime">;
}

/**
 * @throws {PublishError} a folder cannot be used
 * @throws {CredentialsError}
 */
export async function openPicture(
  options: PlanOptions,
  status: Status | undefined,
  signal: AbortSignal,
): Promise<Picture> {
  const collections = await openCollections(options, new PlannedDisk(), () => {});
  const { client, credentials, config: { watch } } = options;
  const mayLeaveOut = (kind: Kind) =>
    collections.every(({ collection: { selection: { kinds } }, recorded }) =>
      !kinds.includes(kind) || canLeaveOut(kind, kinds, recorded.values())
    );
  const unlisted = (await listAll(collections, signal)).map((what) => failureOf(what, mayLeaveOut));
  const failures = await withOwnNamespace(unlisted, client, signal);
  const seen = status && { ...status, problems: await withOwnNamespace(status.problems, client, signal) };
  const written = new Map(status?.files.map((file) => [file.path, file]));
  const haveNamespacesLabels = credentials !== undefined;
  return { client, haveNamespacesLabels, collections, failures, status: seen, written, watch };
}

/** What is wrong with the process as a whole, and may be why something is missing. */
export function processFailures({ failures, status }: Pick<Picture, "failures" | "status">): Problem[] {
  if (status === undefined) return failures;
  const told = status.problems.filter(({ severity, object, path }) =>
    severity === "error" && object === undefined && path === undefined
  );
  // It may not have met them yet
  return told.length > 0 ? told : failures;
}

/** Problems that say nothing which the files do not say: paths that are lost. */
export function withoutLosses(
  problems: readonly Problem[],
  collections: Explanation["collections"],
): Problem[] {
  const lost = new Set(collections.flatMap(({ files }) => files.filter(({ state }) => state === "lost")).map(keyOf));
  const kept = problems.filter(({ object, path }) => !lost.has(keyOf({ object: object ?? "", path: path ?? "" })));
  return [...new Map(kept.map((problem) => [`${problem.what} ${problem.path}`, problem])).values()];
}

function keyOf({ object, path }: { object: string; path: string }): string {
  return `${object} ${path}`;
}
