import assert from "node:assert/strict";
import type { StoredObject } from "./resources.ts";
import { CompactedError, Store } from "./store.ts";

function configMap(name: string, data: Record<string, string> = {}): StoredObject {
  return { kind: "ConfigMap", apiVersion: "v1", metadata: { name, namespace: "a" }, data };
}

function listed(store: Store, version?: number): unknown[] {
  return store.list("configmaps", version).map(({ metadata, data }) => [metadata.name, data]);
}

Deno.test("Store.put() gives each change the next version and leaves older objects as they were", () => {
  const store = new Store();
  const first = store.put("configmaps", configMap("x", { v: "1" }));
  const second = store.put("configmaps", configMap("x", { v: "2" }));
  assert.deepEqual([first.metadata.resourceVersion, second.metadata.resourceVersion], ["2", "3"]);
  assert.equal(store.version, 3);
  assert.deepEqual(first.data, { v: "1" });
  assert.equal(store.get("configmaps", "a", "x"), second);
});

Deno.test("Store.delete() returns the last state with the version of the deletion", () => {
  const store = new Store();
  store.put("configmaps", configMap("x", { v: "1" }));
  const last = store.delete("configmaps", "a", "x");
  assert.equal(last?.metadata.resourceVersion, "3");
  assert.deepEqual(last?.data, { v: "1" });
  assert.equal(store.get("configmaps", "a", "x"), undefined);
  assert.equal(store.delete("configmaps", "a", "x"), undefined);
  assert.equal(store.version, 3);
});

Deno.test("Store.list() shows any version that the history reaches", () => {
  const store = new Store();
  store.put("configmaps", configMap("b", { v: "1" }));
  store.put("secrets", configMap("other"));
  store.put("configmaps", configMap("a"));
  store.put("configmaps", configMap("b", { v: "2" }));
  store.delete("configmaps", "a", "a");
  assert.deepEqual(listed(store), [["b", { v: "2" }]]);
  assert.deepEqual(listed(store, 5), [["a", {}], ["b", { v: "2" }]]);
  assert.deepEqual(listed(store, 4), [["a", {}], ["b", { v: "1" }]]);
  assert.deepEqual(listed(store, 2), [["b", { v: "1" }]]);
  assert.deepEqual(listed(store, 1), []);
});

Deno.test("Store.changesAfter() throws when the version was compacted", () => {
  const store = new Store();
  for (const name of ["a", "b", "c"]) store.put("configmaps", configMap(name));
  store.compact(3);
  assert.deepEqual(store.changesAfter(3).map(({ version }) => version), [4]);
  assert.throws(() => store.changesAfter(2), CompactedError);
  assert.throws(() => store.list("configmaps", 2), CompactedError);
  store.compact(2);
  assert.equal(store.compactedVersion, 3);
  store.compact();
  assert.deepEqual(store.changesAfter(4), []);
});

Deno.test("Store keeps no more changes than historySize", () => {
  const store = new Store({ historySize: 2 });
  for (const name of ["a", "b", "c", "d"]) store.put("configmaps", configMap(name));
  assert.equal(store.compactedVersion, 3);
  assert.deepEqual(store.changesAfter(3).map(({ version }) => version), [4, 5]);
  assert.deepEqual(listed(store).length, 4);
});

Deno.test("Store.subscribe() calls after each change until it is ended", () => {
  const store = new Store();
  const seen: number[] = [];
  const unsubscribe = store.subscribe(() => seen.push(store.version));
  store.put("configmaps", configMap("a"));
  store.delete("configmaps", "a", "a");
  unsubscribe();
  store.put("configmaps", configMap("b"));
  assert.deepEqual(seen, [2, 3]);
});

Deno.test("Store.hasObjectsIn() tells namespaces apart whose names begin alike", () => {
  const store = new Store();
  store.put("configmaps", configMap("x"));
  assert.equal(store.hasObjectsIn("configmaps", "a"), true);
  assert.equal(store.hasObjectsIn("configmaps", "aa"), false);
  assert.equal(store.hasObjectsIn("secrets", "a"), false);
});
