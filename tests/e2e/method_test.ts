/** METHOD: list once and say by the exit code how it went, or list again and again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { freePort } from "../support/free_port.ts";
import { canMountSmallDisk, withSmallDisk } from "../support/small_disk.ts";
import { serve } from "../support/local_servers.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { stories, type Story } from "../support/story.ts";

const story = stories();

async function listOnce(at: Story, settings: Record<string, string> = {}, through: string[] = []): Promise<Listed> {
  const sidecar = await at.start({ METHOD: "list", ...settings }, { through });
  return { sidecar, code: (await sidecar.exited()).code };
}

interface Listed {
  sidecar: SidecarProcess;
  code: number;
}

story("METHOD=LIST makes the folder right once and ends with code 0", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("Secret", "b", { data: { b: "b" } });
  assert.equal((await listOnce(at)).code, 0);
  assertFolderEquals(at.folder, { "a.txt": "a", b: "b" });

  await at.change("ConfigMap", "a", { data: { "a.txt": "changed" } });
  await at.delete("Secret", "b");
  assert.equal((await listOnce(at)).code, 0);
  assertFolderEquals(at.folder, { "a.txt": "changed" });
});

story("METHOD=LIST ends with code 3 when the API server cannot be reached, and removes nothing", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  assert.equal((await listOnce(at)).code, 0);
  await at.delete("ConfigMap", "a");
  const nowhere = { ...await at.serviceAccount(), KUBERNETES_SERVICE_PORT: String(freePort()) };
  const { sidecar, code } = await listOnce(at, nowhere);
  assert.equal(code, 3);
  assertFolderEquals(at.folder, { "a.txt": "a" });
  assert.ok(sidecar.lines.some(({ level, msg }) => level === "ERROR" && msg.startsWith("incomplete: ")));
});

story("METHOD=LIST ends with code 0 whatever is wrong with an object, with an error line for each", async (at) => {
  await using server = serve(() => new Response("gone", { status: 404 }));
  await Deno.mkdir(join(at.folder, "in-the-way"), { recursive: true });
  await Deno.writeTextFile(join(at.folder, "in-the-way", "x"), "x");
  const outside = { "k8s-sidecar-target-directory": "../outside" };
  await at.create("ConfigMap", "good", { data: { "good.txt": "good" } });
  await at.create("ConfigMap", "dead", { data: { "dead.json.url": `http://127.0.0.1:${server.port}/dead` } });
  await at.create("ConfigMap", "path", { data: { "in-the-way": "1", "path.txt": "path" } });
  await at.create("Secret", "outside", { data: { outside: "1" }, annotations: outside });
  const { sidecar, code } = await listOnce(at);
  assert.equal(code, 0);
  assertFolderEquals(at.folder, { "good.txt": "good", "path.txt": "path", "in-the-way/x": "x" });
  const errors = sidecar.lines.filter(({ level }) => level === "ERROR").map(({ msg }) => msg).sort();
  assert.deepEqual(errors.map((msg) => /^(ConfigMap|Secret) .*\/(\w+)( refused)?: /.exec(msg)?.[2]), [
    "dead",
    "path",
    "outside",
  ]);
  assert.match(sidecar.lines.at(-1)?.msg ?? "", /^List complete: 2 files are in place; 3 objects were refused/);
});

story("METHOD=LIST names what RESOURCE_NAME does not find", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const settings = { LABEL: "", NAMESPACE: at.namespace, RESOURCE_NAME: "configmap/a,configmap/nosuch" };
  const { sidecar, code } = await listOnce(at, settings);
  assert.equal(code, 0);
  const warnings = sidecar.lines.filter(({ level }) => level === "WARN").map(({ msg }) => msg);
  assert.deepEqual(warnings, [`RESOURCE_NAME: there is no ConfigMap nosuch in namespace ${at.namespace}`]);
});

story("METHOD=LIST ends with code 4 when the disk is full, and says so", async (at) => {
  await Deno.mkdir(at.folder);
  await at.create("ConfigMap", "small", { data: { "small.txt": "x" } });
  await at.create("ConfigMap", "too-big", { data: { "too-big.txt": "x".repeat(100_000) } });
  const { sidecar, code } = await listOnce(at, {}, withSmallDisk(at.folder));
  assert.equal(code, 4);
  assert.ok(sidecar.find(/cannot write .*\/too-big.txt: .*the volume is full/));
  assert.ok(sidecar.find(`ConfigMap ${at.namespace}/small: wrote ${at.folder}/small.txt`));
}, { ignore: !await canMountSmallDisk() });

story("METHOD=SLEEP lists again and again, and never watches", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("Secret", "b", { data: { b: "b" } });
  const sidecar = await at.startReady({ METHOD: "SLEEP", SLEEP_TIME: "0.3", DEBUG: "true" });
  assertFolderEquals(at.folder, { "a.txt": "a", b: "b" });
  await at.change("ConfigMap", "a", { data: { "a.txt": "changed" } });
  await at.delete("Secret", "b");
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "changed" }));
  await Deno.remove(join(at.folder, "a.txt"));
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "changed" }));
  assert.deepEqual(sidecar.findAll("watch=true"), []);
  assert.equal((await sidecar.health("/healthz")).status, 200);
});
