/** `explain` without a sidecar: what the cluster and the disk tell. */
import assert from "node:assert/strict";
import { explainObject } from "../../lib/plan/explain_object.ts";
import { explainOverview } from "../../lib/plan/explain_overview.ts";
import { explainPath } from "../../lib/plan/explain_path.ts";
import type { Explanation } from "../../lib/plan/explanation.ts";
import { openPicture } from "../../lib/plan/picture.ts";
import { resolvePath } from "../../lib/files/paths.ts";
import type { Status } from "../../lib/serve/status.ts";
import { plannedWorld, treeOf } from "../support/planned_world.ts";

const WEB = { labels: { app: "web" } };
const SIGNAL = new AbortController().signal;

function place() {
  const world = plannedWorld();
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
  const picture = async (status?: Status) => await openPicture(await world.options(env), status, SIGNAL);
  return {
    ...world,
    root: world.path,
    env,
    run: () => world.run(env),
    picture,
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
    "a/configmap/one is selected, but 3 of its 3 files are not in place",
    "differs: x, a/configmap/one, what is there differs from the object; no sidecar runs",
    "missing: y, a/configmap/one, a start would write it; no sidecar runs",
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
  assert.deepEqual(await it.object("empty"), ["a/configmap/empty is selected, but has no keys that become files"]);
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
  assert.match((await it.path("../elsewhere"))[0]!, /is not there, .* and it is in no folder of the sidecar's/);
  assert.match((await it.path("..k8s-sidecar-1/state/record"))[0]!, /is the sidecar's own/);
});

Deno.test("explainOverview() lists what is not as it should be", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  assert.deepEqual(await it.overview(), ["nothing is wrong", "missing: x, a/configmap/one"]);
  await it.run();
  assert.deepEqual(await it.overview(), ["nothing is wrong"]);
});

Deno.test("explain takes the problems of a running sidecar first", async () => {
  using it = place();
  it.put("ConfigMap", "a", "one", { ...WEB, data: { x: "1" } });
  const status: Status = {
    ...{ version: 1, instance: "1", build: { version: "", revision: "", deno: "" }, hostname: "" },
    ...{ now: "2026-01-01T00:00:00Z", startedAt: "2026-01-01T00:00:00Z", method: "WATCH", origin: "" },
    ...{ collections: [], sources: [], files: [], notifications: [] },
    problems: [
      { severity: "error", object: "a/configmap/one", what: "the volume is full", cure: "Make room" },
      { severity: "error", what: "the API server is away", cure: "Check it" },
      { severity: "warning", what: "a misspelt setting", cure: "Correct it" },
    ],
  };
  assert.deepEqual(await it.object("one", "ConfigMap", status), [
    "a/configmap/one is selected, but its file is not in place",
    "missing: x, a/configmap/one, the sidecar has not written it yet",
    "error: the volume is full (Make room)",
    "error: the API server is away (Check it)",
  ]);
  assert.equal((await it.overview(status)).length, 5);
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
  assert.deepEqual(await explain(path), ["x is not there, is in no record, and the cluster could not be read", false]);
  Deno.writeTextFileSync(path, "theirs");
  assert.deepEqual(await explain(path), ["x is in no record, and the cluster could not be read", false]);
  assert.equal((await explain("/etc/passwd"))[1], true);
});
