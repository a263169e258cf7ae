import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { plannedWorld } from "../support/planned_world.ts";

const WEB = { labels: { app: "web" } };

/** A folder with files of a run, which a test then changes something about. */
function place() {
  const world = plannedWorld();
  const env: Record<string, string> = { LABEL: "app", LABEL_VALUE: "web", FOLDER: `${world.path}/files` };
  return {
    ...world,
    env,
    at: (name: string) => `${env.FOLDER}/${name}`,
    run: () => world.run(env),
    /** Changes as `+ name: reason`, and problems as `! what; cure`. */
    async lines(): Promise<string[]> {
      const { collections } = await world.plan(env);
      const signs = { create: "+", change: "~", remove: "-", download: "?" };
      return collections.flatMap(({ changes, problems }) => [
        ...changes.map(({ action, path, reasons }) => `${signs[action]} ${path}: ${reasons.join("; ")}`),
        ...problems.map(({ kind, object, what, cure }) => `! ${kind} ${object}: ${what}; ${cure}`),
      ]).map((line) => line.replaceAll(`${env.FOLDER}/`, ""));
    },
  };
}

type Place = ReturnType<typeof place>;

for (
  const [what, change, expected] of [
    ["a new object", (it) => it.put("ConfigMap", "a", "new", { ...WEB, data: { new: "1" } }), ["+ new: new object"]],
    [
      "a new key",
      (it) => it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1", y: "2" } }),
      ["+ y: new key"],
    ],
    [
      "other content",
      (it) => it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "2" } }),
      ["~ x: content differs"],
    ],
    ["another mode", (it) => Deno.chmodSync(it.at("x"), 0o600), ["~ x: mode differs: 600, wanted: 644"]],
    ["a file that somebody removed", (it) => Deno.removeSync(it.at("x")), ["+ x: missing on the disk"]],
    [
      "a file that is not ours",
      (it) => {
        Deno.writeTextFileSync(it.at("new"), "theirs");
        it.put("ConfigMap", "a", "new", { ...WEB, data: { new: "1" } });
      },
      ["~ new: replaces a file that is not ours"],
    ],
    [
      "a symlink in its place",
      (it) => {
        Deno.removeSync(it.at("x"));
        Deno.symlinkSync("/nowhere", it.at("x"));
      },
      ["~ x: replaces what is there, which is not a file"],
    ],
    [
      "a removed key",
      (it) => it.put("ConfigMap", "a", "one", { ...WEB, data: { y: "1" } }),
      ["- x: key removed", "+ y: new key"],
    ],
    [
      "another folder",
      (it) =>
        it.put("ConfigMap", "a", "one", {
          ...WEB,
          annotations: { "k8s-sidecar-target-directory": "sub" },
          data: { x: "1" },
        }),
      ["+ sub/x: new key", "- x: moved to sub/x"],
    ],
    [
      "another name for the same key",
      (it) => void (it.env.UNIQUE_FILENAMES = "true"),
      [
        "+ namespace_a.configmap_one.x: new name of x",
        "- x: renamed to namespace_a.configmap_one.x",
      ],
    ],
    ["a deleted object", (it) => it.delete("ConfigMap", "a", "one"), ["- x: object deleted"]],
    [
      "a lost label",
      (it) => it.put("ConfigMap", "a", "one", { labels: { app: "api" }, data: { x: "1" } }),
      ['- x: no longer selected: label app is "api", wanted: "web"'],
    ],
    [
      "an excluded namespace",
      (it) => void (it.env.NAMESPACE_EXCLUDE = "kube-*,a"),
      ["- x: namespace a is excluded: NAMESPACE_EXCLUDE has a"],
    ],
    [
      "another namespace",
      (it) => void (it.env.NAMESPACE = "b,c"),
      ["- x: namespace a is not watched: NAMESPACE is b,c"],
    ],
    [
      "a namespace without the labels",
      (it) => void (it.env.NAMESPACE_SELECTOR = "team=x"),
      ["- x: its namespace is not selected (NAMESPACE_SELECTOR)"],
    ],
    [
      "another kind",
      (it) => void (it.env.RESOURCE = "secret"),
      ["- x: RESOURCE does not select configmaps, only secrets"],
    ],
    [
      "an older object with the same key",
      (it) =>
        it.put("Secret", "b", "older", {
          ...WEB,
          creationTimestamp: "2025-01-01T00:00:00Z",
          data: { x: "2" },
        }),
      [
        "~ x: was that of a/configmap/one; content differs",
        "! lost a/configmap/one: x is that of b/secret/older, which claims it, too; " +
        "rename a key, set UNIQUE_FILENAMES=true, or choose the winner by age with COLLISIONS",
      ],
    ],
    [
      "an older object that needs a folder in its place",
      (it) =>
        it.put("Secret", "b", "older", {
          ...WEB,
          annotations: { "k8s-sidecar-target-directory": "x" },
          creationTimestamp: "2025-01-01T00:00:00Z",
          data: { y: "2" },
        }),
      [
        "- x: lost to b/secret/older, which has x/y",
        "+ x/y: new object",
        "! lost a/configmap/one: x cannot be made: b/secret/older has x/y; " +
        "rename a key or change a target folder: a path cannot be a file and a folder",
      ],
    ],
    [
      "a folder that is not allowed",
      (it) =>
        it.put("ConfigMap", "a", "two", {
          ...WEB,
          annotations: { "k8s-sidecar-target-directory": "/etc" },
          data: { y: "1" },
        }),
      [
        '! refused a/configmap/two: annotation k8s-sidecar-target-directory="/etc" points outside FOLDER ' +
        "(set ALLOWED_FOLDERS to allow others); correct the annotation, or add its folder to ALLOWED_FOLDERS",
      ],
    ],
    [
      "a directory in the way",
      (it) => {
        Deno.mkdirSync(it.at("y/theirs"), { recursive: true });
        it.put("ConfigMap", "a", "two", { ...WEB, data: { y: "1" } });
      },
      [
        "! failed a/configmap/two: cannot write y: a directory is in the way; remove the directory, or rename the key",
      ],
    ],
  ] satisfies [string, (it: Place) => void, string[]][]
) {
  Deno.test(`makePlan() tells the reason: ${what}`, async () => {
    using it = place();
    it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
    await it.run();
    assert.deepEqual(await it.lines(), []);
    // NAMESPACE and RESOURCE change the record's name, so it stays where it is
    it.env.STATE_FILE = `${it.path}/record`;
    await it.run();
    change(it);
    assert.deepEqual((await it.lines()).map((line) => line.replace(it.env.FOLDER!, "FOLDER")), expected);
  });
}

Deno.test("makePlan() downloads nothing, and shows no credentials of a URL", async () => {
  using it = place();
  it.put("Secret", "a", "one", { ...WEB, data: { "x.url": "http://user:pass@127.0.0.1:9/x?token=1" } });
  it.put("ConfigMap", "a", "two", { ...WEB, data: { "y.url": "https://user:pass@example.com:8443/y?token=1" } });
  assert.deepEqual(await it.lines(), [
    "? y: would be downloaded from example.com:8443",
    "! refused a/secret/one: x is not downloaded: 127.0.0.1:9 is not allowed (URL_ALLOWED_HOSTS); " +
    "use another host, or add this one to URL_ALLOWED_HOSTS",
  ]);
  assert.deepEqual((await it.plan(it.env)).summary, { create: 0, change: 0, remove: 0, download: 1 });
});

Deno.test("makePlan() never contains a value of a Secret", async () => {
  using it = place();
  it.put("Secret", "a", "one", { ...WEB, data: { x: "hunter2", "y.gz": "hunter2" } });
  it.env.DECOMPRESS = "true";
  assert.doesNotMatch(JSON.stringify(await it.plan(it.env)), new RegExp(`hunter2|${btoa("hunter2")}`));
});

Deno.test("makePlan() removes the files of a collection that is gone", async () => {
  using it = plannedWorld();
  const CONFIG_FILE = `${it.path}/config.yaml`;
  const write = (...names: string[]) =>
    Deno.writeTextFileSync(
      CONFIG_FILE,
      JSON.stringify({
        version: 1,
        collections: names.map((name) => ({ name, label: "app", labelValue: name, folder: `${it.path}/${name}` })),
      }),
    );
  it.put("ConfigMap", "a", "one", { labels: { app: "web" }, data: { x: "1" } });
  it.put("ConfigMap", "a", "two", { labels: { app: "api" }, data: { y: "1" } });
  write("web", "api");
  await it.run({ CONFIG_FILE });
  write("web");
  const { collections: [, gone], summary } = await it.plan({ CONFIG_FILE });
  assert.deepEqual(gone, {
    name: "api",
    selects: "nothing: collection removed",
    folder: `${it.path}/api`,
    changes: [{
      action: "remove",
      path: `${it.path}/api/y`,
      object: "a/configmap/two",
      size: 1,
      reasons: ["collection removed"],
    }],
    unchanged: 0,
    problems: [],
  });
  assert.deepEqual(summary, { create: 0, change: 0, remove: 1, download: 0 });
});

Deno.test("makePlan() names a key that is unpacked now", async () => {
  using it = place();
  it.put("Secret", "a", "one", { ...WEB, data: { "x.gz": String.fromCharCode(...gzipSync("1")) } });
  await it.run();
  it.env.DECOMPRESS = "true";
  assert.deepEqual(await it.lines(), ["+ x: new name of x.gz", "- x.gz: renamed to x"]);
});

Deno.test("makePlan() warns of files that an earlier selection leaves", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1", y: "1" } });
  it.put("ConfigMap", "a", "two", { labels: { app: "api" }, data: { y: "1", z: "1" } });
  await it.run();
  assert.deepEqual((await it.plan(it.env)).warnings, []);
  it.env.LABEL_VALUE = "api";
  const { warnings: [warning, ...others], summary } = await it.plan(it.env);
  assert.match(warning!, /^1 file in \S+\/files stays: another selection wrote it, .*before LABEL or other settings/);
  assert.deepEqual([others, summary.remove], [[], 0]);
  await it.run();
  assert.deepEqual((await it.plan(it.env)).warnings, []);
});

Deno.test("makePlan() tells a path that another collection has once, where it is lost", async () => {
  using it = plannedWorld();
  const CONFIG_FILE = `${it.path}/config.yaml`;
  const collections = ["old", "young"].map((name) => (
    { name, label: "app", labelValue: name, folder: `${it.path}/files`, sharedFolder: true }
  ));
  Deno.writeTextFileSync(CONFIG_FILE, JSON.stringify({ version: 1, collections }));
  it.put("ConfigMap", "a", "one", { labels: { app: "old" }, data: { x: "1" } });
  const creationTimestamp = "2026-02-02T00:00:00Z";
  it.put("ConfigMap", "a", "two", { labels: { app: "young" }, data: { x: "2" }, creationTimestamp });
  const plan = await it.plan({ CONFIG_FILE });
  assert.deepEqual(
    plan.collections.map(({ changes, problems }) => [
      changes.map(({ action, object }) => `${action} ${object}`),
      problems.map(({ kind, object }) => `${kind} ${object}`),
    ]),
    [[["create a/configmap/one"], []], [[], ["lost a/configmap/two"]]],
  );
});
