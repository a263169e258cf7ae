import assert from "node:assert/strict";
import { CONFIG_MAPS } from "../apiserver/resources.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { Heartbeat } from "../../lib/runtime/heartbeat.ts";
import { openFinalizerGuard } from "../../lib/sidecar/finalizer_guard.ts";
import { ApiGateway, keptLog, refusal } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";

const NEVER = new AbortController().signal;
const OURS = "deno-k8s-sidecar/files";
const REF: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
const SOURCE = { kind: "ConfigMap" } as const;

/** An API server with one ConfigMap, and a guard. */
function start() {
  const gateway = new ApiGateway();
  const log = keptLog();
  const { registry } = gateway.server;
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("it", clock);
  return {
    gateway,
    log,
    guard: openFinalizerGuard({ client: gateway.client, name: OURS, heartbeat, clock, random: () => 0, log }),
    object: registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" } }) as unknown as KubeObject,
    /** As it is now; `undefined`: gone. */
    now: () => registry.store.get(CONFIG_MAPS.storage, "default", "a") as unknown as KubeObject | undefined,
    remove: () => void registry.delete(CONFIG_MAPS, "default", "a"),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

Deno.test("admit() adds the finalizer, and retires an object that is being deleted", async () => {
  await using t = start();
  assert.equal(await t.guard.admit(SOURCE, t.object, NEVER), "apply");
  assert.deepEqual(t.now()?.metadata.finalizers, [OURS]);
  t.remove();
  assert.equal(await t.guard.admit(SOURCE, t.now()!, NEVER), "retire");
});

Deno.test("admit() has an object published though the finalizer cannot be added", async () => {
  await using t = start();
  t.gateway.intercept = () => refusal(500, "InternalError", "etcd is not there");
  assert.equal(await t.guard.admit(SOURCE, t.object, NEVER), "apply");
  assert.deepEqual(t.log.lines, [
    "warn: could not add the finalizer to ConfigMap default/a: " +
    "PATCH /api/v1/namespaces/default/configmaps/a: etcd is not there; it is tried again at the object's next event or list",
  ]);
});

Deno.test("admit() throws when the signal aborts meanwhile", async () => {
  await using t = start();
  const stop = new AbortController();
  const reason = new Error("stop");
  t.gateway.intercept = () => {
    stop.abort(reason);
    return refusal(500, "InternalError", "too late");
  };
  assert.equal(await t.guard.admit(SOURCE, t.object, stop.signal).catch((error) => error), reason);
  assert.deepEqual(t.log.lines, []);
});

Deno.test("release() removes the finalizer of a deleted object", async () => {
  await using t = start();
  await t.guard.admit(SOURCE, t.object, NEVER);
  t.remove();
  assert.ok(t.now(), "it is gone already");
  t.guard.release(REF);
  await t.guard.flush(NEVER);
  assert.equal(t.now(), undefined);
});
