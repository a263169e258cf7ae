/** `explain` without a sidecar: what the cluster and the disk tell. */
import assert from "node:assert/strict";
import { explainObject } from "../../lib/plan/explain_object.ts";
import { explainOverview } from "../../lib/plan/explain_overview.ts";
import { explainPath } from "../../lib/plan/explain_path.ts";
import { explainByStatus } from "../../lib/plan/explain_by_status.ts";
import type { Explanation } from "../../lib/plan/explanation.ts";
import { openPicture } from "../../lib/plan/picture.ts";
import { resolvePath } from "../../lib/files/paths.ts";
import { ApiError } from "../../lib/kube/client/errors.ts";
import type { WatchTarget } from "../../lib/objects/source.ts";
import type { ObjectApi } from "../../lib/kube/client/object_api.ts";
import type { FileStatus, Status } from "../../lib/serve/status.ts";
import { plannedWorld, treeOf } from "../support/planned_world.ts";

const WEB = { labels: { app: "web" } };
const SIGNAL = new AbortController().signal;

function statusWith(rest: Partial<Status>): Status {
  return {
    ...{ version: 1, instance: "1", build: { version: "", revision: "", deno: "" }, hostname: "" },
    ...{ now: "2026-01-01T00:00:00Z", startedAt: "2026-01-01T00:00:00Z", method: "WATCH", origin: "" },
    ...{ collections: [], sources: [], files: [], notifications: [], problems: [], ...rest },
  };
}

/** The file as the sidecar has written it. */
function writtenAt(path: string, object: string): FileStatus {
  const { size, mtime } = Deno.statSync(path);
  const writtenAt = mtime!.toISOString().replace(/\.\d+/, "");
  return { path, collection: "default", object, size, mode: "644", writtenAt };
}

/** Lists that RBAC forbids. */
function guardedBy(client: ObjectApi, mayList: (target: WatchTarget) => boolean): ObjectApi {
  return {
    ...client,
    async *list(target, query, signal) {
      if (!mayList(target)) throw new ApiError("GET /api", 403, { message: "forbidden: cannot list" });
      return yield* client.list(target, query, signal);
    },
  };
}

function place() {
  const world = plannedWorld();
  let mayList: Parameters<typeof guardedBy>[1] = () => true;
  const guarded = (client: ObjectApi) => guardedBy(client, (target) => mayList(target));
  const env: Record<string, string> = { LABEL: "app", LABEL_VALUE: "web", FOLDER: `${world.path}/files` };
  const relative = (text: string) => text.replaceAll(`${env.FOLDER}/`, "");
  const lines = ({ summary, collections, problems }: Omit<Explanation, "version" | "sidecar">) =>
    [
      summary,
      ...collections.flatMap(({ reasons, files }) => [
        ...reasons.map(({ what, cure }) => `not selected: ${what} (${cure})`),
        ...files.map(({ state, path, object, detail, others }) =>
          `${state}: ${[path, object, detail, ...others ?? []].filter(Boolean).join(", ")}`
        ),
      ]),
      ...problems.map(({ severity, what, cure }) => `${severity}: ${what} (${cure})`),
    ].map(relative);
  const picture = async (status?: Status) => {
    const options = await world.options(env);
    return await openPicture({ ...options, client: guarded(options.client) }, status, SIGNAL);
  };
  return {
    ...world,
    root: world.path,
    env,
    run: () => world.run(env),
    picture,
    /** The account may list no more. */
    allow: (rule: typeof mayList) => void (mayList = rule),
    at: (name: string) => `${env.FOLDER}/${name}`,
    async object(name: string, kind: "ConfigMap" | "Secret" = "ConfigMap", status?: Status): Promise<string[]> {
      return lines(await explainObject({ kind, namespace: "a", name }, await picture(status), SIGNAL));
    },
    async path(name: string, status?: Status): Promise<string[]> {
      return lines(await explainPath(resolvePath(env.FOLDER!, name), await picture(status), SIGNAL));
    },
    overview: async (status?: Status) => lines(explainOverview(await picture(status))),
  };
}

Deno.test("explainObject() tells how each key is", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1", y: "1" } });
  await it.run();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1", y: "1", "z.url": "https://example.com/z?token=1" } });
  Deno.writeTextFileSync(`${it.env.FOLDER}/x`, "2");
  Deno.removeSync(`${it.env.FOLDER}/y`);
  const before = treeOf(it.root);
  assert.deepEqual(await it.object("one"), [
    "a/configmap/one is selected, but none of its 3 files is in place",
    "differs: x, a/configmap/one, what is there differs from the object; a start with these settings would write it",
    "missing: y, a/configmap/one, something removed it; a start with these settings would write it again",
    "to be downloaded: z, a/configmap/one, not downloaded from example.com yet",
  ]);
  assert.deepEqual(treeOf(it.root), before);
});

Deno.test("explainObject() names keys that are refused, and an object without keys", async () => {
  using it = place();
  it.put("ConfigMap", "a", "refused", { ...WEB, data: { "..": "1", ok: "1" } });
  it.put("ConfigMap", "a", "empty", WEB);
  await it.run();
  assert.deepEqual(await it.object("refused"), [
    "a/configmap/refused is selected, and its file is in place",
    "in place: ok, a/configmap/refused",
    'error: key ".." cannot be a file name (rename the key)',
  ]);
  assert.deepEqual(await it.object("empty"), [
    "a/configmap/empty is selected, but has no keys that become files",
    "warning: its data is empty (Add a key to its data: the key is the name of the file, and the value its content)",
  ]);
});

Deno.test("explainPath() names the owner, and the objects that lost it", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  it.put("ConfigMap", "a", "two", { ...WEB, creationTimestamp: "2026-02-01T00:00:00Z", data: { x: "2" } });
  await it.run();
  assert.deepEqual(await it.path("x"), [
    "x is that of a/configmap/one",
    "in place: x, a/configmap/one, a/configmap/two",
    "lost: x, a/configmap/two, a/configmap/one has the path: it is older, a/configmap/one",
  ]);
});

Deno.test("explainPath() tells why a file of ours goes", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  await it.run();
  it.delete("ConfigMap", "a", "one");
  assert.deepEqual(await it.path("x"), [
    "x was that of a/configmap/one, and will be removed: object deleted",
    "to be removed: x, a/configmap/one, object deleted",
  ]);
});

Deno.test("explainPath() finds the object that would have the path", async () => {
  using it = place();
  it.put("Secret", "a", "one", { labels: { app: "api" }, data: { x: "1" } });
  assert.deepEqual(await it.path("x"), [
    "x is not there, and no object claims it; it would be that of an object that is not selected",
    'not selected: label app is "api", wanted: "web" (set the label app to "web")',
    "missing: x, a/secret/one",
  ]);
});

Deno.test("explainPath() says what is not ours, and what is the sidecar's own", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { "sub": "1" } });
  await it.run();
  Deno.writeTextFileSync(`${it.env.FOLDER}/theirs`, "");
  assert.deepEqual(await it.path("theirs"), ["theirs is not ours: no object claims it, and it is in no record"]);
  assert.match(
    (await it.path("../elsewhere"))[0]!,
    /is not there, .* and it is outside of \S+\/files, where the sidecar writes$/,
  );
  assert.match((await it.path("..k8s-sidecar-1/state/record"))[0]!, /is the sidecar's own/);
});

Deno.test("explainOverview() lists what is not as it should be", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  assert.deepEqual(await it.overview(), [
    "1 file is not up to date",
    "missing: x, a/configmap/one, a start with these settings would write it",
  ]);
  await it.run();
  assert.deepEqual(await it.overview(), ["nothing is wrong with the objects and the files"]);
});

Deno.test("explain takes the problems of a running sidecar first", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  const status = statusWith({
    problems: [
      { severity: "error", object: "a/configmap/one", what: "the volume is full", cure: "Make room" },
      { severity: "error", what: "the API server is away", cure: "Check it" },
      { severity: "warning", what: "a misspelt setting", cure: "Correct it" },
    ],
  });
  assert.deepEqual(await it.object("one", "ConfigMap", status), [
    "a/configmap/one is selected, but its file is not in place",
    "missing: x, a/configmap/one, the sidecar has not written it yet",
    "error: the volume is full (Make room)",
    "error: the API server is away (Check it)",
  ]);
  assert.equal((await it.overview(status)).length, 5);
});

Deno.test("explain tells files that something else removed or changed, and when they come back", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1", y: "1" } });
  it.put("ConfigMap", "a", "two", { ...WEB, data: { z: "1" } });
  await it.run();
  const files = [writtenAt(it.at("x"), "a/configmap/one"), writtenAt(it.at("y"), "a/configmap/one")];
  const status = statusWith({ files: [...files, writtenAt(it.at("z"), "a/configmap/two")] });
  assert.deepEqual(await it.overview(status), ["nothing is wrong"]);
  Deno.removeSync(it.env.FOLDER!, { recursive: true });
  const [summary, ...lines] = await it.overview(status);
  assert.equal(summary, "1 problem");
  assert.equal(
    lines.at(-1),
    "warning: something other than the sidecar removed x and 2 more (The sidecar writes them again within " +
      "CHECK_PERIOD (60 s). Find out what else has access to the folder)",
  );
  it.env.CHECK_PERIOD = "0";
  assert.deepEqual((await it.object("two", "ConfigMap", status)).slice(1), [
    "missing: z, a/configmap/two, something removed it; the sidecar writes it again within RESYNC_PERIOD (10 min)",
  ]);
});

Deno.test("explain tells a change of an object from one of its file", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  await it.run();
  const status = statusWith({ files: [writtenAt(it.at("x"), "a/configmap/one")] });
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "2" } });
  assert.deepEqual(await it.overview(status), [
    "1 file is not up to date",
    "differs: x, a/configmap/one, the object has changed, and the sidecar has not written it yet",
  ]);
  Deno.writeTextFileSync(it.at("x"), "theirs");
  assert.match((await it.overview(status)).at(-1)!, /^warning: something other than the sidecar changed x \(/);
});

Deno.test("explainOverview() counts a file once, with its problem", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", {
    ...WEB,
    data: { "x.url": "https://example.com/x", "y.url": "https://example.com/y" },
  });
  const problem = { severity: "error", object: "a/configmap/one", what: "the download failed", cure: "Check" } as const;
  const status = statusWith({ problems: [{ ...problem, path: it.at("x") }] });
  const { summary, collections } = explainOverview(await it.picture(status));
  assert.equal(summary, "1 problem, and 1 more file is not up to date");
  assert.deepEqual(collections[0]!.files.map(({ hasProblem }) => hasProblem), [true, undefined]);
});

Deno.test("explain tells a missing right from a refused object", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  it.allow(({ kind, namespace }) => kind === "ConfigMap" && namespace !== undefined);
  const lines = await it.object("one");
  assert.deepEqual(lines.slice(0, 2), [
    "a/configmap/one matches the settings, but cannot be listed: see the errors",
    "missing: x, a/configmap/one, the sidecar does not get its object, see the errors",
  ]);
  assert.match(
    lines[2]!,
    /^error: not allowed to list configmaps in all namespaces \(.*print-rbac.*NAMESPACE or RESOURCE/,
  );
  assert.match(lines[2]!, /In its own namespace it may: NAMESPACE=default asks for no more/);
  assert.match(lines[3]!, /^error: not allowed to list secrets in all namespaces \(.*RESOURCE\)$/);
  assert.equal((await it.path("x"))[0], "x is not there, and no object that could be listed claims it");
  Deno.mkdirSync(it.env.FOLDER!);
  Deno.writeTextFileSync(it.at("x"), "");
  assert.equal(
    (await it.object("one"))[1],
    "in place: x, a/configmap/one, it stays as it is while its object cannot be listed",
  );
});

Deno.test("explain names the right that NAMESPACE_SELECTOR needs", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  it.env.NAMESPACE_SELECTOR = "team=x";
  it.allow(({ kind }) => kind !== "Namespace");
  const [summary, reason, ...more] = await it.object("one");
  assert.deepEqual(more, []);
  assert.equal(summary, "a/configmap/one is not selected");
  assert.match(reason!, /^not selected: NAMESPACE_SELECTOR cannot be applied: not allowed to list namespaces \(/);
  assert.match(reason!, /list and watch on namespaces by a ClusterRole.*NAMESPACE in place of NAMESPACE_SELECTOR\)$/);
});

Deno.test("explainPath() finds a refused object by both of its paths", async () => {
  using it = place();
  const annotations = { "k8s-sidecar-target-directory": "/etc/theirs" };
  it.put("ConfigMap", "a", "one", { ...WEB, annotations, data: { x: "1" } });
  it.put("ConfigMap", "a", "other", { data: { x: "1" } });
  for (const name of ["x", "/etc/theirs/x"]) {
    const [summary, ...lines] = await it.path(name);
    assert.equal(summary, `${name} is not there: a/configmap/one would have it, but is refused`);
    assert.match(lines[0]!, /^broken: .*, refused: annotation .*"\/etc\/theirs" points outside/);
  }
  assert.match((await it.path("/etc/theirs/y"))[0]!, /no object claims it, and it is outside of/);
});

Deno.test("explainPath() finds an object of a namespace that is not selected", async () => {
  using it = place();
  it.put("ConfigMap", "b", "one", { ...WEB, data: { x: "1" } });
  it.put("ConfigMap", "c", "one", { data: { x: "1" } });
  it.env.NAMESPACE = "a";
  assert.deepEqual(await it.path("x"), [
    "x is not there, and no object claims it; it would be that of an object that is not selected",
    "not selected: namespace b is not watched: NAMESPACE is a (add b to NAMESPACE, or set NAMESPACE=ALL)",
    "missing: x, b/configmap/one",
  ]);
});

Deno.test("explainPath() names the object that lost the path to a folder, once", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { f: "1" } });
  const annotations = { "k8s-sidecar-target-directory": "f" };
  it.put("ConfigMap", "a", "two", {
    ...WEB,
    annotations,
    creationTimestamp: "2026-02-01T00:00:00Z",
    data: { g: "1" },
  });
  await it.run();
  const problem = { severity: "warning", object: "a/configmap/two", path: it.at("f/g"), what: "", cure: "" } as const;
  const lines = await it.path("f/g", statusWith({ problems: [problem] }));
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.equal(lines[0], "f/g is not there: a/configmap/two asks for it, and has lost it");
  assert.match(lines[1]!, /^lost: f\/g, a\/configmap\/two, a\/configmap\/one, which is older, has f/);
});

Deno.test("explainByStatus() has what the running sidecar knows", () => {
  const file = { path: "/f/x", collection: "web", object: "a/configmap/one", size: 1, mode: "644", writtenAt: "" };
  const problem = { severity: "error", path: "/config.yaml", what: "the new version is not used", cure: "" } as const;
  const configFile = { path: "/config.yaml", loadedAt: "", fault: "" };
  const status = statusWith({ files: [file], problems: [problem], configFile });
  const summaries = [undefined, { name: "one" }, { path: "/f/x" }, { path: "/f/y" }, { name: "two", namespace: "a" }]
    .map((subject) => {
      const { summary, problems } = explainByStatus(subject, status);
      assert.deepEqual(problems, subject === undefined ? [problem] : []);
      return summary;
    });
  assert.deepEqual(summaries, [
    "1 problem",
    "one has files, see below",
    "/f/x is that of a/configmap/one",
    "/f/y is no file of the sidecar's",
    "the sidecar has no file of a/two",
  ]);
});

Deno.test("explainPath() does not say whose a file is not while the cluster cannot be read", async () => {
  using it = place();
  await it.run();
  const failures = [{ severity: "error", what: "cannot connect", cure: "" }] as const;
  const explain = async (path: string) => {
    const { summary, isAnswered } = await explainPath(path, { ...await it.picture(), failures: [...failures] }, SIGNAL);
    return [summary.replace(path, "x"), isAnswered];
  };
  const path = `${it.env.FOLDER}/x`;
  assert.deepEqual(await explain(path), ["x is not there, and no object that could be listed claims it", false]);
  Deno.writeTextFileSync(path, "theirs");
  assert.deepEqual(await explain(path), [
    "x is not ours: no object that could be listed claims it, and it is in no record",
    false,
  ]);
  assert.equal((await explain("/etc/passwd"))[1], true);
});

Deno.test("explainObject() needs no right to say that a namespace is not watched", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  it.env.DEFAULTS = "kiwigrid";
  it.allow(({ namespace }) => namespace === "default");
  assert.deepEqual(await it.object("one"), [
    "a/configmap/one is not selected",
    "not selected: namespace a is not watched: NAMESPACE is default (add a to NAMESPACE, or set NAMESPACE=ALL)",
  ]);
  it.env.NAMESPACE = "a";
  assert.equal((await it.object("one"))[0], "a/configmap/one cannot be looked up");
});

Deno.test("explainPath() says which namespaces are watched where it cannot look into others", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  it.env.DEFAULTS = "kiwigrid";
  it.allow(({ namespace }) => namespace === "default");
  assert.deepEqual(await it.path("x"), [
    "x is not there, and no object claims it; only namespace default is watched (NAMESPACE), and objects of others " +
    "could not be looked up",
  ]);
  it.allow(() => true);
  assert.match((await it.path("x"))[1]!, /^not selected: namespace a is not watched: NAMESPACE is default /);
  assert.equal((await it.path("y"))[0], "y is not there, and no object claims it");
});

Deno.test("explainObject() names the collection first whose label was nearly met", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { labels: { grafana_dashboards: "1" }, data: { x: "1" } });
  const names = ["datasource", "notifier", "dashboard", "plugin"];
  const collections = names.map((name) => ({ name, label: `grafana_${name}`, folder: `${it.root}/${name}` }));
  const CONFIG_FILE = `${it.root}/config.yaml`;
  Deno.writeTextFileSync(CONFIG_FILE, JSON.stringify({ version: 1, collections }));
  const picture = await openPicture(await it.options({ CONFIG_FILE }), undefined, SIGNAL);
  const about = { kind: "ConfigMap", namespace: "a", name: "one" } as const;
  const [first, ...others] = (await explainObject(about, picture, SIGNAL)).collections;
  assert.equal(first!.name, "dashboard");
  assert.match(first!.reasons[0]!.what, /; it has the label grafana_dashboards: did you mean that\?$/);
  assert.deepEqual(others.map(({ name }) => name), ["datasource", "notifier", "plugin"]);
});

Deno.test("explain does not advise a RESOURCE that selects nothing, or without the files", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  await it.run();
  it.allow(() => false);
  const cures = async () => (await it.overview()).filter((line) => line.startsWith("error: not allowed"));
  const [configMaps, secrets] = await cures();
  assert.match(configMaps!, /list configmaps .* ask for less with NAMESPACE\)$/);
  assert.match(secrets!, /list secrets .* ask for less with NAMESPACE or RESOURCE\)$/);
  it.env.RESOURCE = "secret";
  assert.match((await cures())[0]!, /list secrets .* ask for less with NAMESPACE\)$/);
});
