/** What `explain` looks at: what should be on the disk by the cluster, and what the running sidecar says. */
import { PlannedDisk } from "../files/planned_disk.ts";
import { ApiError } from "../kube/client/errors.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Problem, Status } from "../serve/status.ts";
import type { Explanation } from "./explanation.ts";
import { listAll, openCollections, type PlanOptions } from "./make_plan.ts";
import type { PlannedCollection } from "./planned_collection.ts";

export interface Picture {
  client: ObjectApi;
  haveNamespacesLabels: boolean;
  /** With everything listed that could be listed. */
  collections: PlannedCollection[];
  /** Why something could not be listed. */
  failures: Problem[];
  /** The running sidecar's, if it answered. */
  status: Status | undefined;
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
  const failures = (await listAll(collections, signal)).map(failureOf);
  const { client, credentials } = options;
  return { client, haveNamespacesLabels: credentials !== undefined, collections, failures, status };
}

/** What is wrong with the process as a whole, and may be why something is missing. */
export function processFailures({ failures, status }: Pick<Picture, "failures" | "status">): Problem[] {
  if (status === undefined) return failures;
  return status.problems.filter(({ severity, object, path }) =>
    severity === "error" && object === undefined && path === undefined
  );
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

const RIGHTS = "Give the service account get, list and watch there: `k8s-sidecar print-rbac | kubectl apply -f -`";

function failureOf(what: string): Problem {
  if (!/not allowed to|forbidden/i.test(what)) {
    return { severity: "error", what, cure: "Check the API server, the network policies and the credentials" };
  }
  const [fact = what] = what.split(": give the service account");
  return { severity: "error", what: fact, cure: `${RIGHTS}; or ask for less with NAMESPACE or RESOURCE` };
}

/** A request that was made for the explanation alone has failed. */
export function lookupFailure(error: unknown, doing: string): Problem {
  const isForbidden = error instanceof ApiError && error.isForbidden;
  return {
    severity: "error",
    what: isForbidden ? `not allowed to ${doing}` : `cannot ${doing}: ${messageOf(error)}`,
    cure: isForbidden ? RIGHTS : "Check the API server, the network policies and the credentials",
  };
}
