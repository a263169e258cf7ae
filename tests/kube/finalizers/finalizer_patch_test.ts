import assert from "node:assert/strict";
import { CONFIG_MAPS } from "../../apiserver/resources.ts";
import { addFinalizer, readMetadata, removeFinalizer } from "../../../lib/kube/finalizers/finalizer_patch.ts";
import type { ObjectRef } from "../../../lib/objects/ref.ts";
import { ApiGateway } from "../../support/api_gateway.ts";

const OURS = "deno-k8s-sidecar/files";
const OTHER = "x.io/other";
const REF: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
const NEVER = new AbortController().signal;

/** An API server with one object, and what this module does to it. */
function start(finalizers: string[] = []) {
  const gateway = new ApiGateway();
  const { registry } = gateway.server;
  const create = () => registry.create(CONFIG_MAPS, "default", { metadata: { name: "a", finalizers } }).metadata;
  const { uid = "" } = create();
  const { client } = gateway;
  return {
    uid,
    create,
    remove: () => void registry.delete(CONFIG_MAPS, "default", "a"),
    metadata: () => registry.get(CONFIG_MAPS, "default", "a").metadata,
    finalizers: () => registry.get(CONFIG_MAPS, "default", "a").metadata.finalizers ?? [],
    add: (finalizer = OURS) => addFinalizer(client, REF, uid, finalizer, NEVER),
    takeOff: (finalizer = OURS) => removeFinalizer(client, REF, finalizer, NEVER),
    read: () => readMetadata(client, REF, NEVER),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

Deno.test("addFinalizer() adds the finalizer, keeps those of others, and returns the metadata", async () => {
  await using t = start([OTHER]);
  assert.deepEqual(await t.add(), t.metadata());
  assert.deepEqual(t.finalizers().toSorted(), [OURS, OTHER]);
});

Deno.test("addFinalizer() changes nothing when the finalizer is there", async () => {
  await using t = start([OURS, OTHER]);
  const { resourceVersion } = t.metadata();
  await t.add();
  assert.deepEqual([t.finalizers(), t.metadata().resourceVersion], [[OURS, OTHER], resourceVersion]);
});

Deno.test("addFinalizer() throws, and leaves the other alone, when another object has the name by now", async () => {
  await using t = start();
  t.remove();
  t.create();
  await assert.rejects(t.add(), { name: "ApiError", status: 409 });
  assert.deepEqual(t.finalizers(), []);
});

Deno.test("addFinalizer() throws when the object is being deleted", async () => {
  await using t = start([OTHER]);
  t.remove();
  await assert.rejects(t.add(), { name: "ApiError", status: 422 });
  assert.deepEqual(t.finalizers(), [OTHER]);
});

Deno.test("removeFinalizer() removes this one alone", async () => {
  await using t = start(["x.io/first", OURS, "x.io/last"]);
  await t.takeOff();
  assert.deepEqual(t.finalizers(), ["x.io/first", "x.io/last"]);
});

Deno.test("removeFinalizer() changes nothing when the finalizer is not there", async () => {
  await using t = start([OTHER]);
  const { resourceVersion } = t.metadata();
  await t.takeOff();
  assert.deepEqual([t.finalizers(), t.metadata().resourceVersion], [[OTHER], resourceVersion]);
});

Deno.test("removeFinalizer() throws a 404 when the object is gone", async () => {
  await using t = start();
  t.remove();
  await assert.rejects(t.takeOff(), { name: "ApiError", status: 404 });
});

Deno.test("addFinalizer() and removeFinalizer() of several sidecars lose no finalizer", async () => {
  await using t = start([OTHER]);
  const names = Array.from({ length: 8 }, (_, index) => `sidecar-${index}.io/files`);
  await Promise.all(names.map((name) => t.add(name)));
  assert.deepEqual(t.finalizers().toSorted(), [...names, OTHER]);
  await Promise.all([...names.slice(4).map((name) => t.takeOff(name)), t.add()]);
  assert.deepEqual(t.finalizers().toSorted(), [OURS, ...names.slice(0, 4), OTHER]);
});

Deno.test("readMetadata() reads it as it is now", async () => {
  await using t = start([OURS]);
  t.remove();
  const { uid, deletionTimestamp, finalizers } = await t.read();
  assert.deepEqual([uid, finalizers], [t.uid, [OURS]]);
  assert.ok(deletionTimestamp);
});
