/** The roles of `print-rbac` are accepted by an API server, and are enough for a sidecar. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";
import { type Settings, stories, type Story } from "../support/story.ts";

const story = stories();

const ACCOUNT = "sidecar";

/** The settings of a pod whose service account has no rights yet. */
async function podOf(at: Story): Promise<Record<string, string>> {
  const accounts = `/api/v1/namespaces/${at.namespace}/serviceaccounts`;
  await at.request("POST", accounts, { metadata: { name: ACCOUNT } });
  const { body } = await at.request("POST", `${accounts}/${ACCOUNT}/token`, { spec: {} });
  return await at.serviceAccount(body.status.token);
}

async function rolesFor(at: Story, settings: Settings): Promise<string> {
  await using sidecar = SidecarProcess.start(await at.environment(settings), { args: ["print-rbac"] });
  assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
  return sidecar.lines.filter(({ stream }) => stream === "stdout").map(({ text }) => text).join("\n");
}

/** @throws {Error} kubectl or the API server refuses the manifests */
async function kubectl(at: Story, manifests: string, ...args: string[]): Promise<string> {
  const env = { KUBECONFIG: await at.controlPlane.kubeconfig(), HOME: at.dir };
  const child = new Deno.Command("kubectl", {
    args: ["apply", "-f", "-", ...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(manifests));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`${new TextDecoder().decode(stderr)}\n${manifests}`);
  return new TextDecoder().decode(stdout);
}

async function apply(at: Story, settings: Settings): Promise<void> {
  await kubectl(at, await rolesFor(at, settings));
}

/** Starts a sidecar that has exactly the printed rights, and waits until it is ready. */
async function startWithin(at: Story, settings: Settings): Promise<SidecarProcess> {
  await apply(at, settings);
  // The API server learns of roles a moment later: the first answer may be a refusal
  await settled(at, settings);
  return await at.startReady({ ...settings, DEBUG: "true" });
}

async function settled(at: Story, settings: Settings): Promise<void> {
  const scratch = { ...settings, METHOD: "LIST", FOLDER: join(at.dir, "scratch"), FINALIZERS: undefined };
  await eventually(async () => {
    const sidecar = await at.start({ ...scratch, EVENT_LOGGING: undefined });
    assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
  });
}

function assertNeverRefused(sidecar: SidecarProcess): void {
  assert.deepEqual(sidecar.findAll(/\b403\b|forbidden|not allowed/i).map(({ msg }) => msg), []);
}

async function eventsOf(at: Story): Promise<string[]> {
  const { body } = await at.request("GET", `/apis/events.k8s.io/v1/namespaces/${at.namespace}/events`);
  return body.items.map(({ reason }: { reason: string }) => reason);
}

story("the API server accepts the roles of print-rbac for every kind of setting", async (at) => {
  const pod = await podOf(at);
  const second = await at.makeNamespace(`${at.namespace}-2`);
  const many = await Promise.all(
    Array.from({ length: 9 }, (_, index) => at.makeNamespace(`${at.namespace}-n${index}`)),
  );
  const file = join(at.dir, "collections.yaml");
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      version: 1,
      collections: [
        { name: "a", label: "a", folder: join(at.dir, "a"), namespaces: [at.namespace], resource: "secret" },
        { name: "b", names: [`${second}/configmap/b`], folder: join(at.dir, "b") },
        { name: "c", label: "c", folder: join(at.dir, "c"), namespaces: "OWN" },
      ],
    }),
  );
  const setups: [settings: Settings, roles: string[]][] = [
    [{}, ["clusterrole"]],
    [{ NAMESPACE: `${at.namespace},${second}`, RESOURCE: "configmap" }, ["role", "role"]],
    [{ DEFAULTS: "kiwigrid" }, ["role"]],
    [{ LABEL: undefined, RESOURCE_NAME: `${second}/configmap/a,secret/b`, NAMESPACE: at.namespace }, ["role", "role"]],
    [{ NAMESPACE_SELECTOR: "team=a", NAMESPACE_EXCLUDE: "kube-*" }, ["clusterrole"]],
    [{ EVENT_LOGGING: "true", FINALIZERS: "true", NAMESPACE: at.namespace }, ["role"]],
    [{ NAMESPACE: many.join(), RESOURCE: "secret", METHOD: "SLEEP" }, many.map(() => "role")],
    [{ LABEL: undefined, FOLDER: undefined, CONFIG_FILE: file, EVENT_LOGGING: "true" }, ["role", "role"]],
  ];
  for (const [settings, roles] of setups) {
    const output = await kubectl(at, await rolesFor(at, { ...pod, ...settings }), "--dry-run=server");
    const created = output.trim().split("\n").map((line) => line.split(".")[0]);
    assert.deepEqual(created, roles.flatMap((role) => [role, `${role}binding`]), JSON.stringify(settings));
  }
}, { ignore: !hasKubectl() });

story("the roles of print-rbac are enough for two namespaces, Events and finalizers", async (at) => {
  const second = await at.makeNamespace(`${at.namespace}-2`);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("Secret", "b", { data: { b: "b" }, namespace: second });
  const features = { EVENT_LOGGING: "true", FINALIZERS: "true" };
  const settings = { ...await podOf(at), ...features, NAMESPACE: `${at.namespace},${second}` };
  const sidecar = await startWithin(at, settings);
  assertFolderEquals(at.folder, { "a.txt": "a", b: "b" });
  await at.delete("ConfigMap", "a");
  await eventually(() => assertFolderEquals(at.folder, { b: "b" }));
  await eventually(async () => assert.ok((await eventsOf(at)).length > 0));
  assertNeverRefused(sidecar);
}, { ignore: !hasKubectl() });

story(
  "the roles of print-rbac are enough for METHOD=LIST and many namespaces",
  async (at) => {
    const many = await Promise.all(
      Array.from({ length: 9 }, (_, index) => at.makeNamespace(`${at.namespace}-n${index}`)),
    );
    for (const namespace of many) await at.create("ConfigMap", "a", { data: { [namespace]: "a" }, namespace });
    const files = Object.fromEntries(many.map((namespace) => [namespace, "a"]));
    const settings = { ...await podOf(at), NAMESPACE: many.join(), METHOD: "LIST" };
    await apply(at, settings);
    await settled(at, settings);
    assertFolderEquals(join(at.dir, "scratch"), files);
    await startWithin(at, { ...settings, METHOD: "WATCH" });
    assertFolderEquals(at.folder, files);
  },
  { ignore: !hasKubectl() },
);

story("the roles of print-rbac are enough for named objects and for namespaces by label", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("ConfigMap", "other", { data: { "other.txt": "a" } });
  const pod = await podOf(at);
  const named = await startWithin(at, { ...pod, LABEL: undefined, RESOURCE_NAME: `${at.namespace}/configmap/a` });
  assertFolderEquals(at.folder, { "a.txt": "a" });
  await at.change("ConfigMap", "a", { data: { "a.txt": "b" } });
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "b" }));
  assertNeverRefused(named);
  await named.stop();

  const team = { team: at.namespace };
  await at.request("PATCH", `/api/v1/namespaces/${at.namespace}`, { metadata: { labels: team } }, MERGE_PATCH);
  const folder = join(at.dir, "by-label");
  const byLabel = await startWithin(at, { ...pod, FOLDER: folder, NAMESPACE_SELECTOR: `team=${at.namespace}` });
  assertFolderEquals(folder, { "a.txt": "b", "other.txt": "a" });
  assertNeverRefused(byLabel);
}, { ignore: !hasKubectl() });

const MERGE_PATCH = "application/merge-patch+json";

function hasKubectl(): boolean {
  try {
    return new Deno.Command("kubectl", { args: ["version", "--client"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}
