import assert from "node:assert/strict";
import { Registry } from "./registry.ts";
import { CONFIG_MAPS, CORE_EVENTS, EVENTS, NAMESPACES, SECRETS } from "./resources.ts";
import { StatusError } from "./status.ts";
import { Store } from "./store.ts";

function registryAt(clock: { now: Date }): Registry {
  let uids = 0;
  return new Registry(new Store(), { now: () => clock.now, randomUUID: () => `0000${++uids}-uid` });
}

function refusal(act: () => unknown): [number, string] {
  try {
    act();
  } catch (error) {
    if (error instanceof StatusError) return [error.status.code, error.message];
    throw error;
  }
  throw new Error("it was not refused");
}

Deno.test("Registry takes time and uids from outside", () => {
  const registry = registryAt({ now: new Date("2024-01-02T03:04:05.678Z") });
  const { metadata } = registry.create(CONFIG_MAPS, "default", { metadata: { generateName: "a-" } });
  assert.deepEqual([metadata.creationTimestamp, metadata.name, metadata.uid], [
    "2024-01-02T03:04:05Z",
    "a-00004",
    "00005-uid",
  ]);
});

Deno.test("Registry.delete() of a namespace takes its contents along", () => {
  const registry = registryAt({ now: new Date() });
  registry.create(NAMESPACES, undefined, { metadata: { name: "team" } });
  registry.create(CONFIG_MAPS, "team", { metadata: { name: "a" } });
  registry.create(SECRETS, "team", { metadata: { name: "a" } });
  registry.create(CONFIG_MAPS, "default", { metadata: { name: "stays" } });
  const version = registry.store.version;
  const { object, deleted } = registry.delete(NAMESPACES, undefined, "team");
  assert.deepEqual([deleted, object.status], [false, { phase: "Terminating" }]);
  const changes = registry.store.changesAfter(version).map(({ storage, after }) =>
    `${storage} ${after ? "kept" : "gone"}`
  );
  assert.deepEqual(changes, ["namespaces kept", "configmaps gone", "secrets gone", "namespaces gone"]);
  assert.equal(registry.get(CONFIG_MAPS, "default", "stays").metadata.name, "stays");
});

Deno.test("Registry.delete() leaves a namespace Terminating while finalizers hold something in it", () => {
  const registry = registryAt({ now: new Date() });
  registry.create(NAMESPACES, undefined, { metadata: { name: "team" } });
  registry.create(CONFIG_MAPS, "team", { metadata: { name: "held", finalizers: ["x.io/a"] } });
  registry.delete(NAMESPACES, undefined, "team");
  const [code, message] = refusal(() => registry.create(CONFIG_MAPS, "team", { metadata: { name: "late" } }));
  assert.equal(code, 403);
  assert.match(message, /because it is being terminated/);
  registry.update(CONFIG_MAPS, "team", "held", { metadata: { name: "held" } });
  assert.equal(refusal(() => registry.get(NAMESPACES, undefined, "team"))[0], 404);
});

Deno.test("Registry.delete() refuses a system namespace", () => {
  const registry = registryAt({ now: new Date() });
  assert.deepEqual(refusal(() => registry.delete(NAMESPACES, undefined, "default")), [
    403,
    'namespaces "default" is forbidden: this namespace may not be deleted',
  ]);
});

Deno.test("Registry.create() refuses unknown fields when it is strict", () => {
  const registry = registryAt({ now: new Date() });
  const body = { metadata: { name: "a", label: {}, managedFields: [] }, dta: {} };
  assert.deepEqual(refusal(() => registry.create(CONFIG_MAPS, "default", body, { strict: true })), [
    400,
    'strict decoding error: unknown field "dta"',
  ]);
  const { dta: _, ...rest } = body;
  assert.match(refusal(() => registry.create(CONFIG_MAPS, "default", rest, { strict: true }))[1], /"metadata.label"/);
  assert.equal(registry.create(CONFIG_MAPS, "default", body).dta, undefined);
});

Deno.test("Registry.update() through events.k8s.io/v1 changes the series of an Event and little else", () => {
  const registry = registryAt({ now: new Date() });
  const event = {
    ...{
      regarding: { namespace: "default", name: "a" },
      reason: "Written",
      action: "Write",
      note: "text",
      type: "Normal",
    },
    ...{ eventTime: "2024-01-02T03:04:05.000000Z", reportingController: "x.io/test", reportingInstance: "test-1" },
    metadata: { name: "e" },
  };
  registry.create(EVENTS, "default", event);
  const series = { count: 2, lastObservedTime: "2024-01-02T03:04:06.000000Z" };
  assert.deepEqual(registry.update(EVENTS, "default", "e", { ...event, series }).series, series);
  assert.match(
    refusal(() => registry.update(EVENTS, "default", "e", { ...event, note: "new" }))[1],
    /message: .*immutable/,
  );
});

Deno.test("Registry forgets Events after an hour", () => {
  const clock = { now: new Date("2024-01-02T03:04:05Z") };
  const registry = registryAt(clock);
  const event = (name: string) => ({ metadata: { name }, involvedObject: { namespace: "default" } });
  registry.create(CORE_EVENTS, "default", event("old"));
  clock.now = new Date("2024-01-02T04:04:06Z");
  registry.create(CORE_EVENTS, "default", event("new"));
  assert.deepEqual(registry.store.list("events").map(({ metadata }) => metadata.name), ["new"]);
});
