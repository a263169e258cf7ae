/** The API server goes away, comes back, forgets, hangs. */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";
import { TcpGate } from "../support/tcp_gate.ts";

const story = stories();

const BEFORE = { "changed.txt": "1", "removed.txt": "1", secret: "1" };
const AFTER = { "changed.txt": "2", "added.txt": "2", secret: "1" };

/** A sidecar that is ready and reaches the API server through a gate. */
async function startBehind(gate: TcpGate, at: Story, settings: Settings = {}): Promise<SidecarProcess> {
  await at.create("ConfigMap", "changed", { data: { "changed.txt": "1" } });
  await at.create("ConfigMap", "removed", { data: { "removed.txt": "1" } });
  await at.create("Secret", "stays", { data: { secret: "1" } });
  const address = inClusterAddress(gate.url);
  const sidecar = await at.startReady({ ...await at.serviceAccount(), ...address, DEBUG: "true", ...settings });
  assertFolderEquals(at.folder, BEFORE);
  return sidecar;
}

async function makeChanges(at: Story): Promise<void> {
  await at.change("ConfigMap", "changed", { data: { "changed.txt": "2" } });
  await at.delete("ConfigMap", "removed");
  await at.create("ConfigMap", "added", { data: { "added.txt": "2" } });
}

/** Nothing that the API server does, or does not, is the sidecar's fault. */
async function isHealthy(sidecar: SidecarProcess): Promise<void> {
  for (const path of ["/livez", "/healthz", "/readyz"]) {
    const { status, text } = await sidecar.health(path);
    assert.equal(status, 200, `${path}: ${text}`);
  }
}

story("the API server is killed and comes back: no file goes meanwhile, and no change is lost", async (at) => {
  await using gate = new TcpGate(at.controlPlane.url);
  const sidecar = await startBehind(gate, at);
  await at.controlPlane.stopApiServer();
  try {
    await sidecar.logged(/; retrying in [\d.]+ s$/, { count: 6 });
    assertFolderEquals(at.folder, BEFORE);
    await isHealthy(sidecar);
    assert.ok(sidecar.lines.filter(({ level }) => level === "WARN").length <= 4, "one line for each news");
  } finally {
    gate.shut();
    await at.controlPlane.startApiServer();
  }
  await makeChanges(at);
  assertFolderEquals(at.folder, BEFORE);
  gate.open();
  await eventually(() => assertFolderEquals(at.folder, AFTER), { timeout: 45_000 });
  await isHealthy(sidecar);
  await at.change("ConfigMap", "changed", { data: { "changed.txt": "3" } });
  await at.change("Secret", "stays", { data: { secret: "3" } });
  await eventually(() => assertFolderEquals(at.folder, { ...AFTER, "changed.txt": "3", secret: "3" }));
  for (const kind of ["configmaps", "secrets"]) await sidecar.logged(`following ${kind} in all namespaces again`);
}, { restartsApiServer: true });

story("the API server no longer has the changes since the cut: everything is listed anew", async (at) => {
  await using gate = new TcpGate(at.controlPlane.url);
  const sidecar = await startBehind(gate, at);
  // It stands still meanwhile, so as not to wait ever longer between its attempts
  sidecar.kill("SIGSTOP");
  gate.shut();
  await makeChanges(at);
  await at.controlPlane.compactEtcd();
  await at.controlPlane.stopApiServer();
  await at.controlPlane.startApiServer();
  const listed = sidecar.findAll("&limit=500").length;
  gate.open();
  sidecar.kill("SIGCONT");
  await eventually(() => assertFolderEquals(at.folder, AFTER), { timeout: 30_000 });
  await sidecar.logged("too old resource version");
  await sidecar.logged("&limit=500", { count: listed + 1 });
  await at.change("Secret", "stays", { data: { secret: "2" } });
  await eventually(() => assertFolderEquals(at.folder, { ...AFTER, secret: "2" }));
}, { restartsApiServer: true });

story("the API server hangs for longer than a watch may live: the sidecar lives, and goes on after it", async (at) => {
  const settings = { WATCH_CLIENT_TIMEOUT: "2", WATCH_SERVER_TIMEOUT: "2", RESOURCE: "configmap" };
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await at.startReady(settings);
  at.controlPlane.pauseApiServer();
  try {
    const contact = 'k8s_sidecar_last_contact_timestamp_seconds{source="configmaps"}';
    await eventually(async () => assert.ok(Date.now() / 1000 - (await sidecar.metric(contact) ?? Infinity) > 5), {
      interval: 200,
    });
    assertFolderEquals(at.folder, { "a.txt": "1" });
    await isHealthy(sidecar);
  } finally {
    at.controlPlane.resumeApiServer();
  }
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "2" }), { timeout: 45_000 });
});

story(
  "K8S_CONTACT_THRESHOLD_SECONDS turns liveness red while the API server is away, never when it is idle",
  async (at) => {
    await using gate = new TcpGate(at.controlPlane.url);
    const threshold = { K8S_CONTACT_THRESHOLD_SECONDS: "2" };
    const sidecar = await startBehind(gate, at, threshold);
    const statuses = async (process = sidecar) =>
      (await Promise.all(["/livez", "/healthz", "/readyz"].map((path) => process.health(path)))).map(({ status }) =>
        status
      );
    for (let second = 0; second < 5; second++) {
      assert.deepEqual(await statuses(), [200, 200, 200]);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    gate.shut();
    await eventually(async () => assert.deepEqual(await statuses(), [503, 503, 200]));
    assert.match((await sidecar.health("/livez")).text, /^no answer from the API server for \d+ s/);
    const late = await at.start({ ...await at.serviceAccount(), ...inClusterAddress(gate.url), ...threshold });
    await late.logged("health endpoints");
    await eventually(async () => assert.deepEqual(await statuses(late), [503, 503, 503]));
    gate.open();
    await eventually(
      async () => assert.deepEqual([await statuses(), await statuses(late)], [[200, 200, 200], [200, 200, 200]]),
      {
        timeout: 45_000,
      },
    );
  },
);
