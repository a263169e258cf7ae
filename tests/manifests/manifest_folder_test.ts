import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ManifestFolder } from "../../lib/manifests/manifest_folder.ts";
import { keptLog } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";

function place(): Disposable & { path: string } & Record<"write" | "save", (name: string, text: string) => void> & {
  read(): Promise<{ objects: string[]; faults: string[] }>;
  folder: ManifestFolder;
  log: ReturnType<typeof keptLog>;
} {
  const temporary = tempFolder();
  const { path } = temporary;
  const log = keptLog();
  const folder = new ManifestFolder(path, log, [`${path}/written`, `${path}/not-there`]);
  const write = (name: string, text: string) => {
    Deno.mkdirSync(dirname(`${path}/${name}`), { recursive: true });
    Deno.writeTextFileSync(`${path}/${name}`, text);
  };
  return {
    path,
    folder,
    log,
    write,
    /** As editors save: to another name, then over the old one. */
    save(name, text) {
      write(`${name}~`, text);
      Deno.renameSync(`${path}/${name}~`, `${path}/${name}`);
    },
    async read() {
      const { manifests, faults } = await folder.read();
      const objects = [...manifests.values()].map(({ key, object }) => `${key.slice(10)}=${object.data?.k}`);
      return { objects: objects.sort(), faults: [...faults.values()] };
    },
    [Symbol.dispose]: () => temporary[Symbol.dispose](),
  };
}

function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {k: "${value}"}\n`;
}

Deno.test("ManifestFolder.read() finds YAML and JSON in subfolders and leaves hidden files out", async () => {
  using at = place();
  for (const name of ["a.yaml", "deep/er/b.yml", "c.json"]) {
    at.write(name, configMap(name.replace(/.*(\w)\..*/, "$1"), "1"));
  }
  for (const name of [".hidden.yaml", "..data/f.yaml", ".git/x.yaml", "g.yaml~", "h.yaml.swp", "i.txt"]) {
    at.write(name, configMap("ignored", ""));
  }
  at.write("e.yaml", "apiVersion: apps/v1\nkind: Deployment\n");
  assert.deepEqual(await at.read(), { objects: ["default/a=1", "default/b=1", "default/c=1"], faults: [] });
  assert.deepEqual(at.log.lines, ["debug: e.yaml: skipped Deployment at e.yaml:1"]);
});

Deno.test("ManifestFolder.read() warns once of a key that is not base64", async () => {
  using at = place();
  at.write("a.yaml", configMap("a", "1") + "binaryData: {b: '*'}\n");
  for (let time = 0; time < 2; time++) assert.deepEqual(await at.read(), { objects: ["default/a=1"], faults: [] });
  assert.deepEqual(at.log.lines, ["warn: a.yaml:5: binaryData.b: not base64; the other keys are used"]);
});

Deno.test("ManifestFolder.read() follows links to files and folders, and none back", async () => {
  using at = place();
  at.write("..data/a.yaml", configMap("a", "1"));
  at.write("..data/sub/b.yaml", configMap("b", "1"));
  Deno.symlinkSync("..data/a.yaml", `${at.path}/a.yaml`);
  Deno.symlinkSync("..data/sub", `${at.path}/sub`);
  Deno.symlinkSync(".", `${at.path}/self`);
  Deno.symlinkSync("../..", `${at.path}/..data/sub/up`);
  Deno.symlinkSync("nowhere", `${at.path}/dangling.yaml`);
  Deno.symlinkSync("loop", `${at.path}/loop`);
  assert.deepEqual(await at.read(), { objects: ["default/a=1", "default/b=1"], faults: [] });
});

Deno.test("ManifestFolder.read() keeps a file's last valid objects while it is invalid", async () => {
  using at = place();
  at.write("a.yaml", configMap("a", "1") + "---\n" + configMap("b", "1"));
  await at.read();
  at.save("a.yaml", configMap("a", "2") + "---\nkind: x\n");
  const fault = "a.yaml:6: not a Kubernetes object: apiVersion and kind are required";
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await at.read(), { objects: ["default/a=1", "default/b=1"], faults: [fault] });
  }
  at.save("a.yaml", configMap("a", "3"));
  assert.deepEqual(await at.read(), { objects: ["default/a=3"], faults: [] });
});

Deno.test("ManifestFolder.read() keeps the others when one file of several is invalid", async () => {
  using at = place();
  at.write("a.yaml", "{");
  at.write("b.yaml", configMap("b", "1"));
  const { objects, faults } = await at.read();
  assert.deepEqual(objects, ["default/b=1"]);
  assert.match(faults.join("\n"), /^a\.yaml:1: [^\n]+$/);
  Deno.removeSync(`${at.path}/a.yaml`);
  assert.deepEqual((await at.read()).faults, []);
  assert.equal(at.folder.has("a.yaml"), false);
});

Deno.test("ManifestFolder.read() names both places of an object that is defined twice", async () => {
  using at = place();
  at.write("b.yaml", configMap("same", "first"));
  await at.read();
  at.write("a.yaml", `${configMap("other", "1")}---\n${configMap("same", "second")}`);
  const fault = "a.yaml:6: ConfigMap default/same is already defined at b.yaml:1";
  assert.deepEqual(await at.read(), { objects: ["default/same=first"], faults: [fault] });
  Deno.removeSync(`${at.path}/b.yaml`);
  assert.deepEqual(await at.read(), { objects: ["default/other=1", "default/same=second"], faults: [] });
  at.save("a.yaml", `${configMap("x", "1")}---\n${configMap("x", "2")}`);
  assert.deepEqual((await at.read()).faults, ["a.yaml:6: ConfigMap default/x is already defined at a.yaml:1"]);
});

Deno.test("ManifestFolder.read() lets an object move from one file to another", async () => {
  using at = place();
  at.write("a.yaml", configMap("a", "1"));
  at.write("b.yaml", configMap("b", "1"));
  await at.read();
  at.save("a.yaml", configMap("b", "2"));
  at.save("b.yaml", configMap("a", "2"));
  assert.deepEqual(await at.read(), { objects: ["default/a=2", "default/b=2"], faults: [] });
  Deno.renameSync(`${at.path}/a.yaml`, `${at.path}/c.yaml`);
  assert.deepEqual(await at.read(), { objects: ["default/a=2", "default/b=2"], faults: [] });
});

Deno.test("ManifestFolder.read() sees a change that the file's size and time do not show", async () => {
  using at = place();
  const time = new Date(0);
  at.write("a.yaml", configMap("a", "1"));
  Deno.utimeSync(`${at.path}/a.yaml`, time, time);
  await at.read();
  at.write("a.yaml", configMap("a", "2"));
  Deno.utimeSync(`${at.path}/a.yaml`, time, time);
  at.folder.touch(`${at.path}/a.yaml`);
  assert.deepEqual((await at.read()).objects, ["default/a=2"]);
});

Deno.test("ManifestFolder.read() keeps everything when the folder cannot be read", async () => {
  using at = place();
  at.write("a.yaml", configMap("a", "1"));
  await at.read();
  Deno.renameSync(at.path, `${at.path}-away`);
  const { objects, faults } = await at.read();
  assert.deepEqual(objects, ["default/a=1"]);
  assert.match(faults.join("\n"), /^--manifests: the folder ".*" cannot be read: No such file or directory/);
  Deno.renameSync(`${at.path}-away`, at.path);
  assert.deepEqual(await at.read(), { objects: ["default/a=1"], faults: [] });
});

Deno.test("ManifestFolder.read() keeps the objects of a file that cannot be read", async () => {
  using at = place();
  at.write("a.yaml", configMap("a", "1"));
  await at.read();
  Deno.removeSync(`${at.path}/a.yaml`);
  Deno.symlinkSync("a.yaml", `${at.path}/a.yaml`);
  const { objects, faults } = await at.read();
  assert.deepEqual(objects, ["default/a=1"]);
  assert.match(faults.join("\n"), /^a\.yaml: .*symbolic links/);
});

Deno.test("ManifestFolder does not read the folder that files are written to", async () => {
  using it = place();
  it.write("a.yaml", configMap("a", "1"));
  assert.deepEqual(await it.read(), { objects: ["default/a=1"], faults: [] });
  it.write("written/dashboard.json", "{}");
  it.write("written/sub/b.yaml", configMap("b", "1"));
  it.write("else/c.yaml", configMap("c", "1"));
  assert.deepEqual(await it.read(), { objects: ["default/a=1", "default/c=1"], faults: [] });
});
