/** What could not be listed, and which right or setting would help. */
import { ApiError } from "../kube/client/errors.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { type Kind, KINDS, pluralOf } from "../objects/kind.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Problem } from "../serve/status.ts";
import { assignmentOf } from "../sidecar/status/words.ts";
import { ENVIRONMENT_COLLECTION } from "../config/collection_settings.ts";

const APPLY = "`k8s-sidecar print-rbac | kubectl apply -f -`";
const RIGHTS = `Give the service account get, list and watch there: ${APPLY}`;
const RIGHTS_ON_NAMESPACES = `Give the service account list and watch on namespaces by a ClusterRole: ${APPLY}`;
const NAMED_NAMESPACES = "name the namespaces with NAMESPACE in place of NAMESPACE_SELECTOR";
const CONNECTION = "Check the API server, the network policies and the credentials";

/**
 * @param what the message of a list that failed
 * @param canLeaveOut whether RESOURCE may leave out a kind
 */
export function failureOf(what: string, canLeaveOut: (kind: Kind) => boolean): Problem {
  if (!/not allowed to|forbidden/i.test(what)) return { severity: "error", what, cure: CONNECTION };
  const [fact = what] = what.split(": give the service account");
  const kind = KINDS.find((kind) => new RegExp(`not allowed to \\w+ ${pluralOf(kind)}\\b`).test(fact));
  const less = kind === undefined || canLeaveOut(kind) ? "NAMESPACE or RESOURCE" : "NAMESPACE";
  const cure = /not allowed to \w+ namespaces/.test(fact)
    ? `${RIGHTS_ON_NAMESPACES}; or ${NAMED_NAMESPACES}`
    : `${RIGHTS}; or ask for less with ${less}`;
  return { severity: "error", what: fact, cure };
}

/** A request that was made for the explanation alone has failed. */
export function lookupFailure(error: unknown, doing: string): Problem {
  const isForbidden = error instanceof ApiError && error.isForbidden;
  return {
    severity: "error",
    what: isForbidden ? `not allowed to ${doing}` : `cannot ${doing}: ${messageOf(error)}`,
    cure: isForbidden ? RIGHTS : CONNECTION,
  };
}

/** Why NAMESPACE_SELECTOR selects nothing: the labels of the namespace could not be read. */
export function selectorFailure(error: unknown): { what: string; cure: string } {
  const { what, cure } = lookupFailure(error, "list namespaces");
  return {
    what: `NAMESPACE_SELECTOR cannot be applied: ${what}`,
    cure: cure === RIGHTS ? `${RIGHTS_ON_NAMESPACES}; or ${NAMED_NAMESPACES}` : cure,
  };
}

/**
 * Adds to the cure where the account may list the objects, if that is its own namespace alone: kiwigrid's image watches no
 * other unless it is told to.
 */
export async function withOwnNamespace(
  problems: readonly Problem[],
  client: ObjectApi,
  signal: AbortSignal,
): Promise<Problem[]> {
  const hints = new Map<string, string>();
  for (const kind of KINDS) {
    const plural = pluralOf(kind);
    if (!problems.some((problem) => isForbiddenEverywhere(problem, plural))) continue;
    try {
      const namespace = await client.namespace();
      const page = client.list({ kind, namespace }, { limit: 1 }, signal);
      while (!(await page.next()).done);
      hints.set(plural, namespace);
    } catch {
      // Not allowed there, either
    }
  }
  return problems.map((problem) => {
    const plural = [...hints.keys()].find((plural) => isForbiddenEverywhere(problem, plural));
    if (plural === undefined) return problem;
    const namespace = hints.get(plural)!;
    const name = problem.collection ?? ENVIRONMENT_COLLECTION;
    const hint =
      `In its own namespace it may: ${assignmentOf({ name }, "NAMESPACE", namespace)} asks for no more, as ` +
      "kiwigrid's image does";
    return { ...problem, cure: `${problem.cure}. ${hint}` };
  });
}

function isForbiddenEverywhere({ what }: Problem, plural: string): boolean {
  return what.includes("not allowed to") && what.includes(`${plural} in all namespaces`);
}
