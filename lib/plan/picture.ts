/** What `explain` looks at: what should be on the disk by the cluster, and what the running sidecar says. */
import { PlannedDisk } from "../files/planned_disk.ts";
import { ApiError } from "../kube/client/errors.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Problem, Status } from "../serve/status.ts";
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
