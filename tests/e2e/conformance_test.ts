/**
 * What a Kubernetes API server does, seen from a client: the same cases against the embedded one and, when
 * `KUBEBUILDER_ASSETS` names its binaries, against a real kube-apiserver. The real one is right.
 */
import assert from "node:assert/strict";
import { type ApiTarget, call, startEmbedded, startReal, WatchRequest } from "../support/api_target.ts";
import { controlPlaneAvailable } from "../support/control_plane.ts";

const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";
const JSON_PATCH = "application/json-patch+json";

/** `path` is that of a namespace which is the case's own. */
type Case = (target: ApiTarget, path: string) => Promise<void>;
type Fields = Record<string, unknown>;

async function create(target: ApiTarget, path: string, name: string, fields: Fields = {}, metadata: Fields = {}) {
  const { status, body } = await call(target, "POST", path, { ...fields, metadata: { name, ...metadata } });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

async function names(target: ApiTarget, path: string): Promise<string[]> {
  const { status, body } = await call(target, "GET", path);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
}

async function versionNow(target: ApiTarget, path: string): Promise<string> {
  return (await call(target, "GET", `${path}?limit=1`)).body.metadata.resourceVersion;
}

/** Method, path below the namespace, body, and what is answered: code, reason, and a part of the message. */
const REFUSED: [string, string, unknown, number, string, string, string?][] = [
  ["GET", "configmaps/none", undefined, 404, "NotFound", 'configmaps "none" not found'],
  ["DELETE", "configmaps/none", undefined, 404, "NotFound", 'configmaps "none" not found'],
  ["PUT", "configmaps/none", { metadata: { name: "none" } }, 404, "NotFound", 'configmaps "none" not found'],
  ["PATCH", "configmaps/none", {}, 404, "NotFound", 'configmaps "none" not found', MERGE],
  ["GET", "nonsense", undefined, 404, "NotFound", "could not find the requested resource"],
  ["POST", "configmaps", { metadata: { name: "old" } }, 409, "AlreadyExists", 'configmaps "old" already exists'],
  ["POST", "configmaps", { metadata: { name: "Bad_Name" } }, 422, "Invalid", "metadata.name: Invalid value"],
  ["POST", "configmaps", { metadata: {} }, 422, "Invalid", "metadata.name: Required value: name or generateName"],
  [
    "POST",
    "configmaps",
    { metadata: { name: "a", namespace: "b" } },
    400,
    "BadRequest",
    "does not match the namespace",
  ],
  ["POST", "configmaps", "nonsense", 400, "BadRequest", ""],
  ["POST", "configmaps", "[]", 400, "BadRequest", ""],
  ["POST", "configmaps", { kind: "Secret", apiVersion: "v1", metadata: { name: "a" } }, 400, "BadRequest", "ConfigMap"],
  ["POST", "configmaps", { metadata: { name: "a" }, data: { "a b": "" } }, 422, "Invalid", "data[a b]: Invalid value"],
  ["POST", "configmaps", { metadata: { name: "a" }, data: { "..a": "" } }, 422, "Invalid", "must not start with '..'"],
  ["POST", "configmaps", { metadata: { name: "a" }, data: { ".": "" } }, 422, "Invalid", "data[.]: Invalid value"],
  ["POST", "configmaps", { metadata: { name: "a" }, data: { [`${"a".repeat(254)}`]: "" } }, 422, "Invalid", "253"],
  ["POST", "configmaps", { metadata: { name: "a" }, data: { a: 1 } }, 400, "BadRequest", "ConfigMap"],
  ["POST", "configmaps", { metadata: { name: "a" }, binaryData: { a: "!" } }, 400, "BadRequest", "illegal base64"],
  [
    "POST",
    "configmaps",
    { metadata: { name: "a" }, data: { a: "" }, binaryData: { a: "" } },
    422,
    "Invalid",
    "duplicate",
  ],
  ["POST", "configmaps", { metadata: { name: "a" }, data: { a: "x".repeat(1048577) } }, 422, "Invalid", "Too long"],
  ["POST", "configmaps", { metadata: { name: "a", labels: { "-": "" } } }, 422, "Invalid", "metadata.labels"],
  ["POST", "configmaps", { metadata: { name: "a", labels: { a: "b/c" } } }, 422, "Invalid", "metadata.labels"],
  [
    "POST",
    "configmaps",
    { metadata: { name: "a", annotations: { "a b": "" } } },
    422,
    "Invalid",
    "metadata.annotations",
  ],
  [
    "POST",
    "configmaps",
    { metadata: { name: "a", finalizers: ["bare"] } },
    422,
    "Invalid",
    "nor is it fully qualified",
  ],
  ["POST", "secrets", { metadata: { name: "a" }, data: { a: "MQ" } }, 400, "BadRequest", "illegal base64"],
  ["POST", "secrets", { metadata: { name: "a" }, data: { "a/b": "" } }, 422, "Invalid", "data[a/b]"],
  [
    "POST",
    "secrets",
    { metadata: { name: "a" }, type: "kubernetes.io/tls" },
    422,
    "Invalid",
    "data[tls.crt]: Required",
  ],
  ["PUT", "configmaps/old", { metadata: { name: "new" } }, 400, "BadRequest", "does not match the name on the URL"],
  ["PUT", "configmaps/old", { metadata: {} }, 400, "BadRequest", "name must be provided"],
  ["PUT", "configmaps/old", { metadata: { name: "old", resourceVersion: "1" } }, 409, "Conflict", "has been modified"],
  ["PUT", "configmaps/old", { metadata: { name: "old", uid: "1" } }, 409, "Conflict", "UID in precondition: 1"],
  ["PATCH", "configmaps/old", { metadata: { resourceVersion: "1" } }, 409, "Conflict", "has been modified", MERGE],
  ["PATCH", "configmaps/old", { data: { "a b": "" } }, 422, "Invalid", "data[a b]", MERGE],
  ["PATCH", "configmaps/old", [{ op: "remove", path: "/data/x" }], 422, "Invalid", "rejected our request", JSON_PATCH],
  ["PATCH", "configmaps/old", [{ op: "test", path: "/data", value: 1 }], 422, "Invalid", "rejected", JSON_PATCH],
  ["PATCH", "configmaps/old", {}, 400, "BadRequest", "", JSON_PATCH],
  ["PATCH", "configmaps/old", {}, 415, "UnsupportedMediaType", "", "text/plain"],
  ["PUT", "configmaps/fixed", { metadata: { name: "fixed" }, immutable: true }, 422, "Invalid", "data: Forbidden"],
  ["PATCH", "configmaps/fixed", { immutable: null }, 422, "Invalid", "immutable: Forbidden", MERGE],
  ["PATCH", "secrets/old", { type: "other" }, 422, "Invalid", "type: Invalid value", MERGE],
  ["DELETE", "configmaps/old", { preconditions: { uid: "1" } }, 409, "Conflict", "UID in the precondition (1)"],
  ["GET", "configmaps?labelSelector=a+b", undefined, 400, "BadRequest", ""],
  ["GET", "configmaps?fieldSelector=data.a%3Db", undefined, 400, "BadRequest", "not a known field selector"],
  ["GET", "configmaps?limit=x", undefined, 400, "BadRequest", "invalid syntax"],
  ["GET", "configmaps?continue=nonsense", undefined, 400, "BadRequest", "continue key is not valid"],
  ["GET", "configmaps?resourceVersionMatch=Exact", undefined, 422, "Invalid", "unless resourceVersion is provided"],
  ["GET", "configmaps?resourceVersionMatch=Exact&resourceVersion=0", undefined, 422, "Invalid", "forbidden"],
  ["GET", "configmaps?resourceVersionMatch=x&resourceVersion=1", undefined, 422, "Invalid", "Unsupported value"],
  ["GET", "configmaps?resourceVersion=999999999", undefined, 504, "Timeout", "Too large resource version: 999999999"],
  ["GET", "configmaps?watch=1&resourceVersion=1&resourceVersionMatch=Exact", undefined, 422, "Invalid", "for watch"],
];

const CASES: Record<string, Case> = {
  async "discovery names the resources and their verbs"(target) {
    for (const [path, expected] of [["/api/v1", "configmaps"], ["/apis/events.k8s.io/v1", "events"]]) {
      const { body } = await call(target, "GET", path!);
      const resource = body.resources.find(({ name }: { name: string }) => name === expected);
      assert.deepEqual(
        resource.verbs.toSorted(),
        ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      );
      assert.equal(resource.namespaced, true);
    }
    assert.deepEqual((await call(target, "GET", "/api")).body.versions, ["v1"]);
    assert.equal((await call(target, "GET", "/readyz")).body, "ok");
    assert.equal(typeof (await call(target, "GET", "/version")).body.gitVersion, "string");
  },

  async "a wrong token is answered 401"(target) {
    const response = await target.fetch("/api/v1/configmaps", {}, "wrong");
    const { kind, reason, message, code } = await response.json();
    assert.deepEqual({ kind, reason, message, code }, {
      kind: "Status",
      reason: "Unauthorized",
      message: "Unauthorized",
      code: 401,
    });
  },

  async "an object that is created has what the server gives it, and nothing of it from the client"(target, path) {
    const created = await create(target, `${path}/configmaps`, "a", { data: { k: "v" }, unknown: 1 }, {
      uid: "mine",
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
    });
    assert.notEqual(created.metadata.uid, "mine");
    assert.notEqual(created.metadata.creationTimestamp, "2001-01-01T00:00:00Z");
    assert.match(created.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(created.metadata.deletionTimestamp, undefined);
    assert.equal(created.unknown, undefined);
    assert.deepEqual([created.kind, created.apiVersion], ["ConfigMap", "v1"]);
    assert.deepEqual((await call(target, "GET", `${path}/configmaps/a`)).body, created);
  },

  async "generateName makes a name"(target, path) {
    const { status, body } = await call(target, "POST", `${path}/configmaps`, { metadata: { generateName: "a-" } });
    assert.equal(status, 201);
    assert.match(body.metadata.name, /^a-[a-z0-9]{5}$/);
  },

  async "a namespace that is not there is answered 404 on create, an empty list on list"(target) {
    const { status, body } = await call(target, "POST", "/api/v1/namespaces/nope/configmaps", {
      metadata: { name: "a" },
    });
    assert.deepEqual([status, body.message], [404, 'namespaces "nope" not found']);
    assert.deepEqual(await names(target, "/api/v1/namespaces/nope/configmaps"), []);
  },

  async "a Secret's stringData goes into its data, and its type is Opaque"(target, path) {
    const created = await create(target, `${path}/secrets`, "a", {
      stringData: { a: "text" },
      data: { a: "MQ==", b: "Mg==" },
    });
    assert.deepEqual(created.data, { a: "dGV4dA==", b: "Mg==" });
    assert.equal(created.stringData, undefined);
    assert.equal(created.type, "Opaque");
  },

  async "data of 1 MiB is taken"(target, path) {
    await create(target, `${path}/configmaps`, "a", { data: { a: "x".repeat(1048576) } });
  },

  async "an update that changes nothing keeps the version, another gets a new one"(target, path) {
    const created = await create(target, `${path}/configmaps`, "a", { data: { k: "v" } }, { labels: { l: "1" } });
    const version = created.metadata.resourceVersion;
    const same = await call(target, "PUT", `${path}/configmaps/a`, created);
    assert.equal(same.body.metadata.resourceVersion, version);
    const samePatch = await call(target, "PATCH", `${path}/configmaps/a`, { data: { k: "v" } }, MERGE);
    assert.equal(samePatch.body.metadata.resourceVersion, version);
    const other = await call(target, "PUT", `${path}/configmaps/a`, { metadata: { name: "a" }, data: { k: "w" } });
    assert.ok(Number(other.body.metadata.resourceVersion) > Number(version));
    assert.equal(other.body.metadata.labels, undefined);
    assert.equal(other.body.metadata.uid, created.metadata.uid);
    assert.equal((await call(target, "PUT", `${path}/configmaps/a`, created)).status, 409);
  },

  async "patches of all three kinds are applied"(target, path) {
    const object = `${path}/configmaps/a`;
    await create(target, `${path}/configmaps`, "a", { data: { a: "1", b: "2" } }, { finalizers: ["x.io/a"] });
    const merged = await call(target, "PATCH", object, { data: { a: null, c: "3" } }, MERGE);
    assert.deepEqual(merged.body.data, { b: "2", c: "3" });
    const replaced = await call(target, "PATCH", object, { metadata: { finalizers: ["x.io/b"] } }, MERGE);
    assert.deepEqual(replaced.body.metadata.finalizers, ["x.io/b"]);

    const strategic = async (patch: unknown) => (await call(target, "PATCH", object, patch, STRATEGIC)).body;
    assert.deepEqual((await strategic({ metadata: { finalizers: ["x.io/c"] } })).metadata.finalizers.toSorted(), [
      "x.io/b",
      "x.io/c",
    ]);
    const fewer = await strategic({ metadata: { "$deleteFromPrimitiveList/finalizers": ["x.io/b"] } });
    assert.deepEqual(fewer.metadata.finalizers, ["x.io/c"]);
    const sorted = await strategic({
      metadata: { finalizers: ["x.io/a"], "$setElementOrder/finalizers": ["x.io/a", "x.io/c"] },
    });
    assert.deepEqual(sorted.metadata.finalizers, ["x.io/a", "x.io/c"]);
    assert.deepEqual((await strategic({ data: { $patch: "replace", z: "1" } })).data, { z: "1" });
    assert.deepEqual((await strategic({ data: { z: null, y: "2" } })).data, { y: "2" });
    assert.equal((await strategic({ metadata: { finalizers: null } })).metadata.finalizers, undefined);

    const operations = [
      { op: "test", path: "/data/y", value: "2" },
      { op: "add", path: "/metadata/labels", value: { "x.io/l": "1" } },
      { op: "replace", path: "/metadata/labels/x.io~1l", value: "2" },
      { op: "move", from: "/data/y", path: "/data/w" },
      { op: "copy", from: "/data/w", path: "/data/v" },
    ];
    const { body } = await call(target, "PATCH", object, operations, JSON_PATCH);
    assert.deepEqual([body.data, body.metadata.labels], [{ v: "2", w: "2" }, { "x.io/l": "2" }]);
  },

  async "a deleted object is answered with a Status, one with finalizers with itself until they are gone"(
    target,
    path,
  ) {
    const watch = await WatchRequest.open(
      target,
      `${path}/configmaps?watch=1&resourceVersion=${await versionNow(target, path + "/configmaps")}`,
    );
    const plain = await create(target, `${path}/configmaps`, "plain");
    const { body: gone } = await call(target, "DELETE", `${path}/configmaps/plain`);
    assert.deepEqual([gone.kind, gone.status], ["Status", "Success"]);
    assert.deepEqual(gone.details, { name: "plain", kind: "configmaps", uid: plain.metadata.uid });

    await create(target, `${path}/configmaps`, "held", {}, { finalizers: ["x.io/a"] });
    const { status, body: held } = await call(target, "DELETE", `${path}/configmaps/held`);
    assert.equal(status, 200);
    assert.match(held.metadata.deletionTimestamp, /Z$/);
    assert.equal(held.metadata.deletionGracePeriodSeconds, 0);
    const again = await call(target, "DELETE", `${path}/configmaps/held`);
    assert.equal(again.body.metadata.resourceVersion, held.metadata.resourceVersion);
    const more = { metadata: { finalizers: ["x.io/a", "x.io/b"] } };
    const refused = await call(target, "PATCH", `${path}/configmaps/held`, more, MERGE);
    assert.match(refused.body.message, /no new finalizers can be added if the object is being deleted/);
    const released = await call(target, "PATCH", `${path}/configmaps/held`, { metadata: { finalizers: [] } }, MERGE);
    assert.equal(released.status, 200);
    assert.equal((await call(target, "GET", `${path}/configmaps/held`)).status, 404);
    assert.deepEqual(await watch.take(5), [
      "ADDED plain",
      "DELETED plain",
      "ADDED held",
      "MODIFIED held",
      "DELETED held",
    ]);
    await watch.close();
  },

  async "dryRun changes nothing"(target, path) {
    const created = await call(target, "POST", `${path}/configmaps?dryRun=All`, { metadata: { name: "a" } });
    assert.equal(created.status, 201);
    await create(target, `${path}/configmaps`, "b");
    assert.equal((await call(target, "DELETE", `${path}/configmaps/b?dryRun=All`)).status, 200);
    assert.deepEqual(await names(target, `${path}/configmaps`), ["b"]);
  },

  async "a collection is deleted by label"(target, path) {
    await create(target, `${path}/configmaps`, "a", {}, { labels: { l: "1" } });
    await create(target, `${path}/configmaps`, "b", {}, { labels: { l: "2" } });
    const { status, body } = await call(target, "DELETE", `${path}/configmaps?labelSelector=l%3D1`);
    assert.deepEqual([status, body.kind], [200, "ConfigMapList"]);
    assert.deepEqual(await names(target, `${path}/configmaps`), ["b"]);
  },

  async "a list is narrowed by labels and fields, in the order of names"(target, path) {
    for (const [name, l] of [["b", "1"], ["a", "2"], ["c", "1"]]) {
      await create(target, `${path}/configmaps`, name!, {}, { labels: { l: l! } });
    }
    const list = (query: string) => names(target, `${path}/configmaps?${query}`);
    assert.deepEqual(await list(""), ["a", "b", "c"]);
    assert.deepEqual(await list("labelSelector=l%3D1"), ["b", "c"]);
    assert.deepEqual(await list("labelSelector=l+in+(2,3)"), ["a"]);
    assert.deepEqual(await list("labelSelector=!l"), []);
    assert.deepEqual(await list("fieldSelector=metadata.name%3Db"), ["b"]);
    assert.deepEqual(await list("fieldSelector=metadata.name%3D%3Db,metadata.name!%3Dc"), ["b"]);
    assert.deepEqual(await list("fieldSelector=metadata.name!%3Db&labelSelector=l%3D1"), ["c"]);
    const namespace = path.split("/").at(-1);
    assert.deepEqual(await names(target, `/api/v1/configmaps?fieldSelector=metadata.namespace%3D${namespace}`), [
      "a",
      "b",
      "c",
    ]);
    const { body } = await call(target, "GET", `${path}/configmaps`);
    assert.deepEqual([body.kind, body.apiVersion, body.items[0].kind], ["ConfigMapList", "v1", undefined]);
  },

  async "pages show one version, however long they take"(target, path) {
    for (const name of ["a", "b", "d"]) await create(target, `${path}/configmaps`, name, { data: { v: "1" } });
    const first = (await call(target, "GET", `${path}/configmaps?limit=1`)).body;
    assert.equal(first.metadata.remainingItemCount, 2);
    await create(target, `${path}/configmaps`, "c");
    await call(target, "DELETE", `${path}/configmaps/b`);
    const last = (await call(target, "PATCH", `${path}/configmaps/d`, { data: { v: "2" } }, MERGE)).body;
    const second = (await call(target, "GET", `${path}/configmaps?limit=5&continue=${first.metadata.continue}`)).body;
    assert.deepEqual(
      second.items.map((item: { metadata: Fields; data: Fields }) => [item.metadata.name, item.data.v]),
      [
        ["b", "1"],
        ["d", "1"],
      ],
    );
    assert.equal(second.metadata.continue, undefined);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    const exact = `resourceVersionMatch=Exact&resourceVersion=${first.metadata.resourceVersion}`;
    assert.deepEqual(await names(target, `${path}/configmaps?${exact}`), ["a", "b", "d"]);
    const newer = `resourceVersionMatch=NotOlderThan&resourceVersion=${last.metadata.resourceVersion}`;
    assert.deepEqual((await names(target, `${path}/configmaps?${newer}`)).toSorted(), ["a", "c", "d"]);
    const selected = (await call(target, "GET", `${path}/configmaps?limit=1&labelSelector=!l`)).body;
    assert.equal(selected.metadata.remainingItemCount, undefined);
  },

  async "a watch resumes after a version, without what came before"(target, path) {
    const first = await create(target, `${path}/configmaps`, "a");
    const second = await create(target, `${path}/configmaps`, "b");
    const from = `${path}/configmaps?watch=true&resourceVersion=${first.metadata.resourceVersion}`;
    const watch = await WatchRequest.open(target, from);
    const event = await watch.next();
    assert.deepEqual(event, { type: "ADDED", object: second });
    const patched = (await call(target, "PATCH", `${path}/configmaps/a`, { data: { k: "v" } }, MERGE)).body;
    assert.deepEqual(await watch.next(), { type: "MODIFIED", object: patched });
    await call(target, "DELETE", `${path}/configmaps/a`);
    const deleted = await watch.next();
    assert.equal(deleted?.type, "DELETED");
    assert.deepEqual(deleted.object.data, { k: "v" });
    assert.ok(Number(deleted.object.metadata.resourceVersion) > Number(patched.metadata.resourceVersion));
    await watch.close();
  },

  async "a watch without a version, or from 0, begins with what is there"(target, path) {
    await create(target, `${path}/configmaps`, "a");
    for (const query of ["watch=1", "watch=1&resourceVersion=", "watch=1&resourceVersion=0"]) {
      const watch = await WatchRequest.open(target, `${path}/configmaps?${query}`);
      assert.deepEqual(await watch.take(1), ["ADDED a"]);
      await call(target, "PATCH", `${path}/configmaps/a`, { data: { [query.replaceAll(/\W/g, "_")]: "" } }, MERGE);
      assert.deepEqual(await watch.take(1), ["MODIFIED a"]);
      await watch.close();
    }
  },

  async "an object that stops or starts to match its watch's labels is DELETED or ADDED"(target, path) {
    const created = await create(target, `${path}/configmaps`, "a", {}, { labels: { l: "1" } });
    const version = created.metadata.resourceVersion;
    const watch = await WatchRequest.open(
      target,
      `${path}/configmaps?watch=1&labelSelector=l%3D1&resourceVersion=${version}`,
    );
    const label = async (l: string) =>
      (await call(target, "PATCH", `${path}/configmaps/a`, { metadata: { labels: { l } } }, MERGE)).body;
    const changed = await label("2");
    const deleted = await watch.next();
    assert.equal(deleted?.type, "DELETED");
    assert.deepEqual(deleted.object.metadata.labels, { l: "1" });
    assert.equal(deleted.object.metadata.resourceVersion, changed.metadata.resourceVersion);
    await label("3");
    const back = await label("1");
    assert.deepEqual(await watch.next(), { type: "ADDED", object: back });
    await watch.close();
  },

  async "a watch by name shows that object alone"(target, path) {
    const version = await versionNow(target, `${path}/configmaps`);
    const query = `watch=1&fieldSelector=metadata.name%3Db&resourceVersion=${version}`;
    const watch = await WatchRequest.open(target, `${path}/configmaps?${query}`);
    await create(target, `${path}/configmaps`, "a");
    await create(target, `${path}/configmaps`, "b");
    assert.deepEqual(await watch.take(1), ["ADDED b"]);
    await watch.close();
  },

  async "a watch over all namespaces shows this one's objects"(target, path) {
    const version = await versionNow(target, `${path}/secrets`);
    const watch = await WatchRequest.open(
      target,
      `/api/v1/secrets?watch=1&resourceVersion=${version}&labelSelector=cluster`,
    );
    const created = await create(target, `${path}/secrets`, "a", {}, { labels: { cluster: "wide" } });
    assert.deepEqual(await watch.next(), { type: "ADDED", object: created });
    await watch.close();
  },

  async "a watch ends cleanly at its timeout, with a bookmark before"(target, path) {
    const created = await create(target, `${path}/configmaps`, "a");
    const version = created.metadata.resourceVersion;
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=4&resourceVersion=${version}`;
    const started = performance.now();
    const watch = await WatchRequest.open(target, `${path}/configmaps?${query}`);
    await create(target, `${path}/configmaps`, "b");
    const events = await watch.rest();
    const seconds = (performance.now() - started) / 1000;
    assert.ok(seconds > 3 && seconds < 20, `ended after ${seconds} s`);
    const bookmark = events.at(-1);
    assert.equal(bookmark?.type, "BOOKMARK");
    const { kind, apiVersion, metadata: { resourceVersion, ...metadata }, ...more } = bookmark.object;
    assert.deepEqual({ kind, apiVersion, metadata, more }, {
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { creationTimestamp: null },
      more: {},
    });
    assert.ok(Number(resourceVersion) >= Number(version));
  },

  async "events are the same objects in core/v1 and events.k8s.io/v1"(target, path) {
    const namespace = path.split("/").at(-1)!;
    const configMap = { kind: "ConfigMap", apiVersion: "v1", name: "a", namespace };
    await create(target, `${path}/events`, "core", {
      involvedObject: configMap,
      reason: "Written",
      message: "text",
      type: "Normal",
      count: 1,
      source: { component: "test" },
    });
    const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const seen = (await call(target, "GET", `${events}/core`)).body;
    assert.deepEqual([seen.apiVersion, seen.regarding, seen.note, seen.deprecatedCount, seen.deprecatedSource], [
      ...["events.k8s.io/v1", configMap, "text", 1, { component: "test" }],
    ]);
    const strict = {
      regarding: configMap,
      reason: "Written",
      note: "text",
      type: "Normal",
      action: "Write",
      eventTime: "2024-01-02T03:04:05.000000Z",
      reportingController: "x.io/test",
      reportingInstance: "test-1",
    };
    await create(target, events, "strict", strict);
    const core = (await call(target, "GET", `${path}/events/strict`)).body;
    assert.deepEqual([core.apiVersion, core.involvedObject, core.message, core.reportingComponent], [
      ...["v1", configMap, "text", "x.io/test"],
    ]);
    const series = { count: 2, lastObservedTime: "2024-01-02T03:04:06.000000Z" };
    const patched = await call(target, "PATCH", `${events}/strict`, { series }, MERGE);
    assert.deepEqual([patched.status, patched.body.series], [200, series]);
    for (const field of ["reason", "action", "type", "eventTime", "reportingController", "reportingInstance"]) {
      const body = { ...strict, [field]: undefined, metadata: { name: "lacking" } };
      assert.equal((await call(target, "POST", events, body)).status, 422, field);
    }
    for (const involvedObject of [{ ...configMap, namespace: "default" }, undefined]) {
      const body = { involvedObject, metadata: { name: "elsewhere" } };
      const { message } = (await call(target, "POST", `${path}/events`, body)).body;
      assert.match(message, /involvedObject.namespace: Invalid value.*does not match event.namespace/);
    }
    const query = "fieldSelector=involvedObject.name%3Da,reason%3DWritten";
    assert.deepEqual(await names(target, `${path}/events?${query}`), ["core", "strict"]);
  },

  async "a streamed list ends with its bookmark, or is refused with 422"(target, path) {
    await create(target, `${path}/configmaps`, "a", {}, { labels: { l: "1" } });
    await create(target, `${path}/configmaps`, "b");
    const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    if (!target.hasWatchList) {
      const { status, body } = await call(target, "GET", `${path}/configmaps?${query}`);
      return assert.deepEqual([status, body.reason], [422, "Invalid"]);
    }
    const watch = await WatchRequest.open(target, `${path}/configmaps?${query}&labelSelector=l`);
    assert.deepEqual(await watch.take(1), ["ADDED a"]);
    const { type, object } = (await watch.next())!;
    assert.equal(type, "BOOKMARK");
    assert.deepEqual(object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
    assert.equal(object.metadata.resourceVersion, await versionNow(target, `${path}/configmaps`));
    await create(target, `${path}/configmaps`, "c", {}, { labels: { l: "2" } });
    assert.deepEqual(await watch.take(1), ["ADDED c"]);
    await watch.close();

    for (
      const invalid of [
        "watch=1&sendInitialEvents=true",
        "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
        "watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1",
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1",
      ]
    ) {
      const { status, body } = await call(target, "GET", `${path}/configmaps?${invalid}`);
      assert.deepEqual([status, body.reason], [422, "Invalid"], invalid);
    }
  },

  async "a version and a continue token older than a compaction are answered 410"(target, path) {
    const created = await create(target, `${path}/configmaps`, "a");
    await create(target, `${path}/configmaps`, "b");
    const first = (await call(target, "GET", `${path}/configmaps?limit=1`)).body;
    await create(target, `${path}/configmaps`, "c");
    await target.compact();

    const list = await call(target, "GET", `${path}/configmaps?limit=1&continue=${first.metadata.continue}`);
    assert.deepEqual([list.status, list.body.reason], [410, "Expired"]);
    const rest = await call(target, "GET", `${path}/configmaps?continue=${list.body.metadata.continue}`);
    assert.deepEqual(rest.body.items.map((item: { metadata: Fields }) => item.metadata.name), ["b", "c"]);

    const old = created.metadata.resourceVersion;
    const exact = await call(target, "GET", `${path}/configmaps?resourceVersionMatch=Exact&resourceVersion=${old}`);
    assert.deepEqual([exact.status, exact.body.reason], [410, "Expired"]);

    const watch = await WatchRequest.open(target, `${path}/configmaps?watch=1&resourceVersion=${old}`);
    const [event, ...more] = await watch.rest();
    assert.deepEqual(more, []);
    assert.equal(event?.type, "ERROR");
    const { kind, status, reason, code, message } = event.object;
    assert.deepEqual({ kind, status, reason, code }, {
      kind: "Status",
      status: "Failure",
      reason: "Expired",
      code: 410,
    });
    assert.match(message, new RegExp(`^too old resource version: ${old} \\(\\d+\\)$`));
  },
};

async function isRefused(target: ApiTarget, path: string): Promise<void> {
  await create(target, `${path}/configmaps`, "old");
  await create(target, `${path}/configmaps`, "fixed", { immutable: true, data: { k: "v" } });
  await create(target, `${path}/secrets`, "old");
  for (const [method, below, body, code, reason, message, contentType] of REFUSED) {
    const answer = await call(target, method, `${path}/${below}`, body, contentType);
    const what = `${method} ${below} ${JSON.stringify(body)?.slice(0, 100)}: ${
      JSON.stringify(answer.body).slice(0, 500)
    }`;
    assert.deepEqual([answer.status, answer.body.code, answer.body.reason], [code, code, reason], what);
    assert.deepEqual([answer.body.kind, answer.body.apiVersion, answer.body.status], ["Status", "v1", "Failure"], what);
    assert.ok(answer.body.message.includes(message), what);
  }
}

const TARGETS = [
  { name: "embedded API server", start: startEmbedded, ignore: false },
  { name: "kube-apiserver", start: startReal, ignore: !controlPlaneAvailable() },
];

for (const { name, start, ignore } of TARGETS) {
  Deno.test({
    name: `${name} conforms`,
    ignore,
    async fn(t) {
      const target = await start();
      try {
        let count = 0;
        for (const [what, run] of Object.entries({ "requests that must be refused are": isRefused, ...CASES })) {
          const namespace = `case-${++count}`;
          await create(target, "/api/v1/namespaces", namespace);
          await t.step(what, () => run(target, `/api/v1/namespaces/${namespace}`));
        }
      } finally {
        await target.stop();
      }
    },
  });
}
