/** `explain` and `plan` in the situations that users meet: each is named, with its cure. */
import assert from "node:assert/strict";
import { controlPlaneAvailable } from "../support/control_plane.ts";
import { blocksOf, shownIn } from "../support/documents.ts";
import { freePort } from "../support/free_port.ts";
import { serve } from "../support/local_servers.ts";
import { eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { canMountSmallDisk, withSmallDisk } from "../support/small_disk.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";
import { TcpGate } from "../support/tcp_gate.ts";

const READER = { name: "reader", token: "reader-token" };
const addStory = stories({ users: [READER] });
let [added, run] = [0, 0];
/** Counts them, because the samples in the documents need all of them. */
const story: typeof addStory = (name, tell, details) => {
  added++;
  addStory(name, async (at) => {
    await tell(at);
    run++;
  }, details);
};

const DASHBOARD = { grafana_dashboard: "1" };

/** What users of the Grafana chart set; objects in the story's namespace. */
function chart(at: Story, settings: Settings = {}): Settings {
  return { LABEL: "grafana_dashboard", LABEL_VALUE: "1", NAMESPACE: at.namespace, ...settings };
}

/** A command in the container of a sidecar, or where none runs. Lines that were broken are joined again. */
async function command(at: Story, settings: Settings, sidecar: SidecarProcess | undefined, ...args: string[]) {
  const port = String(sidecar?.healthPort ?? freePort());
  const asked = await at.start({ ...settings, HEALTH_PORT: port }, { args });
  const { code } = await asked.exited();
  const lines = asked.lines.map(({ text }) => text);
  assert.deepEqual(lines.filter((line) => line.length > 100 && !line.includes(at.dir)), []);
  keep(at, lines);
  return { code, text: lines.join("\n").replace(/\n {4,}(?!cure:)/g, " ") };
}

/** What the commands printed, for the samples in docs/troubleshooting.md. */
const printed = new Set<string>();

function keep(at: Story, lines: readonly string[]): void {
  printed.add(
    normalised(lines.map((line) => line.replaceAll(at.folder, "/dashboards").replaceAll(at.namespace, "monitoring"))),
  );
}

/** Without the breaks of lines, and with the same times, addresses and other folders. */
function normalised(lines: readonly string[]): string {
  return lines.join(" ").replace(/\s+/g, " ").trim()
    .replace(/\b(for )?\d+ (s|min|ms|h)( ago)?\b|\bnow\b/g, "TIME").replace(/\d{4}-\d\d-\d\dT\S+?Z/g, "DATE")
    .replace(/(localhost|(?:\d+\.){3}\d+):\d+/g, "HOST").replace(/port \d+/g, "PORT")
    .replaceAll("it comes first by name and is as old", "it is older")
    .replace(/not allowed to (list|watch)/g, "not allowed to list").replace(/\(\d+ B/g, "(SIZE")
    .replace(/\/\S+\/config\.yaml(:\d+):\d+/g, "CONFIG$1:COLUMN").replace(/\S+\/theirs\b/g, "THEIRS");
}

function dashboard(at: Story, name: string, data: Record<string, string>, labels: Record<string, string> = DASHBOARD) {
  return at.create("ConfigMap", name, { labels, data });
}

story("explain: all is well, and the notification that followed", async (at) => {
  await using application = serve(() => new Response("reloaded"));
  await dashboard(at, "cpu", { "cpu.json": "{}" });
  const settings = chart(at, { REQ_URL: `http://127.0.0.1:${application.port}/reload?key=hidden` });
  const sidecar = await at.startReady(settings);
  const about = `${at.namespace}/cm/cpu`;
  await eventually(async () => {
    const { code, text } = await command(at, settings, sidecar, "explain", about);
    assert.equal(code, 0);
    assert.match(text, /is selected, and its file is in place/);
    assert.match(text, /in place: \S+\/cpu\.json {2}\(2 B, written .*\)/);
    assert.match(text, /then webhook GET http:\/\/127\.0\.0\.1:\d+\/reload: answered 200 OK/);
    assert.doesNotMatch(text, /hidden/);
  });
  const { text } = await command(at, settings, sidecar, "explain", `${at.folder}/cpu.json`);
  assert.match(text, new RegExp(`/cpu\\.json is that of ${at.namespace}/configmap/cpu`));
});

story("explain: a wrong label value, and a missing label", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "{}" }, { grafana_dashboard: "true" });
  await dashboard(at, "ram", { "ram.json": "{}" }, {});
  const settings = chart(at);
  const sidecar = await at.startReady(settings);
  const cpu = await command(at, settings, sidecar, "explain", `${at.namespace}/configmap/cpu`);
  assert.equal(cpu.code, 0);
  assert.match(cpu.text, /configmap\/cpu is not selected\n/);
  assert.match(cpu.text, /not selected: label grafana_dashboard is "true", wanted: "1"\n/);
  assert.match(cpu.text, /cure: set the label grafana_dashboard to "1"/);
  const ram = await command(at, settings, sidecar, "explain", `${at.namespace}/ConfigMaps/ram`);
  assert.match(ram.text, /label grafana_dashboard is missing, wanted: "1"/);
  const path = await command(at, settings, sidecar, "explain", `${at.folder}/cpu.json`);
  assert.match(path.text, /cpu\.json is not there, and no object claims it; it would be that of an object/);
  assert.match(path.text, /configmap\/cpu: label grafana_dashboard is "true"/);
});

story("explain: an object that does not exist, with names that may have been meant", async (at) => {
  await dashboard(at, "node-exporter", { "a.json": "{}" });
  const settings = chart(at);
  const sidecar = await at.startReady(settings);
  const { code, text } = await command(at, settings, sidecar, "explain", `${at.namespace}/cm/node-exporter2`);
  assert.equal(code, 0);
  assert.match(text, /configmap\/node-exporter2 does not exist\n {2}did you mean \S+\/configmap\/node-exporter\?/);
  assert.match(text, /cure: create it/);
});

story("explain: no right to list secrets", async (at) => {
  await at.allow(READER.name, { resources: ["configmaps"] });
  await dashboard(at, "cpu", { "cpu.json": "{}" });
  const settings = chart(at, await at.serviceAccount(READER.token));
  const sidecar = await at.start(settings);
  for (const running of [sidecar, undefined]) {
    const { code, text } = await command(at, settings, running, "explain", `${at.namespace}/secret/db`);
    assert.equal(code, 1);
    assert.match(text, /error: not allowed to (list|watch) secrets/);
    assert.match(text, /cure: .*get, list and watch.*k8s-sidecar print-rbac/);
  }
  await eventually(async () => {
    const { code, text } = await command(at, settings, sidecar, "explain");
    assert.equal(code, 0);
    assert.match(text, /error: not allowed to (list|watch) secrets.*/);
    assert.match(text, /cure: .*print-rbac/);
  });
  const plan = await command(at, settings, sidecar, "plan");
  assert.equal(plan.code, 3);
  assert.match(plan.text, /error: not allowed to (list|watch) secrets.*by RBAC/);
});

story("explain: a path that is lost, from both sides", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "1" });
  await dashboard(at, "cpu-2", { "cpu.json": "2", "more.json": "3" });
  const settings = chart(at);
  const sidecar = await at.startReady(settings);
  const loser = await command(at, settings, sidecar, "explain", `${at.namespace}/cm/cpu-2`);
  assert.match(loser.text, /is selected, but 1 of its 2 files is not in place/);
  assert.match(loser.text, /lost: \S+\/cpu\.json/);
  assert.match(loser.text, /configmap\/cpu has the path: it (is older|comes first)/);
  assert.match(loser.text, /cure: .*UNIQUE_FILENAMES=true.*COLLISIONS/);
  const path = await command(at, settings, sidecar, "explain", `${at.folder}/cpu.json`);
  assert.match(path.text, /cpu\.json is that of \S+\/configmap\/cpu\n/);
  assert.match(path.text, /claimed, too, by \S+\/configmap\/cpu-2/);
});

story("explain: a folder that is not allowed", async (at) => {
  const annotations = { "k8s-sidecar-target-directory": "/etc/grafana" };
  await at.create("ConfigMap", "cpu", { labels: DASHBOARD, annotations, data: { "cpu.json": "1" } });
  const settings = chart(at);
  const sidecar = await at.startReady(settings);
  for (const running of [sidecar, undefined]) {
    const { text } = await command(at, settings, running, "explain", `${at.namespace}/cm/cpu`);
    assert.match(text, /is selected, but refused/);
    assert.match(text, /error: .*"\/etc\/grafana" points outside/);
    assert.match(text, /cure: .*ALLOWED_FOLDERS/);
    for (const path of [`${at.folder}/cpu.json`, "/etc/grafana/cpu.json"]) {
      const { text } = await command(at, settings, running, "explain", path);
      assert.match(text, /is not there: \S+\/configmap\/cpu would have it, but is refused/);
      assert.match(text, /broken: .*\n? *refused: annotation .* points outside/);
    }
  }
});

story("explain: a URL that is dead", async (at) => {
  const port = freePort();
  await dashboard(at, "node", { "node.json.url": `http://user:hidden@127.0.0.1:${port}/node.json?token=hidden` });
  const settings = chart(at, { REQ_RETRY_TOTAL: "0" });
  const sidecar = await at.start(settings);
  await eventually(async () => {
    const { text } = await command(at, settings, sidecar, "explain", `${at.namespace}/cm/node`);
    assert.match(
      text,
      new RegExp(`to be downloaded: \\S+/node\\.json.*not downloaded from 127\\.0\\.0\\.1:${port} yet`),
    );
    assert.match(text, /(error|warning): the download failed: .*127\.0\.0\.1/);
    assert.match(text, /cure: .*[Cc]heck the URL/);
    assert.doesNotMatch(text, /hidden/);
  });
});

story("explain: a webhook that refuses the password", async (at) => {
  await using application = serve(() => new Response("", { status: 401 }));
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const settings = chart(at, {
    REQ_URL: `http://127.0.0.1:${application.port}/reload`,
    REQ_USERNAME: "admin",
    REQ_PASSWORD: "hidden",
    REQ_RETRY_TOTAL: "0",
  });
  const sidecar = await at.start(settings);
  await eventually(async () => {
    const { code, text } = await command(at, settings, sidecar, "explain");
    assert.equal(code, 0);
    assert.match(text, /error: the webhook has been refused: .*401/);
    assert.match(text, /cure: .*REQ_USERNAME and REQ_PASSWORD/);
    assert.doesNotMatch(text, /hidden/);
  });
});

story("explain: a webhook that was away, and answers now", async (at) => {
  const port = freePort();
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const settings = chart(at, {
    ...{ REQ_URL: `http://127.0.0.1:${port}/reload`, REQ_METHOD: "POST", REQ_RETRY_TOTAL: "0" },
    REQ_RETRY_BACKOFF_FACTOR: "0.1",
  });
  const sidecar = await at.start(settings);
  const about = `${at.namespace}/cm/cpu`;
  await eventually(async () => {
    const { text } = await command(at, settings, sidecar, "explain", about);
    assert.match(text, /then webhook POST \S+\/reload: failed, /);
  });
  await using _ = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, () => new Response("reloaded"));
  await eventually(async () => {
    const { text } = await command(at, settings, sidecar, "explain", about);
    assert.match(text, /then webhook POST \S+\/reload: answered 200 OK, /);
    assert.doesNotMatch(text, /failed/);
  }, { timeout: 60_000 });
});

story("explain: an account that may list its own namespace alone", async (at) => {
  await at.allow(READER.name, { resources: ["configmaps", "secrets"] });
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const account = await at.serviceAccount(READER.token);
  const settings = chart(at, { NAMESPACE: undefined, RESOURCE: "configmap", ...account });
  const sidecar = await at.start(settings);
  for (const running of [sidecar, undefined]) {
    await eventually(async () => {
      const { text } = await command(at, settings, running, "explain", `${at.namespace}/cm/cpu`);
      assert.match(text, /missing: \S+\/cpu\.json the sidecar does not get its object, see the errors/);
      assert.match(text, /error: not allowed to (list|watch) configmaps in all namespaces/);
      assert.match(text, new RegExp(`In its own namespace it may: NAMESPACE=${at.namespace} asks for no more`));
      assert.doesNotMatch(text, /broken|refused, see/);
      // The sidecar has met it, too
      if (running !== undefined) assert.match(text, /in all namespaces, for \d/);
    });
  }
});

story("explain: an object of a namespace where the account has no right", async (at) => {
  await at.allow(READER.name, { resources: ["configmaps"] });
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const account = await at.serviceAccount(READER.token);
  const settings = chart(at, { NAMESPACE: undefined, DEFAULTS: "kiwigrid", RESOURCE: "configmap", ...account });
  const sidecar = await at.startReady(settings);
  for (const running of [sidecar, undefined]) {
    for (const about of ["default/cm/ram", "default/ram"]) {
      const { code, text } = await command(at, settings, running, "explain", about);
      assert.equal(code, 0);
      assert.match(text, /not selected: namespace default is not watched: NAMESPACE is \S+\n {4}cure: add default to/);
      assert.doesNotMatch(text, /error|print-rbac/);
    }
    const path = await command(at, settings, running, "explain", `${at.folder}/ram.json`);
    assert.match(path.text, new RegExp(`only namespace ${at.namespace} is watched \\(NAMESPACE\\), and objects of`));
  }
});

story("explain: the folder was removed", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "1", "ram.json": "1" });
  const settings = chart(at);
  const sidecar = await at.startReady(settings);
  Deno.removeSync(at.folder, { recursive: true });
  const { text } = await command(at, settings, sidecar, "explain");
  assert.match(text, /^1 problem\n {2}warning: something other than the sidecar removed \S+ and 1 more\n/);
  assert.match(text, /cure: The sidecar writes them again within CHECK_PERIOD \(60 s\)/);
  const object = await command(at, settings, sidecar, "explain", "cpu");
  assert.match(object.text, /but none of its 2 files is in place/);
  assert.match(object.text, /something removed it; the sidecar writes it again within CHECK_PERIOD/);
  await command(at, settings, sidecar, "explain", `${at.namespace}/cm/cpu`);
});

story("explain: CONFIG_FILE has a fault", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const CONFIG_FILE = `${at.dir}/config.yaml`;
  const write = (more: string) =>
    Deno.writeTextFileSync(
      CONFIG_FILE,
      `version: 1\ncollections:\n  - { name: web, folder: ${at.folder}, selector: grafana_dashboard, ${more} }\n`,
    );
  write(`namespaces: [${at.namespace}]`);
  const settings = { LABEL: undefined, FOLDER: undefined, URL_ALLOWED_HOSTS: undefined, CONFIG_FILE };
  const sidecar = await at.startReady(settings);
  write(`namespace: ${at.namespace}`);
  const { code, text } = await command(at, settings, sidecar, "explain", "cm/cpu");
  assert.equal(code, 2);
  assert.match(text, /^configuration error: \S+\/config\.yaml:.*namespace +unknown key: did you mean namespaces\?/);
  assert.match(text, /The running sidecar goes on .*\nconfigmap\/cpu has files, see below\n {2}in place: /);
  await eventually(async () => {
    const { text } = await command(at, settings, sidecar, "explain");
    assert.match(text, /error: the new version of CONFIG_FILE is not used/);
  });
});

story("explain: a full disk", async (at) => {
  Deno.mkdirSync(at.folder);
  await dashboard(at, "large", { "large.json": "x".repeat(200_000) });
  const settings = chart(at);
  const sidecar = await at.start(settings, { through: withSmallDisk(at.folder) });
  await eventually(async () => {
    const { text } = await command(at, settings, sidecar, "explain", `${at.namespace}/cm/large`);
    assert.match(text, /missing: \S+\/large\.json/);
    assert.match(text, /error: .*(full|No space)/);
    assert.match(text, /cure: .*emptyDir\.sizeLimit/);
  });
}, { ignore: !(await canMountSmallDisk()) });

story("explain: the API is away", async (at) => {
  await using gate = new TcpGate(at.controlPlane.url);
  const address = inClusterAddress(gate.url);
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const settings = chart(at, { ...await at.serviceAccount(), ...address });
  const sidecar = await at.startReady(settings);
  gate.shut();
  await eventually(async () => {
    const { code, text } = await command(at, settings, sidecar, "explain");
    assert.equal(code, 0);
    assert.match(text, /error: .*(cannot be reached|refused|does not answer|API server)/);
    assert.match(text, /cure: .*/);
  });
  const object = await command(at, settings, sidecar, "explain", `${at.namespace}/cm/cpu`);
  assert.equal(object.code, 0);
  assert.match(object.text, /has files, see below/);
  const alone = await command(at, settings, undefined, "explain", `${at.namespace}/cm/cpu`);
  assert.equal(alone.code, 1);
  assert.match(alone.text, /cannot be looked up/);
});

story("explain: a misspelt setting", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "1" }, { grafana_dashboard: "x" });
  const settings = { LABEL: "grafana_dashboard", LABLE_VALUE: "1", NAMESPACE: at.namespace };
  const sidecar = await at.startReady(settings);
  const { text } = await command(at, settings, sidecar, "explain", `${at.namespace}/cm/cpu`);
  assert.match(text, /^warning: LABLE_VALUE is not a setting and has no effect: did you mean LABEL_VALUE\?/);
});

story("explain: a namespace that is excluded, not watched, or has other labels", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "1" });
  const about = `${at.namespace}/cm/cpu`;
  const sidecar = await at.startReady(chart(at));
  const base = chart(at, { NAMESPACE: undefined });
  for (
    const [more, expected] of [
      [{ NAMESPACE_EXCLUDE: `kube-*,${at.namespace}` }, /is excluded: NAMESPACE_EXCLUDE has/],
      [{ NAMESPACE: "team-a,team-b" }, /is not watched: NAMESPACE is team-a,team-b/],
      [{ NAMESPACE_SELECTOR: "team=web" }, /NAMESPACE_SELECTOR\): label team is missing, wanted: "web"/],
      [{ RESOURCE: "secret" }, /RESOURCE does not select configmaps, only secrets/],
      [{ LABEL: undefined, LABEL_VALUE: undefined, RESOURCE_NAME: "ram" }, /RESOURCE_NAME does not name it: ram/],
    ] satisfies [Settings, RegExp][]
  ) {
    for (const running of [undefined, sidecar]) {
      const { code, text } = await command(at, { ...base, ...more }, running, "explain", about);
      assert.equal(code, 0);
      assert.match(text, expected);
      const reason = running === undefined
        ? "no answer from \\S+: connection refused"
        : "the sidecar at port \\d+ has other";
      assert.match(text, new RegExp(`from the cluster and the disk alone: ${reason}`));
    }
  }
});

story("explain: another sidecar's port, and a file that is not ours", async (at) => {
  Deno.mkdirSync(at.folder);
  Deno.writeTextFileSync(`${at.folder}/theirs`, "theirs");
  const other = await at.startReady({ LABEL: "other", FOLDER: `${at.dir}/other` });
  const { code, text } = await command(at, chart(at), other, "explain", `${at.folder}/theirs`);
  assert.equal(code, 0);
  assert.match(text, /theirs is not ours: no object claims it, and it is in no record/);
  assert.match(text, /alone: the sidecar at port \d+ has other settings/);
  const state = [...Deno.readDirSync(other === undefined ? "" : `${at.dir}/other`)].map(({ name }) => name);
  assert.equal(state.length, 1);
});

story("plan: what a start changes after the cluster and the settings changed", async (at) => {
  await dashboard(at, "cpu", { "cpu.json": "1", "old.json": "1" });
  await dashboard(at, "ram", { "ram.json": "1" });
  const settings = chart(at);
  await (await at.start({ ...settings, METHOD: "LIST" })).exited();
  await at.change("ConfigMap", "cpu", { data: { "cpu.json": '{ "title": "CPU" }', "old.json": null } });
  await at.change("ConfigMap", "ram", { labels: { grafana_dashboard: "0" } });
  await at.create("Secret", "db", { labels: DASHBOARD, data: { "db.json": "hidden" } });
  const { code, text } = await command(at, settings, undefined, "plan", "--exit-code");
  assert.equal(code, 1);
  assert.match(text, /^~ \S+\/cpu\.json +\(\S+\/configmap\/cpu, 18 B\): content differs$/m);
  assert.match(text, /^\+ \S+\/db\.json +\(\S+\/secret\/db, 6 B\): new object$/m);
  assert.match(text, /^- \S+\/old\.json +\(\S+\/configmap\/cpu, 1 B\): key removed$/m);
  assert.match(text, /^- \S+\/ram\.json .*no longer selected: label grafana_dashboard is "0", wanted: "1"$/m);
  assert.match(text, /^Plan: 1 to create, 1 to change, 2 to remove$/m);
});

Deno.test("explain: docs/troubleshooting.md shows what was printed", { ignore: !controlPlaneAvailable() }, () => {
  if (run < added) return;
  const blocks = blocksOf(Deno.readTextFileSync(new URL("../../docs/troubleshooting.md", import.meta.url)));
  const shown = blocks.filter(({ language }) => language === "console").flatMap(shownIn);
  const samples = shown.filter(({ output }) => output.length > 0);
  assert.ok(samples.length > 10);
  const missing = samples.filter(({ output }) => !printed.has(normalised(output)));
  assert.deepEqual(missing.map(({ command, output }) => [command, normalised(output)]), [], [...printed].join("\n"));
});
