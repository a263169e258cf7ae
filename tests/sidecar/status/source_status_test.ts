import assert from "node:assert/strict";
import type { SourceTimes } from "../../../lib/sidecar/sources/shared_sources.ts";
import type { SourceFailure } from "../../../lib/sidecar/sources/source_follower.ts";
import { canLeaveOut, sourceProblems, sourcesOf } from "../../../lib/sidecar/status/source_status.ts";
import { keyOf } from "../../../lib/objects/ref.ts";
import { Calendar } from "../../../lib/sidecar/status/words.ts";

const calendar = new Calendar({ now: () => 0 }, () => Date.parse("2026-11-25T12:00:00Z"));

function followed(
  kind: "ConfigMap" | "Secret",
  failure?: Omit<SourceFailure, "since" | "at">,
  collections = ["default"],
  canLeaveOut = () => true,
) {
  const state = { isListing: false, restarts: 2, relists: 1 };
  const follower: SourceTimes = {
    source: { kind, namespace: "a", labelSelector: "app" },
    contactAt: 1000,
    syncedAt: 500,
    state: failure === undefined
      ? { ...state, lastFailure: "GET https://api/x?limit=1: broke" }
      : { ...state, failure: { ...failure, since: 2000, at: 3000 }, lastFailure: failure.reason },
  };
  return { follower, collections, canLeaveOut };
}

const away = { cause: "disconnected", reason: "cannot connect to 10.96.0.1:443" } as const;
const forbidden = {
  cause: "forbidden",
  reason: 'not allowed to list secrets in namespace "a": give the service account get, list and watch there by RBAC',
} as const;

Deno.test("sourceProblems() has a server that is away once for all sources", () => {
  const problems = sourceProblems([followed("ConfigMap", away), followed("Secret", away)], calendar);
  assert.deepEqual(problems.map(({ what, since, collection }) => [what, since, collection]), [
    ["the API server is away: cannot connect to 10.96.0.1:443", "2026-11-25T12:00:02Z", undefined],
  ]);
});

Deno.test("sourceProblems() names the rights that are missing, and the settings that ask for less", () => {
  const [own] = sourceProblems([followed("ConfigMap"), followed("Secret", forbidden)], calendar);
  assert.deepEqual([own?.collection, own?.what, own?.cure], [
    "default",
    'not allowed to list secrets in namespace "a"',
    "Give the service account get, list and watch on secrets there: `k8s-sidecar print-rbac` prints the Roles for kubectl " +
    "apply. Or ask for less with RESOURCE=configmap or NAMESPACE",
  ]);
  const [ofFile] = sourceProblems([followed("Secret", forbidden, ["dashboards"])], calendar);
  assert.match(ofFile?.cure ?? "", /with resource: configmap or namespaces$/);
  const [needed] = sourceProblems([followed("Secret", forbidden, ["default"], () => false)], calendar);
  assert.match(needed?.cure ?? "", /Or ask for less with NAMESPACE$/);
});

Deno.test("sourceProblems() tells by the failure what to check", () => {
  const cures: [SourceFailure["cause"], RegExp][] = [
    ["unauthorized", /token in SERVICE_ACCOUNT_DIR, or KUBECONFIG/],
    ["credentials", /token in SERVICE_ACCOUNT_DIR, or KUBECONFIG/],
    ["disconnected", /network policies and HTTPS_PROXY/],
    ["server_error", /Check the API server/],
    ["bad_answer", /proxy \(HTTPS_PROXY, NO_PROXY\)/],
    ["other", /asked again/],
  ];
  for (const [cause, cure] of cures) {
    const [problem] = sourceProblems(
      [followed("Secret", { cause, reason: "GET https://api/x?limit=1: why" })],
      calendar,
    );
    assert.match(problem?.cure ?? "", cure);
    assert.doesNotMatch(problem?.what ?? "", /limit/);
  }
});

Deno.test("sourcesOf() has the state of each source, and the failure before it", () => {
  const served = [followed("ConfigMap"), followed("Secret", away)];
  const states = (sleepTime?: number) => sourcesOf(served, sleepTime, calendar).map(({ state }) => state);
  assert.deepEqual(states(), ["watching", "failing"]);
  assert.deepEqual(states(60), ["waiting", "failing"]);
  const [{ error, contactAt, restarts, relists } = {}] = sourcesOf(served, undefined, calendar);
  assert.deepEqual([error, contactAt, restarts, relists], ["GET https://api/x: broke", "2026-11-25T12:00:01Z", 2, 1]);
});

Deno.test("sourcesOf() tells when METHOD=SLEEP lists again", () => {
  const nextOf = (sleepTime?: number) =>
    sourcesOf([followed("ConfigMap"), followed("Secret", away)], sleepTime, calendar).map(({ nextListAt }) =>
      nextListAt
    );
  assert.deepEqual(nextOf(3600), ["2026-11-25T13:00:00Z", undefined]);
  assert.deepEqual(nextOf(), [undefined, undefined]);
});

Deno.test("canLeaveOut() keeps the only kind, and a kind that has files", () => {
  const owner = keyOf({ kind: "ConfigMap", namespace: "a", name: "one" });
  assert.equal(canLeaveOut("ConfigMap", ["ConfigMap"], []), false);
  assert.equal(canLeaveOut("ConfigMap", ["ConfigMap", "Secret"], [owner]), false);
  assert.equal(canLeaveOut("Secret", ["ConfigMap", "Secret"], [owner]), true);
});
