import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { freePort } from "../support/free_port.ts";
import { outcome } from "../support/outcome.ts";
import { eventually } from "../support/oracle.ts";
import { canMountSmallDisk, withSmallDisk } from "../support/small_disk.ts";
import { treeOf } from "../support/planned_world.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";
import { workplace } from "../support/workplace.ts";

type Place = ReturnType<typeof workplace>;

async function explain(here: Place, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await outcome(
    { LABEL: "app", FOLDER: here.files, HEALTH_PORT: String(freePort()), ...env },
    { args: ["explain", "--manifests", here.manifests, ...args] },
  );
  const relative = (lines: string[]) => lines.map((line) => line.replaceAll(here.path, "PLACE"));
  return { code, stdout: relative(stdout), stderr: relative(stderr) };
}

Deno.test("explain answers from the manifests and the disk, and writes nothing", async () => {
  using here = workplace();
  const before = treeOf(here.path);
  const { code, stdout } = await explain(here, ["default/cm/one"]);
  assert.equal(code, EXIT.done);
  assert.equal(stdout[0], "default/configmap/one is selected, but its file is not in place");
  assert.match(stdout[1]!, /^ {2}from the cluster and the disk alone: no answer from/);
  assert.deepEqual(stdout.slice(-2), [
    "  missing: PLACE/files/one.txt",
    "    a start with these settings would write it",
  ]);
  assert.deepEqual(treeOf(here.path), before);
});

Deno.test("explain asks the running sidecar", async () => {
  using here = workplace();
  await using sidecar = SidecarProcess.start({ LABEL: "app", FOLDER: here.files }, {
    args: ["--manifests", here.manifests],
  });
  await sidecar.ready();
  const env = { HEALTH_PORT: String(sidecar.healthPort) };
  assert.match(
    (await explain(here, ["default/cm/one"], env)).stdout.join("\n"),
    /is in place\n {2}in place: PLACE.*5 B/,
  );
  const { stdout } = await explain(here, ["-o", "json", `${here.files}/one.txt`], env);
  const { version, about, summary, isAnswered, sidecar: asked, collections, problems } = JSON.parse(stdout.join("\n"));
  assert.deepEqual([version, about, isAnswered, asked], [1, "PLACE/files/one.txt", true, { isRunning: true }]);
  assert.equal(summary, "PLACE/files/one.txt is that of default/configmap/one");
  assert.equal(collections[0].files[0].object, "default/configmap/one");
  assert.deepEqual(problems, []);
  assert.deepEqual((await explain(here, [], env)).stdout, ["nothing is wrong"]);
});

Deno.test("explain finds an object by its name, or says which names there are", async () => {
  using here = workplace();
  const add = (name: string, namespace: string, kind = "ConfigMap") =>
    Deno.writeTextFileSync(
      `${here.manifests}/${kind}-${namespace}-${name}.json`,
      JSON.stringify({ apiVersion: "v1", kind, metadata: { name, namespace, labels: { app: "x" } }, data: {} }),
    );
  assert.equal(
    (await explain(here, ["one"])).stdout[0],
    "default/configmap/one is selected, but its file is not in place",
  );
  assert.match((await explain(here, ["default/one"])).stdout[0]!, /^default\/configmap\/one is selected/);
  add("one", "b");
  add("two", "b", "Secret");
  assert.match((await explain(here, ["two"])).stdout[0]!, /^b\/secret\/two is selected/);
  const several = await explain(here, ["one"]);
  assert.equal(several.code, EXIT.configuration);
  assert.match(several.stderr.join(" "), /^error: several objects are named "one": .*default\/configmap\/one/);
  const selected = await explain(here, ["one"], { NAMESPACE: "b" });
  assert.equal(selected.stdout[0], "b/configmap/one is selected, but has no keys that become files");
  assert.equal(selected.stdout[1], "  did you mean default/configmap/one?");
  assert.match((await explain(here, ["b/one"])).stdout[0]!, /^b\/configmap\/one is selected/);
  const misspelt = await explain(here, ["onee"]);
  assert.equal(misspelt.code, EXIT.configuration);
  assert.match(
    misspelt.stderr.join(" "),
    /^error: no ConfigMap or Secret named "onee" was found: did you mean \S+\/one\?/,
  );
});

Deno.test("explain ends with 2 for what is neither an object nor a path", async () => {
  using here = workplace();
  const { code, stderr } = await explain(here, ["a/pod/one"]);
  assert.equal(code, EXIT.configuration);
  assert.match(stderr.join(" "), /^error: "a\/pod\/one": expected NAMESPACE\/KIND\/NAME, KIND\/NAME or NAME,/);
  const nothing = await explain(here, ["zzzz"]);
  assert.equal(nothing.code, EXIT.configuration);
  assert.match(nothing.stderr.join(" "), /named "zzzz" was found: expected NAMESPACE\/KIND\/NAME/);
  assert.equal((await explain(here, ["a/cm/b"], { FOLDER: "" })).code, EXIT.configuration);
});

/** A collection for each name, with the label `app`. */
function writeConfig(here: Place, ...collections: { name: string; label: string }[]): string {
  const path = `${here.path}/config.yaml`;
  const all = collections.map((one) => ({ ...one, folder: `${here.files}/${one.name}` }));
  Deno.writeTextFileSync(path, JSON.stringify({ version: 1, collections: all }));
  return path;
}

Deno.test("explain names the collection that selects an object first, and others without a cure", async () => {
  using here = workplace();
  const CONFIG_FILE = writeConfig(here, { name: "sources", label: "other" }, { name: "web", label: "app" });
  const { stdout } = await explain(here, ["default/cm/one"], { CONFIG_FILE, LABEL: "", FOLDER: "" });
  assert.deepEqual(stdout.filter((line) => !/alone:|Is the sidecar/.test(line)), [
    "default/configmap/one is selected, but its file is not in place",
    "  collection web",
    "  missing: PLACE/files/web/one.txt",
    "    a start with these settings would write it",
    "  not selected by sources",
  ]);
});

Deno.test("explain and plan say that the sidecar goes on if CONFIG_FILE has faults now", async () => {
  using here = workplace();
  const CONFIG_FILE = writeConfig(here, { name: "web", label: "app" });
  const settings = { CONFIG_FILE };
  await using sidecar = SidecarProcess.start(settings, { args: ["--manifests", here.manifests] });
  await sidecar.ready();
  Deno.writeTextFileSync(CONFIG_FILE, "version: 1\ncollections: [{ name: web, labell: app }]\n");
  const env = { ...settings, LABEL: "", FOLDER: "", HEALTH_PORT: String(sidecar.healthPort) };
  const { code, stdout, stderr } = await explain(here, ["cm/one"], env);
  assert.equal(code, EXIT.configuration);
  assert.match(stderr.join(" "), /^configuration error: .*labell/);
  assert.match(stderr.at(-1)!, /^The running sidecar goes on with the version of CONFIG_FILE before, and says:$/);
  assert.equal(stdout[0], "configmap/one has files, see below");
  assert.match(stdout[1]!, /in place: PLACE\/files\/web\/one\.txt/);
  assert.match((await explain(here, [], env)).stdout[0]!, /^(1 problem|nothing is wrong)$/);
  const json = JSON.parse((await explain(here, ["-o", "json", "default/cm/one"], env)).stdout.join("\n"));
  assert.deepEqual([json.version, json.about, json.sidecar], [1, "default/configmap/one", { isRunning: true }]);
  const plan = await outcome(env, { args: ["plan", "--manifests", here.manifests] });
  assert.equal(plan.code, EXIT.configuration);
  assert.match(plan.stderr.join(" "), /The running sidecar goes on .*`k8s-sidecar status` says what it does/);
  // Nobody answers
  assert.doesNotMatch((await explain(here, [], { ...env, HEALTH_PORT: String(freePort()) })).stderr.join(), /goes on/);
});

Deno.test("explain tells that the sidecar has other settings, and that nobody listens", async () => {
  using here = workplace();
  await using sidecar = SidecarProcess.start({ LABEL: "app", FOLDER: here.files }, {
    args: ["--manifests", here.manifests],
  });
  await sidecar.ready();
  const HEALTH_PORT = String(sidecar.healthPort);
  const other = await explain(here, ["cm/one"], { HEALTH_PORT, NAMESPACE_EXCLUDE: "default" });
  assert.match(
    other.stdout.join(" "),
    /alone: the sidecar at port \d+ has other settings\. Two sidecars .*HEALTH_PORT/,
  );
  assert.match((await explain(here, ["cm/one"])).stdout.join(" "), /no answer from \S+: connection +refused\. Is the/);
});

Deno.test("explain names the full disk for each object that it affects", {
  ignore: !(await canMountSmallDisk()),
}, async () => {
  using here = workplace();
  Deno.mkdirSync(here.files);
  for (const name of ["large", "larger"]) {
    const metadata = { name, namespace: "a", labels: { app: "x" } };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { [name]: "x".repeat(200_000) } };
    Deno.writeTextFileSync(`${here.manifests}/${name}.json`, JSON.stringify(object));
  }
  await using sidecar = SidecarProcess.start({ LABEL: "app", FOLDER: here.files }, {
    args: ["--manifests", here.manifests],
    through: withSmallDisk(here.files),
  });
  const env = { HEALTH_PORT: String(sidecar.healthPort) };
  await eventually(async () => {
    for (const name of ["large", "larger"]) {
      for (const about of [`a/cm/${name}`, `${here.files}/${name}`]) {
        const { stdout } = await explain(here, [about], env);
        const text = stdout.join(" ").replace(/\s+/g, " ");
        assert.match(text, new RegExp(`error: (a/configmap/${name}: )?cannot write PLACE/files/${name}: No space`));
        assert.match(text, /cure: Make room on the volume/);
        assert.doesNotMatch(text, /more object/);
      }
    }
  });
  const json = JSON.parse((await explain(here, ["-o", "json"], env)).stdout.join("\n"));
  assert.equal(json.problems[0].objects.length, 2);
  assert.match(json.problems[0].what, / \(and 1 more object\)$/);
});

Deno.test("explain says that the outcome of a notification is unknown where the sidecar cannot be asked", async () => {
  using here = workplace();
  const settings = { REQ_URL: "http://127.0.0.1:1/reload" };
  const unknown = async (args: string[], env: Record<string, string>) =>
    (await explain(here, args, env)).stdout.join(" ").replace(/\s+/g, " ").match(/unknown: .*?succeeded/)?.[0];
  const without = [{ LIVENESS: "false" }, { STATUS_PAGE: "none" }, {}] satisfies Record<string, string>[];
  for (const env of without) {
    assert.equal(await unknown([], { ...settings, ...env }), "unknown: whether the webhook succeeded");
  }
  const both = { ...settings, SCRIPT: "/bin/true" };
  assert.equal(await unknown(["cm/one"], both), "unknown: whether the script and the webhook succeeded");
  assert.equal(await unknown([`${here.files}/one.txt`], settings), "unknown: whether the webhook succeeded");
  // No file, or no notification
  assert.equal(await unknown(["cm/one"], { ...settings, LABEL_VALUE: "y" }), undefined);
  assert.equal(await unknown(["cm/one"], {}), undefined);
  const { unknown: text } = JSON.parse((await explain(here, ["-o", "json"], settings)).stdout.join("\n"));
  assert.match(text, /^whether the webhook succeeded: see the sidecar's log/);
});

Deno.test("explain and status tell when METHOD=SLEEP lists again", async () => {
  using here = workplace();
  const settings = { LABEL: "app", FOLDER: here.files, METHOD: "SLEEP", SLEEP_TIME: "3600" };
  await using sidecar = SidecarProcess.start(settings, { args: ["--manifests", here.manifests] });
  await sidecar.ready();
  const env = { ...settings, HEALTH_PORT: String(sidecar.healthPort) };
  const again =
    /METHOD=SLEEP lists again at \S+Z \(SLEEP_TIME is 60 min\) cure: wait, lower SLEEP_TIME, or set METHOD=WATCH/;
  const object = (data: Record<string, string>, name = "one") => {
    const metadata = { name, namespace: "default", labels: { app: "x" } };
    const text = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
    Deno.writeTextFileSync(`${here.manifests}/${name}.json`, text);
  };
  object({ "one.txt": "second" });
  object({ "new.txt": "new" }, "new");
  const text = async (...about: string[]) => (await explain(here, about, env)).stdout.join(" ").replace(/\s+/g, " ");
  assert.match(await text("cm/one"), /the object has changed, and the sidecar has not written it yet: METHOD/);
  for (const about of [["cm/one"], ["cm/new"], [`${here.files}/new.txt`], []]) {
    assert.match(await text(...about), again);
  }
  const { stdout } = await outcome(env, { args: ["status"] });
  assert.match(stdout.join("\n"), /: waiting, last contact .*,\s+next list in (60|59) min/);
});

Deno.test("explain prints the faults of CONFIG_FILE once, within 100 columns", async () => {
  using here = workplace();
  const CONFIG_FILE = writeConfig(here, { name: "web", label: "app" });
  await using sidecar = SidecarProcess.start({ CONFIG_FILE, CONFIG_RELOAD_SECONDS: "0.1" }, {
    args: ["--manifests", here.manifests],
  });
  await sidecar.ready();
  Deno.writeTextFileSync(CONFIG_FILE, "version: 1\ncollections: [{ name: web, labell: app, folderr: /a }]\n");
  const env = { CONFIG_FILE, LABEL: "", FOLDER: "", HEALTH_PORT: String(sidecar.healthPort) };
  await eventually(async () => {
    const { stdout, stderr } = await explain(here, [], env);
    const all = [...stderr, ...stdout].join(" ").replace(/\s+/g, " ");
    assert.match(all, /error: the new version of CONFIG_FILE is not used, for the faults above/);
    assert.equal(all.match(/did you mean label\?/g)?.length, 1);
    const tooLong = [...stderr, ...stdout].filter((line) => line.length > 100 && line.trim().includes(" "));
    assert.deepEqual(tooLong, []);
  });
  const json = JSON.parse((await explain(here, ["-o", "json"], env)).stdout.join("\n"));
  assert.match(json.problems[0].what, /is not used: .*did you mean label\?/);
});

Deno.test("explain tells of a misspelt label only for the collection that was meant", async () => {
  using here = workplace();
  const labels = ["grafana_datasource", "grafana_notifier", "grafana_dashboard"];
  const CONFIG_FILE = writeConfig(here, ...labels.map((label) => ({ name: label.replace("grafana_", ""), label })));
  const metadata = { name: "cpu", namespace: "a", labels: { grafana_dashboards: "1" } };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "cpu.json": "1" } };
  Deno.writeTextFileSync(`${here.manifests}/cpu.json`, JSON.stringify(object));
  const { stdout } = await explain(here, ["a/cm/cpu"], { CONFIG_FILE, LABEL: "", FOLDER: "" });
  assert.deepEqual(stdout.filter((line) => !/alone:|Is the sidecar/.test(line)), [
    "a/configmap/cpu is not selected",
    "  not selected: collection dashboard: label grafana_dashboard is missing; it has the label",
    "      grafana_dashboards: did you mean that?",
    "    cure: add the label grafana_dashboard",
    "  not selected by datasource, notifier",
  ]);
});
