/** The sources of all collections, and what is wrong with them. */
import { ENVIRONMENT_COLLECTION } from "../../config/collection_settings.ts";
import { describeSource } from "../../objects/source.ts";
import { refOf } from "../../objects/ref.ts";
import type { Problem, SourceStatus } from "../../serve/status.ts";
import { given } from "../../runtime/given.ts";
import type { CollectionInner } from "../collections/collection.ts";
import type { SourceTimes } from "../sources/shared_sources.ts";
import type { SourceFailure } from "../sources/source_follower.ts";
import { assignmentOf, type Calendar, settingOf, withoutQueries } from "./words.ts";

/** A source, and the collections that it serves. */
interface Served {
  follower: SourceTimes;
  collections: string[];
  /** Whether RESOURCE may leave its kind out: no file would go. */
  canLeaveOut(): boolean;
}

export function servedSources(collections: readonly CollectionInner[]): Served[] {
  const served = new Map<SourceTimes, CollectionInner[]>();
  for (const inner of collections) {
    for (const follower of inner.followers.all) {
      const known = served.get(follower);
      if (known === undefined) served.set(follower, [inner]);
      else known.push(inner);
    }
  }
  return [...served].map(([follower, inners]) => ({
    follower,
    collections: inners.map(({ collection }) => collection.name),
    canLeaveOut: () =>
      inners.every(({ collection: { selection }, journal }) =>
        canLeaveOut(follower.source.kind, selection.kinds, [...journal.files()].map(([, { owner }]) => owner))
      ),
  }));
}

/**
 * Whether a selection without a kind keeps every file, and selects something.
 *
 * @param owners the keys of the objects that have files
 */
export function canLeaveOut(kind: string, kinds: readonly string[], owners: Iterable<string>): boolean {
  return kinds.length > 1 && [...owners].every((owner) => refOf(owner).kind !== kind);
}

/** @param sleepTime in seconds; `undefined`: METHOD is not SLEEP */
export function sourcesOf(
  served: readonly Served[],
  sleepTime: number | undefined,
  calendar: Calendar,
): SourceStatus[] {
  return served.map(({ follower, collections }) => {
    const { source, contactAt, syncedAt, state } = follower;
    const { isListing, failure, lastFailure, restarts, relists } = state;
    const idle = sleepTime === undefined ? "watching" : "waiting";
    const current = failure !== undefined ? "failing" : isListing || syncedAt === undefined ? "listing" : idle;
    const isWaiting = current === "waiting" && syncedAt !== undefined && sleepTime !== undefined;
    const nextListAt = isWaiting ? syncedAt + sleepTime * 1000 : undefined;
    return {
      source: describeSource(source),
      ...given("labelSelector", source.name === undefined ? source.labelSelector : undefined),
      collections,
      state: current,
      ...given("contactAt", calendar.at(contactAt)),
      ...given("syncedAt", calendar.at(syncedAt)),
      ...given("nextListAt", calendar.at(nextListAt)),
      restarts,
      relists,
      ...given("error", lastFailure && withoutQueries(lastFailure)),
    };
  });
}

/** A server that is away is one problem, however many sources it has. */
export function sourceProblems(served: readonly Served[], calendar: Calendar): Problem[] {
  const problems: Problem[] = [];
  const ofServer = new Set<string>();
  for (const one of served) {
    const { follower, collections } = one;
    const { failure } = follower.state;
    if (failure === undefined) continue;
    const isOfServer = failure.cause !== "forbidden" && failure.cause !== "client_error";
    const text = describe(failure, one);
    if (isOfServer && ofServer.has(text.what)) continue;
    if (isOfServer) ofServer.add(text.what);
    const [collection] = collections;
    problems.push({
      severity: "error",
      ...given("collection", isOfServer || collections.length !== 1 ? undefined : collection),
      ...text,
      since: calendar.at(failure.since),
    });
  }
  return problems;
}

function describe(
  { cause, reason }: SourceFailure,
  { follower: { source }, collections: [name = ENVIRONMENT_COLLECTION], canLeaveOut }: Served,
): Pick<Problem, "what" | "cure"> {
  const error = withoutQueries(reason);
  switch (cause) {
    case "forbidden": {
      // The message tells the cure in its own words
      const [what = error] = error.split(": give the service account");
      const kind = source.kind.toLowerCase();
      const less = [
        ...canLeaveOut() ? [assignmentOf({ name }, "RESOURCE", kind === "secret" ? "configmap" : "secret")] : [],
        settingOf({ name }, "NAMESPACE"),
      ];
      return {
        what,
        cure: source.kind === "Namespace"
          ? "Give the service account list and watch on namespaces by a ClusterRole: `k8s-sidecar print-rbac` prints it. " +
            `Or name the namespaces with ${settingOf({ name }, "NAMESPACE")}`
          : `Give the service account get, list and watch on ${kind}s there: \`k8s-sidecar print-rbac\` prints the Roles ` +
            `for kubectl apply. Or ask for less with ${less.join(" or ")}`,
      };
    }
    case "unauthorized":
    case "credentials":
      return {
        what: `the API server does not accept the credentials: ${error}`,
        cure: "Check the token in SERVICE_ACCOUNT_DIR, or KUBECONFIG. The files stay as they are",
      };
    case "disconnected":
      return {
        what: `the API server is away: ${error}`,
        cure: "Check that it runs and that network policies and HTTPS_PROXY let the sidecar reach it. The files stay " +
          "as they are, and it is asked again until it answers",
      };
    case "throttled":
    case "server_error":
      return {
        what: `the API server is in trouble: ${error}`,
        cure: "Check the API server. The files stay as they are, and it is asked again until it answers",
      };
    case "bad_answer":
      return {
        what: `the answer is not the API server's: ${error}`,
        cure: "Check what is in between: a proxy (HTTPS_PROXY, NO_PROXY), or the server in KUBECONFIG",
      };
    default:
      return { what: error, cure: "It is asked again until it answers; the sidecar's log has each failure" };
  }
}
