/** Volumes as they are (rows 6 and 15 of the field cases, and their kind). */
import assert from "node:assert/strict";
import { bound, diskAt, exists, readOnly, text, where } from "../../support/disk.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Story } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

/** Starts a program whose system calls fail with an error; it is the process that is started, and strace looks on. */
function failing(calls: string[], error: string): string[] {
  const names = calls.map((name) => `?${name}`).join(",");
  return [
    "strace",
    "-D",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    `trace=${names}`,
    "-e",
    `inject=${names}:error=${error}`,
  ];
}

const CHMOD = ["chmod", "fchmod", "fchmodat", "fchmodat2"];

const withoutStrace = (() => {
  try {
    const [program = "", ...args] = [...failing(CHMOD, "EPERM"), "chmod", "600", "/dev/null"];
    const options = { args, stdout: "null", stderr: "null" } as const;
    return new Deno.Command(program, options).outputSync().success ? "strace injects nothing" : undefined;
  } catch {
    return "no strace";
  }
})();

/** No retry is needed. */
const READY_MS = 8000;

/** What makes a new file's mode another than it should be. */
const UMASK = ["sh", "-c", 'umask 077; exec "$@"', "sh"];

function warnings({ lines }: SidecarProcess): string[] {
  return lines.filter(({ level }) => level === "WARN").map(({ msg }) => msg);
}

/** Files are kept while the volume refuses these calls. Returns the warnings. */
async function keepsFiles(at: Story, calls: string[], error: string): Promise<string[]> {
  for (const name of ["a", "b"]) await at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" } });
  const inFolder = { data: { "c.txt": "1" }, annotations: { [ANNOTATION]: "sub" } };
  await at.create("Secret", "c", inFolder);
  const sidecar = await at.start({}, { through: [...UMASK, ...failing(calls, error)] });
  await sidecar.ready(READY_MS);
  const read = () => ["a.txt", "b.txt", "sub/c.txt"].map((name) => text(`${at.folder}/${name}`)).join();
  assert.equal(read(), "1,1,1");
  assert.equal((await sidecar.health("/readyz")).status, 200);
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  await at.delete("ConfigMap", "b");
  await eventually(() => assert.ok(text(`${at.folder}/a.txt`) === "2" && !exists(`${at.folder}/b.txt`)));
  assert.deepEqual(sidecar.lines.filter(({ level }) => level === "ERROR"), []);
  return warnings(sidecar);
}

/** Creates objects of which one is in FOLDER, one beside it in the volume, and one outside. */
async function around(at: Story, volume: string): Promise<void> {
  const create = (name: string, folder?: string) => {
    const annotations: Record<string, string> = folder === undefined ? {} : { [ANNOTATION]: folder };
    return at.create("ConfigMap", name, { data: { [`${name}.json`]: "{}" }, annotations });
  };
  await create("general");
  await create("mimir", `${volume}/dashboards/Mimir Dashboards`);
  await create("outside", `${at.dir}/outside`);
}

export function tellOfVolumes(story: AddStory): void {
  const strace = { ignore: withoutStrace !== undefined };
  const named = (name: string) => withoutStrace === undefined ? name : `${name} (left out: ${withoutStrace})`;
  for (const error of ["EPERM", "EOPNOTSUPP", "EACCES", "ENOSYS", "EINVAL"]) {
    story(named(`Volume that refuses chmod with ${error} is one warning`), async (at) => {
      const found = await keepsFiles(at, CHMOD, error);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", /mode|chmod/i);
    }, strace);
  }

  story(named("Volume that refuses fsync keeps files"), async (at) => {
    await keepsFiles(at, ["fsync", "fdatasync"], "EINVAL");
  }, strace);

  story(named("Mode that a volume refuses is not tried at each look"), async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const settings = { DEFAULT_FILE_MODE: "0640", RESYNC_PERIOD: "0.3", CHECK_PERIOD: "0.2", DEBUG: "true" };
    const sidecar = await at.start(settings, { through: [...UMASK, ...failing(CHMOD, "EPERM")] });
    await sidecar.ready(READY_MS);
    const { ino, mtime } = Deno.statSync(`${at.folder}/a.txt`);
    await sidecar.logged(/configmaps\?.*limit=500/, { count: 3 });
    const now = Deno.statSync(`${at.folder}/a.txt`);
    assert.deepEqual([now.ino, now.mtime], [ino, mtime], "it is written again and again");
    assert.equal(warnings(sidecar).length, 1, sidecar.tail());
  }, strace);

  const mounts = (name: string) => where("mounts", name);
  const beside = mounts("DEFAULTS=kiwigrid writes beside FOLDER in its volume");
  story(beside.name, async (at) => {
    const volume = `${at.dir}/tmp`;
    using _disk = diskAt(volume, 4 * 1024 * 1024);
    await around(at, volume);
    const sidecar = await at.startReady({ DEFAULTS: "kiwigrid", FOLDER: `${volume}/dashboards/General` });
    assert.equal(text(`${volume}/dashboards/General/general.json`), "{}");
    assert.equal(text(`${volume}/dashboards/Mimir Dashboards/mimir.json`), "{}");
    assert.ok(!exists(`${at.dir}/outside`));
    assert.equal(sidecar.lines.filter(({ level }) => level === "ERROR").length, 1, sidecar.tail());
    await at.delete("ConfigMap", "mimir");
    await eventually(() => assert.ok(!exists(`${volume}/dashboards/Mimir Dashboards/mimir.json`)));
    await sidecar.kill9();
  }, beside);

  const strict = mounts("Volume of FOLDER is no root where it should not be");
  story(strict.name, async (at) => {
    const volume = `${at.dir}/tmp`;
    using _disk = diskAt(volume, 4 * 1024 * 1024);
    await around(at, volume);
    const folder = `${volume}/dashboards/General`;
    for (const settings of [{}, { DEFAULTS: "kiwigrid", ALLOWED_FOLDERS: `${at.dir}/outside` }]) {
      const sidecar = await at.startReady({ FOLDER: folder, ...settings });
      await sidecar.logged(/\/mimir refused/);
      assert.ok(!exists(`${volume}/dashboards/Mimir Dashboards`));
      assert.equal(exists(`${at.dir}/outside/outside.json`), "DEFAULTS" in settings);
      await sidecar.kill9();
    }
  }, strict);

  story("DEFAULTS=kiwigrid takes no root file system for a volume", async (at) => {
    await around(at, `${at.dir}/tmp`);
    const sidecar = await at.startReady({ DEFAULTS: "kiwigrid", FOLDER: `${at.dir}/tmp/dashboards/General` });
    await sidecar.logged(/\/(mimir|outside) refused/, { count: 2 });
    assert.ok(!exists(`${at.dir}/tmp/dashboards/Mimir Dashboards`));
  }, { ignore: Deno.statSync(Deno.env.get("TMPDIR") ?? "/tmp").dev !== Deno.statSync("/").dev });

  story("ATOMIC_WRITES=false rewrites a file in place", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "a long text", "b.txt": "1" } });
    await at.startReady({ ATOMIC_WRITES: "false" });
    const { ino } = Deno.statSync(`${at.folder}/a.txt`);
    await at.change("ConfigMap", "a", { data: { "a.txt": "short", "b.txt": null } });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "short" }));
    assert.equal(Deno.statSync(`${at.folder}/a.txt`).ino, ino);
  });

  const single = mounts("ATOMIC_WRITES=false writes a file that is a mount");
  story(single.name, async (at) => {
    Deno.mkdirSync(at.folder);
    const [source, path] = [`${at.dir}/source`, `${at.folder}/a.txt`];
    for (const file of [source, path]) Deno.writeTextFileSync(file, "before");
    using _mount = bound(source, path);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.start({ ATOMIC_WRITES: "false" });
    await sidecar.ready(READY_MS);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await eventually(() => assert.equal(text(source), "2"));
    await sidecar.kill9();
  }, single);
  const busy = mounts("File that is a mount is its object's fault alone");
  story(busy.name, async (at) => {
    Deno.mkdirSync(at.folder);
    const [source, path] = [`${at.dir}/source`, `${at.folder}/a.txt`];
    for (const file of [source, path]) Deno.writeTextFileSync(file, "before");
    using _mount = bound(source, path);
    for (const name of ["a", "b"]) await at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" } });
    const sidecar = await at.start();
    await sidecar.ready(READY_MS);
    assert.equal(text(`${at.folder}/b.txt`), "1");
    assert.match(sidecar.find(/cannot write .*a\.txt/)?.msg ?? "", /mounted there; ATOMIC_WRITES=false/);
    await sidecar.kill9();
    const once = await at.start({ METHOD: "LIST" });
    assert.equal((await once.exited()).code, 0);
  }, busy);

  const unwritable = mounts("File that is right in a read-only FOLDER is adopted at most once");
  story(unwritable.name, async (at) => {
    Deno.mkdirSync(at.folder);
    Deno.writeTextFileSync(`${at.folder}/a.txt`, "1");
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    let sidecar: SidecarProcess;
    {
      using _ = readOnly(at.folder);
      sidecar = await at.start({ DEBUG: "true" });
      await sidecar.logged(/cannot write .*a\.txt.*read-only/);
      assert.equal((await sidecar.health("/readyz")).status, 503);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal(sidecar.find(/adopted/), undefined);
    }
    await sidecar.ready(READY_MS * 2);
    assert.equal(sidecar.lines.filter(({ msg }) => msg.includes("adopted")).length, 1);
  }, unwritable);
}
