import assert from "node:assert/strict";
import type { Problem, Status } from "../../../lib/serve/status.ts";
import { collectStatus } from "../../../lib/sidecar/status/collect.ts";
import { collectionsPlace } from "../../support/many_collections.ts";
import { SECRETS } from "../../apiserver/resources.ts";
import { until } from "../../support/local_servers.ts";

const START = Date.parse("2026-11-25T12:00:00Z");

type Started = Awaited<ReturnType<ReturnType<typeof collectionsPlace>["start"]>>;

function statusOf({ collections, clock, history }: Started, warnings: string[] = []): Status {
  return collectStatus({
    config: { method: "WATCH", warnings, watch: { sleepTime: 60 } },
    build: { version: "1.2.3", revision: "abc" },
    instance: collections.instance,
    hostname: "grafana-0",
    origin: "https://api.example",
    startedAt: 0,
    health: { notReady: () => collections.notReady(), stuck: () => undefined },
    collections: collections.running.map(({ inner }) => inner),
    reload: undefined,
    history,
    clock,
    wallClock: () => START + clock.now(),
  });
}

const COLLECTION = `version: 1
collections:
  - name: first
    selector: app
    resource: configmap
    folder: FOLDER/first
`;

const brief = ({ severity, object, key, path, what, cure }: Problem) => [severity, object ?? key ?? path, what, cure];

Deno.test("collectStatus() has collections, sources and files, and no problem where there is none", async () => {
  await using place = collectionsPlace();
  place.create("a", { "a.txt": "hello" });
  await using started = await place.start(COLLECTION);
  started.run();
  await until(() => started.collections.notReady() === undefined);
  await until(() => place.files("first")["a.txt"] === "hello");
  const status = statusOf(started);
  assert.deepEqual(status.problems, []);
  assert.equal(status.version, 1);
  assert.match(status.instance, /^[0-9a-f]{10}-[0-9a-f]{10}$/);
  const [collection] = status.collections;
  assert.deepEqual(collection, {
    name: "first",
    selects: "configmaps with labels app in all namespaces",
    folder: `${place.path}/first`,
    state: "ready",
    since: "2026-11-25T12:00:00Z",
    objects: 1,
    files: 1,
    bytes: 5,
    changedAt: "2026-11-25T12:00:00Z",
  });
  assert.deepEqual(status.sources, [{
    source: "configmaps in all namespaces",
    labelSelector: "app",
    collections: ["first"],
    state: "watching",
    contactAt: "2026-11-25T12:00:00Z",
    syncedAt: "2026-11-25T12:00:00Z",
    restarts: 0,
    relists: 0,
  }]);
  const [{ writtenAt, ...file } = {}] = status.files;
  assert.match(String(writtenAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(file, {
    path: `${place.path}/first/a.txt`,
    collection: "first",
    object: "default/configmap/a",
    size: 5,
    mode: "644",
  });
});

Deno.test("collectStatus() names each object's fault with its cure, and a warning last", async () => {
  await using place = collectionsPlace();
  place.create("good", { "a.txt": "good" });
  place.create("loser", { "a.txt": "lost" });
  place.create("escape", { "b.txt": "b" }, { annotations: { "k8s-sidecar-target-directory": "/etc" } });
  await using started = await place.start(COLLECTION);
  started.run();
  await until(() => started.collections.notReady() === undefined);
  const status = statusOf(started, ["LABLE is not a setting and has no effect: did you mean LABEL?"]);
  assert.deepEqual(status.problems.map(brief), [
    [
      "error",
      "default/configmap/escape",
      `annotation k8s-sidecar-target-directory="/etc" points outside ${place.path}/first`,
      "Correct the annotation k8s-sidecar-target-directory of the object, or add the folder to allowedFolders. Its last " +
      "accepted files stay until then",
    ],
    [
      "warning",
      undefined,
      "LABLE is not a setting and has no effect: did you mean LABEL?",
      "Correct the settings of the container, and start it again: `k8s-sidecar check` reports every warning",
    ],
    [
      "warning",
      "default/configmap/loser",
      `${place.path}/first/a.txt belongs to default/configmap/good, which comes first by name and is as old`,
      "uniqueFilenames: true keeps both",
    ],
  ]);
  assert.deepEqual(status.files.map(({ path, losers }) => [path.slice(place.path.length), losers]), [
    ["/first/a.txt", ["default/configmap/loser"]],
  ]);
  assert.deepEqual(status.collections.map(({ state }) => state), ["ready"]);
});

for (
  const [keys, where, scope] of [
    ["", "all namespaces", "-A"],
    ["namespaces: [default]\n    ", "namespace default", "-n default"],
    ["namespaces: [default, other]\n    ", "namespaces default, other", "-n NAMESPACE"],
  ] as const
) {
  Deno.test(`collectStatus() says how to find what a label selects in ${where}, when that is nothing`, async () => {
    await using place = collectionsPlace();
    await using started = await place.start(COLLECTION.replace("resource:", `${keys}resource:`));
    started.run();
    await until(() => started.collections.notReady() === undefined);
    assert.deepEqual(statusOf(started).problems.map(brief), [[
      "warning",
      undefined,
      `nothing is selected: there are no configmaps with labels app in ${where}`,
      `Check label, labelValue and namespaces: \`kubectl get configmaps ${scope} -l 'app'\` must list the objects`,
    ]]);
  });
}

Deno.test("collectStatus() has a lost path with the collection that lost it", async () => {
  await using place = collectionsPlace();
  const labels = (label: string, at: string) => ({ labels: { [label]: "" }, creationTimestamp: at });
  place.create("young", { "a.txt": "young" }, labels("one", "2026-02-01T00:00:00Z"));
  place.create("old", { "a.txt": "old" }, labels("two", "2026-01-01T00:00:00Z"));
  const item = (name: string) =>
    `  - { name: ${name}, selector: ${name}, resource: configmap, folder: FOLDER/files, sharedFolder: true }`;
  await using started = await place.start(`version: 1\ncollections:\n${item("one")}\n${item("two")}\n`);
  started.run();
  await until(() => started.collections.notReady() === undefined);
  await until(() => place.files("files")["a.txt"] === "old");
  const status = statusOf(started);
  assert.deepEqual(status.problems.map(({ collection, what, cure }) => [collection, what, cure]), [[
    "one",
    `${place.path}/files/a.txt belongs to default/configmap/old of the collection two, which is older`,
    "uniqueFilenames: true keeps both; collisions: newest prefers the newer one",
  ]]);
  assert.deepEqual(status.files.map(({ collection, object, losers }) => [collection, object, losers]), [
    ["two", "default/configmap/old", ["default/configmap/young"]],
  ]);
});

Deno.test("collectStatus() shows no URL of a Secret, and of a ConfigMap none with its query", async () => {
  await using place = collectionsPlace();
  const url = "http://user:hidden@127.0.0.1:9/hidden-path?hidden-query";
  place.create("a", { "a.txt.url": url.replace("hidden-path", "path") });
  const metadata = { name: "b", labels: { app: "" } };
  place.gateway.server.registry.create(SECRETS, "default", { metadata, data: { "b.txt.url": btoa(url) } });
  await using started = await place.start(COLLECTION.replace("configmap", "both"));
  started.run();
  await until(() => statusOf(started).problems.length === 2);
  const status = statusOf(started);
  assert.doesNotMatch(JSON.stringify(status), /hidden/);
  assert.deepEqual(status.problems.map(brief), [
    [
      "error",
      "default/configmap/a",
      "the download was refused: 127.0.0.1:9 is not an allowed host (URL_ALLOWED_HOSTS)",
      "Add the host to urls.allowedHosts, or change the URL. An earlier file stays until then",
    ],
    [
      "error",
      "default/secret/b",
      "the download was refused; the sidecar's log has the reason",
      "Add the host to urls.allowedHosts, or change the URL. An earlier file stays until then",
    ],
  ]);
});
