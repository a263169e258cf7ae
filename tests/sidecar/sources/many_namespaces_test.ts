import assert from "node:assert/strict";
import type { Source } from "../../../lib/objects/source.ts";
import { watchGroups } from "../../../lib/sidecar/sources/many_namespaces.ts";
import { refusal } from "../../support/api_gateway.ts";
import { until } from "../../support/local_servers.ts";
import { collectionsPlace } from "../../support/many_collections.ts";

const NAMES = Array.from({ length: 9 }, (_, at) => `n${at}`);
const sourcesIn = (namespaces: readonly string[], more: Partial<Source> = {}): Source[] =>
  namespaces.map((namespace) => ({ kind: "ConfigMap", namespace, labelSelector: "app", ...more }));

const config = (namespaces: readonly string[]) =>
  `version: 1\ncollections:\n- { name: a, label: app, folder: FOLDER/a, resource: configmap, namespaces: [${namespaces}] }`;

Deno.test("watchGroups() has more than eight namespaces of a kind watched together", () => {
  const eight = sourcesIn(NAMES.slice(1));
  assert.deepEqual(watchGroups(eight), eight.map((source) => ({ target: source, sources: [source] })));
  const nine = sourcesIn(NAMES);
  assert.deepEqual(watchGroups(nine), [{ target: { kind: "ConfigMap", labelSelector: "app" }, sources: nine }]);
});

Deno.test("watchGroups() keeps kinds apart, and objects that are named", () => {
  const sources = [...sourcesIn(NAMES.slice(4)), ...sourcesIn(NAMES.slice(5), { kind: "Secret" })];
  assert.equal(watchGroups(sources).length, sources.length);
  const named = sourcesIn(NAMES, { name: "a" });
  assert.equal(watchGroups(named).length, 9);
});

Deno.test("nine namespaces are one list, and the objects of others are left out", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" }, {}, "n3");
  at.create("b", { "b.txt": "b" }, {}, "other");
  await using it = await at.start(config(NAMES));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  at.create("c", { "c.txt": "c" }, {}, "n8");
  at.create("d", { "d.txt": "d" }, {}, "other");
  await until(() => Object.keys(at.files("a")).length === 2);
  assert.deepEqual(at.files("a"), { "a.txt": "a", "c.txt": "c" });
  assert.deepEqual(at.lists(), ["configmaps app"]);
});

Deno.test("nine namespaces are listed one by one where all together are forbidden", async () => {
  await using at = collectionsPlace();
  at.gateway.intercept = ({ path }) =>
    path.startsWith("/api/v1/configmaps") ? refusal(403, "Forbidden", "no") : undefined;
  at.create("a", { "a.txt": "a" }, {}, "n3");
  await using it = await at.start(config(NAMES));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  assert.deepEqual(at.files("a"), { "a.txt": "a" });
  // A streaming list, and where it is forbidden a list
  const all = ["configmaps app", "configmaps app"];
  assert.deepEqual(at.lists(), [...all, ...NAMES.map((name) => `namespaces/${name}/configmaps app`)]);
  assert.deepEqual(it.log.lines.filter((line) => !/^(debug|info)/.test(line)), []);
});

Deno.test("METHOD=LIST lists nine namespaces one by one where all together are forbidden", async () => {
  await using at = collectionsPlace();
  at.gateway.intercept = ({ path }) =>
    path.startsWith("/api/v1/configmaps") ? refusal(403, "Forbidden", "no") : undefined;
  at.create("a", { "a.txt": "a" }, {}, "n3");
  await using it = await at.start(config(NAMES), { mode: "once" });
  assert.deepEqual(await it.list(), [{ collection: "a", apiFailures: [], fileFailures: [], files: 1, refused: 0 }]);
});
