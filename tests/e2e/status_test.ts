/** What `/status` and `k8s-sidecar status` say about what is wrong, and what to do about it. */
import assert from "node:assert/strict";
import type { Status } from "../../lib/serve/status.ts";
import { canMountSmallDisk, withSmallDisk } from "../support/small_disk.ts";
import { eventually } from "../support/oracle.ts";
import { freePort } from "../support/free_port.ts";
import { serve } from "../support/local_servers.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";
import { TcpGate } from "../support/tcp_gate.ts";

const READER = { name: "reader", token: "reader-token" };
const story = stories({ users: [READER] });

async function statusOf(sidecar: SidecarProcess): Promise<Status> {
  const { status, text } = await sidecar.health("/status");
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

/** Waits for a problem whose text has this in it; returns its cure. */
async function cureOf(sidecar: SidecarProcess, what: RegExp): Promise<string> {
  return await eventually(async () => {
    const { problems } = await statusOf(sidecar);
    const problem = problems.find((it) => what.test(it.what));
    assert.ok(problem, `no problem is ${what}: ${JSON.stringify(problems, null, 2)}`);
    return problem.cure;
  });
}

/** What the command prints in the container of a sidecar. */
async function command(at: Story, sidecar: SidecarProcess, settings: Settings = {}) {
  const asked = await at.start({ ...settings, HEALTH_PORT: String(sidecar.healthPort) }, { args: ["status"] });
  const { code } = await asked.exited();
  return { code, text: asked.lines.map(({ text }) => text).join("\n") };
}

story("status names what is wrong with objects, rights, downloads and the webhook, each with its cure", async (at) => {
  await using application = serve(() => new Response("", { status: 401 }));
  await at.allow(READER.name, { resources: ["configmaps"] });
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await at.create("ConfigMap", "b", { data: { "a.txt": "2" } });
  const annotations = { "k8s-sidecar-target-directory": "../../etc" };
  await at.create("ConfigMap", "escapes", { annotations, data: { "e.txt": "1" } });
  const url = `http://user:hidden-user@127.0.0.1:${freePort()}/x?token=hidden-token`;
  await at.create("ConfigMap", "dead", { data: { "d.txt.url": url } });
  const settings = {
    ...await at.serviceAccount(READER.token),
    NAMESPACE: at.namespace,
    LABLE_VALUE: "yes",
    REQ_URL: `http://127.0.0.1:${application.port}/reload?key=hidden-key`,
    REQ_USERNAME: "hidden-name",
    REQ_PASSWORD: "hidden-password",
    REQ_RETRY_TOTAL: "0",
  };
  const sidecar = await at.start(settings);
  assert.match(
    await cureOf(sidecar, /^not allowed to (list|watch) secrets in namespace/),
    /get, list and watch.*print-rbac/,
  );
  assert.match(await cureOf(sidecar, /a\.txt belongs to \S+\/configmap\/a, which/), /UNIQUE_FILENAMES=true keeps both/);
  assert.match(
    await cureOf(sidecar, /\.\.\/\.\.\/etc" points outside/),
    /k8s-sidecar-target-directory.*ALLOWED_FOLDERS/,
  );
  assert.match(await cureOf(sidecar, /^the download failed: .*127\.0\.0\.1/), /Check the URL in the object/);
  assert.match(await cureOf(sidecar, /^the webhook has been refused: .*401/), /REQ_USERNAME and REQ_PASSWORD/);
  assert.match(await cureOf(sidecar, /^LABLE_VALUE is not a setting.*LABEL_VALUE\?$/), /k8s-sidecar check/);
  const status = await statusOf(sidecar);
  assert.doesNotMatch(JSON.stringify(status), /hidden/);
  assert.deepEqual(status.collections.map(({ state }) => state), ["failing"]);
  assert.match(status.notReady ?? "", /secrets/);
  const severities = status.problems.map(({ severity }) => severity);
  assert.deepEqual(severities, severities.toSorted());
  const { code, text } = await command(at, sidecar, settings);
  assert.equal(code, 0, text);
  assert.match(text, /error: not allowed to (list|watch) secrets/);
  assert.ok(text.split("\n").every((line) => line.length <= 100 || !line.includes(" ", 10)), text);
  assert.doesNotMatch(text, /hidden/);
  const other = await command(at, sidecar, { ...settings, NAMESPACE: "elsewhere" });
  assert.equal(other.code, 1);
  assert.match(other.text, /another sidecar's/);
});

story("status says that a label selects nothing, and how to see it", async (at) => {
  await at.create("ConfigMap", "a", { labels: { [at.label]: "no" }, data: { "a.txt": "1" } });
  const sidecar = await at.startReady({ LABEL_VALUE: "yes", NAMESPACE: at.namespace });
  const cure = await cureOf(sidecar, /^nothing is selected: there are no configmaps and secrets with labels/);
  assert.match(cure, /Check LABEL, LABEL_VALUE and NAMESPACE: `kubectl get configmaps,secrets -n \S+ -l '/);
});

story("status says that the API server is away, and since when", async (at) => {
  await using gate = new TcpGate(at.controlPlane.url);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await at.startReady({ ...await at.serviceAccount(), ...inClusterAddress(gate.url) });
  assert.deepEqual((await statusOf(sidecar)).problems, []);
  gate.shut();
  assert.match(await cureOf(sidecar, /^the API server is away: /), /network policies.*The files stay/);
  const { problems, sources } = await statusOf(sidecar);
  assert.equal(problems.length, 1);
  assert.ok(problems[0]?.since);
  assert.deepEqual(sources.map(({ state }) => state), ["failing", "failing"]);
  gate.open();
  await eventually(async () => assert.deepEqual((await statusOf(sidecar)).problems, []), { timeout: 45_000 });
});

story("status says which volume is full", async (at) => {
  await Deno.mkdir(at.folder);
  await at.create("ConfigMap", "too-big", { data: { "too-big.txt": "x".repeat(100_000) } });
  const sidecar = await at.start({}, { through: withSmallDisk(at.folder) });
  assert.match(
    await cureOf(sidecar, /cannot write .*too-big\.txt.*full/),
    new RegExp(`^Make room on the volume of ${at.folder}, or raise its limit \\(emptyDir\\.sizeLimit\\)`),
  );
}, { ignore: !await canMountSmallDisk() });
