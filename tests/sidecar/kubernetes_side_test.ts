import assert from "node:assert/strict";
import { CONFIG_MAPS, CORE_EVENTS } from "../apiserver/resources.ts";
import type { FileEvent } from "../../lib/reconcile/file_event.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { type KubernetesSideOptions, openEvents, openHolds } from "../../lib/sidecar/kubernetes_side.ts";
import { ApiGateway, keptLog, refusal } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";

const NEVER = new AbortController().signal;
const OURS = "deno-k8s-sidecar/files";
const REF: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };

/** An API server with one ConfigMap, and what is opened with the options. */
async function start<T>(open: (options: KubernetesSideOptions) => Promise<T>) {
  const gateway = new ApiGateway();
  const log = keptLog();
  const { registry } = gateway.server;
  const opened = await open({ client: gateway.client, clock: new FakeClock(), random: () => 0, log });
  return {
    gateway,
    log,
    opened,
    object: registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" } }) as unknown as KubeObject,
    /** As it is now; `undefined`: gone. */
    now: () => registry.store.get(CONFIG_MAPS.storage, "default", "a") as unknown as KubeObject | undefined,
    remove: () => void registry.delete(CONFIG_MAPS, "default", "a"),
    // deno-lint-ignore no-explicit-any
    events: (): any[] => registry.store.list(CORE_EVENTS.storage),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const startHolds = () => start((options) => openHolds({ ...options, name: OURS }));
const SOURCE = { kind: "ConfigMap" } as const;

const WORDS: [what: string, event: FileEvent, words: string][] = [
  ["files that were written", { type: "written", ref: REF, paths: ["/a", "/b"] }, "Normal FilesWritten: Wrote /a, /b"],
  ["files that were removed", { type: "removed", ref: REF, paths: ["/a"] }, "Normal FilesRemoved: Removed /a"],
  ["what can be no file", { type: "refused", ref: REF, reason: "outside" }, "Warning FilesRefused: Refused: outside"],
  ["what failed", { type: "failed", ref: REF, reason: "the disk is full" }, "Warning FilesFailed: the disk is full"],
  [
    "a path that another has",
    { type: "collided", ref: REF, path: "/a", winner: { ...REF, kind: "Secret" } },
    "Warning PathCollision: /a is also claimed by Secret default/a, which has it",
  ],
  [
    "the first five of many paths",
    { type: "written", ref: REF, paths: ["/1", "/2", "/3", "/4", "/5", "/6", "/7"] },
    "Normal FilesWritten: Wrote /1, /2, /3, /4, /5 and 2 more",
  ],
];

for (const [what, event, words] of WORDS) {
  Deno.test(`openEvents() tells of ${what}`, async () => {
    await using t = await start(openEvents);
    t.opened.tell(event);
    await t.opened.flush(NEVER);
    assert.deepEqual(t.events().map(({ type, reason, message }) => `${type} ${reason}: ${message}`), [words]);
  });
}

Deno.test("openEvents() tells which object it is about, and which of several sidecars tells", async () => {
  await using t = await start(openEvents);
  t.opened.tell({ type: "written", ref: REF, uid: "1-2-3", paths: ["/a"] });
  t.opened.tell({ type: "written", ref: REF, paths: ["/a"] });
  await t.opened.flush(NEVER);
  assert.deepEqual(t.events().map(({ involvedObject }) => involvedObject.uid), ["1-2-3", undefined]);
  for (const { involvedObject, reportingInstance } of t.events()) {
    assert.deepEqual([involvedObject.kind, involvedObject.name], ["ConfigMap", "a"]);
    assert.equal(reportingInstance, Deno.hostname());
  }
});

Deno.test("admit() has an object carry the finalizer before it is published, and retires one that is being deleted", async () => {
  await using t = await startHolds();
  assert.equal(await t.opened.admit(SOURCE, t.object, NEVER), "apply");
  assert.deepEqual(t.now()?.metadata.finalizers, [OURS]);
  t.remove();
  assert.equal(await t.opened.admit(SOURCE, t.now()!, NEVER), "retire");
});

Deno.test("admit() has an object published though it can get no finalizer now", async () => {
  await using t = await startHolds();
  t.gateway.intercept = () => refusal(500, "InternalError", "etcd is not there");
  assert.equal(await t.opened.admit(SOURCE, t.object, NEVER), "apply");
  assert.deepEqual(t.log.lines, [
    "warn: ConfigMap default/a has no finalizer yet: PATCH /api/v1/namespaces/default/configmaps/a: etcd is not there",
  ]);
});

Deno.test("admit() throws when the signal aborts meanwhile", async () => {
  await using t = await startHolds();
  const stop = new AbortController();
  const reason = new Error("stop");
  t.gateway.intercept = () => {
    stop.abort(reason);
    return refusal(500, "InternalError", "too late");
  };
  assert.equal(await t.opened.admit(SOURCE, t.object, stop.signal).catch((error) => error), reason);
  assert.deepEqual(t.log.lines, []);
});

Deno.test("release() lets an object go that is being deleted", async () => {
  await using t = await startHolds();
  await t.opened.admit(SOURCE, t.object, NEVER);
  t.remove();
  assert.ok(t.now(), "it is held");
  t.opened.release(REF);
  await t.opened.flush(NEVER);
  assert.equal(t.now(), undefined);
});
