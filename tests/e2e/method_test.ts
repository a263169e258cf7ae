/** METHOD: list once and say by the exit code how it went, or list again and again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { freePort } from "../support/free_port.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { stories, type Story } from "../support/story.ts";

const story = stories();

/** Becomes the program that follows the folder, with a small disk at that folder: only for it, and only while it runs. */
const WITH_SMALL_DISK = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
const MOUNT = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"';

async function canMount(): Promise<boolean> {
  const dir = await Deno.makeTempDir();
  try {
    const [program = "", ...args] = [...WITH_SMALL_DISK, MOUNT, dir, "true"];
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  } finally {
    await Deno.remove(dir);
  }
}

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

story("METHOD=LIST ends with code 4 when a file cannot be written, and writes all others", async (at) => {
  await Deno.mkdir(join(at.folder, "b.txt", "in-the-way"), { recursive: true });
  await Deno.writeTextFile(join(at.folder, "b.txt", "in-the-way", "x"), "x");
  await at.create("ConfigMap", "a", { data: { "a.txt": "a", "b.txt": "b", "c.txt": "c" } });
  await at.create("Secret", "d", { data: { d: "d" } });
  const { sidecar, code } = await listOnce(at);
  assert.equal(code, 4);
  assertFolderEquals(at.folder, { "a.txt": "a", "c.txt": "c", d: "d", "b.txt/in-the-way/x": "x" });
  assert.ok(sidecar.find(`cannot write ${at.folder}/b.txt: there is a directory in its place`));
});

story("METHOD=LIST ends with code 4 when the disk is full, and says so", async (at) => {
  await Deno.mkdir(at.folder);
  await at.create("ConfigMap", "small", { data: { "small.txt": "x" } });
  await at.create("ConfigMap", "too-big", { data: { "too-big.txt": "x".repeat(100_000) } });
  const { sidecar, code } = await listOnce(at, {}, [...WITH_SMALL_DISK, MOUNT, at.folder]);
  assert.equal(code, 4);
  assert.ok(sidecar.find(/cannot write .*\/too-big.txt: .*the volume is full/));
  assert.ok(sidecar.find(`ConfigMap ${at.namespace}/small: wrote ${at.folder}/small.txt`));
}, { ignore: !await canMount() });

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
