/** The disk: full, read-only, gone, not what it was; and people who lay hands on it. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Churn, churns } from "../support/churn.ts";
import { assertDiskFollows, filesInCluster } from "../support/cluster_files.ts";
import { exists, fill, immutable, remount, removeFolder, smallDisk, where } from "../support/disk.ts";
import { faultStories, rounds } from "../support/fault_story.ts";
import { assertFolderEquals, eventually, recordIn, temporariesIn } from "../support/oracle.ts";
import { pick } from "../support/random.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import type { Story } from "../support/story.ts";

const add = faultStories();

function story(name: string, run: (at: Story, random: () => number) => Promise<void>): void {
  add(name, run);
}

/** A story for which the machine must have something. */
function diskStory(
  need: Parameters<typeof where>[0],
  title: string,
  run: (at: Story, random: () => number) => Promise<void>,
): void {
  const { name, ignore } = where(need, title);
  add(name, run, { ignore });
}

async function assertAlive(sidecar: SidecarProcess): Promise<void> {
  assert.ok(sidecar.running, "it ended");
  for (const path of ["/livez", "/readyz"]) assert.equal((await sidecar.health(path)).status, 200, path);
}

/** Does something while the sidecar can do nothing. */
async function standingStill(sidecar: SidecarProcess, act: () => void): Promise<void> {
  sidecar.kill("SIGSTOP");
  await eventually(() => assert.match(read(`/proc/${sidecar.pid}/stat`), /\) T /));
  try {
    act();
  } finally {
    sidecar.kill("SIGCONT");
  }
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

diskStory(
  "mounts",
  "the disk is full in the middle of a write: the old file stays, and the new one comes when there is room",
  async (at) => {
    using disk = smallDisk(512 * 1024);
    const folder = `${disk.path}/files`;
    await at.create("ConfigMap", "grows", { data: { "grows.txt": "small" } });
    await at.create("ConfigMap", "goes", { data: { "goes.txt": "x" } });
    const sidecar = await at.startReady({ FOLDER: folder });
    const filler = fill(disk.path);
    await at.change("ConfigMap", "grows", { data: { "grows.txt": "ä".repeat(50_000) } });
    await at.create("Secret", "more", { data: { more: "x".repeat(10_000) } });
    await sidecar.logged(/cannot write .*grows\.txt: .*the volume is full; check emptyDir\.sizeLimit/);
    await sidecar.logged(/cannot write .*more: .*the volume is full/);
    assert.equal(read(`${folder}/grows.txt`), "small");
    // It goes on trying: one that is there for a moment is none that is left
    await eventually(() => assert.deepEqual(temporariesIn(folder), []));
    await assertAlive(sidecar);
    // What goes can go on a full disk, too, and is not asked about before it does
    await at.delete("ConfigMap", "goes");
    await eventually(() => assert.throws(() => read(`${folder}/goes.txt`), Deno.errors.NotFound));
    filler[Symbol.dispose]();
    await assertDiskFollows(at, { folder });
    await sidecar.kill9();
  },
);

diskStory(
  "mounts",
  "there is no inode left: files that are there stay, and the others come when there is one",
  async (at) => {
    // FOLDER, the state directory and its parent, the record, a.txt, b.txt, and a temporary file
    using disk = smallDisk(4 * 1024 * 1024, 8);
    const folder = `${disk.path}/files`;
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ FOLDER: folder });
    const strangers: string[] = [];
    const take = () => {
      for (;;) {
        const path = `${disk.path}/stranger-${strangers.length}`;
        Deno.writeTextFileSync(path, "");
        strangers.push(path);
      }
    };
    assert.throws(take, /os error 28/);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    await sidecar.logged(/cannot write .*a\.txt/);
    await sidecar.logged(/cannot write .*b\.txt/);
    assert.equal(read(`${folder}/a.txt`), "1");
    await assertAlive(sidecar);
    for (const path of strangers) Deno.removeSync(path);
    await assertDiskFollows(at, { folder });
    await sidecar.kill9();
  },
);

diskStory("mounts", "the disk becomes read-only in a storm of changes, and writable again", async (at, random) => {
  using disk = smallDisk(8 * 1024 * 1024);
  const folder = `${disk.path}/files`;
  const storms = churns(at, random, 2);
  await Promise.all(storms.map((churn) => churn.run(15)));
  const sidecar = await at.startReady({ FOLDER: folder });
  remount(disk, "ro");
  const before = await snapshot(folder);
  await Promise.all(storms.map((churn) => churn.run(15)));
  await sidecar.logged(/the volume is mounted read-only/);
  assert.deepEqual(await snapshot(folder), before);
  await assertAlive(sidecar);
  remount(disk, "rw");
  await assertDiskFollows(at, { folder });
  await sidecar.kill9();
});

diskStory(
  "mounts",
  "started on a full and on a read-only disk, it is ready only once its files are there",
  async (at) => {
    using disk = smallDisk(512 * 1024);
    const folder = `${disk.path}/files`;
    Deno.mkdirSync(folder);
    await at.create("ConfigMap", "a", { data: { "a.txt": "x".repeat(20_000) } });
    const filler = fill(disk.path);
    const sidecar = await at.start({ FOLDER: folder });
    await sidecar.logged(/the volume is full/);
    await eventually(async () => {
      const { text } = await sidecar.health("/readyz");
      assert.match(text, /^not synced yet: cannot write .*a\.txt.*the volume is full/);
    });
    filler[Symbol.dispose]();
    await sidecar.ready();
    await assertDiskFollows(at, { folder });
    await sidecar.kill9();
  },
);

diskStory(
  "immutableFiles",
  "a file that cannot be replaced or removed holds nobody up, and follows when it can be",
  async (at) => {
    await at.create("ConfigMap", "fixed", { data: { "fixed.txt": "1" } });
    await at.create("ConfigMap", "stays", { data: { "stays.txt": "1" } });
    await at.create("ConfigMap", "free", { data: { "free.txt": "1" } });
    const sidecar = await at.startReady();
    const holds = ["fixed.txt", "stays.txt"].map((name) => immutable(`${at.folder}/${name}`));
    try {
      await at.change("ConfigMap", "fixed", { data: { "fixed.txt": "2" } });
      await at.delete("ConfigMap", "stays");
      await at.change("ConfigMap", "free", { data: { "free.txt": "2" } });
      await sidecar.logged(/cannot write .*fixed\.txt/);
      await sidecar.logged(/cannot remove .*stays\.txt/);
      await eventually(() => assertFolderEquals(at.folder, { "fixed.txt": "1", "stays.txt": "1", "free.txt": "2" }));
      await assertAlive(sidecar);
    } finally {
      for (const hold of holds) hold[Symbol.dispose]();
    }
    await assertDiskFollows(at);
  },
);

story(
  "the folder is removed while it runs: it is made again, and all is there after the next relist",
  async (at, random) => {
    const churn = new Churn(at, random);
    await churn.run(15);
    const sidecar = await at.startReady({ RESYNC_PERIOD: "2" });
    for (let round = 0; round < 2; round++) {
      removeFolder(at.folder);
      await churn.run(5);
      await assertDiskFollows(at);
    }
    await assertAlive(sidecar);
  },
);

story(
  "the folder is replaced by a file, by a symlink, and is a folder again: nothing is touched elsewhere",
  async (at) => {
    await at.create("ConfigMap", "a", {
      data: { "a.txt": "1" },
      annotations: { "k8s-sidecar-target-directory": "sub" },
    });
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    const sidecar = await at.startReady({ RESYNC_PERIOD: "2" });
    const [aside, elsewhere] = [`${at.dir}/aside`, `${at.dir}/elsewhere`];
    Deno.mkdirSync(`${elsewhere}/sub`, { recursive: true });
    for (const name of ["b.txt", "sub/a.txt"]) Deno.writeTextFileSync(`${elsewhere}/${name}`, "a stranger's");
    const replacements: Record<string, () => void> = {
      "a file": () => Deno.writeTextFileSync(at.folder, "a file"),
      "a symlink to another folder": () => Deno.symlinkSync(elsewhere, at.folder),
      "a symlink to nowhere": () => Deno.symlinkSync(`${at.dir}/nowhere`, at.folder),
      "a symlink to itself": () => Deno.symlinkSync(at.folder, at.folder),
    };
    let version = 1;
    for (const [what, replace] of Object.entries(replacements)) {
      const logged = sidecar.lines.length;
      await standingStill(sidecar, () => {
        Deno.renameSync(at.folder, aside);
        replace();
      });
      await at.change("ConfigMap", "a", { data: { "a.txt": `${++version}` } });
      await at.change("ConfigMap", "b", { data: { "b.txt": `${version}` } });
      await at.create("ConfigMap", `new-${version}`, { data: { [`new-${version}.txt`]: what } });
      await eventually(() => {
        const told = sidecar.lines.slice(logged).filter(({ level }) => level === "ERROR");
        assert.ok(told.length > 0, `nothing is said about ${what}`);
      });
      await assertAlive(sidecar);
      assert.deepEqual(await snapshot(elsewhere), { "b.txt": "a stranger's", "sub/a.txt": "a stranger's" }, what);
      await standingStill(sidecar, () => {
        Deno.removeSync(at.folder);
        Deno.renameSync(aside, at.folder);
      });
      await assertDiskFollows(at).catch((error) => assert.fail(`after ${what}: ${error.message}`));
    }
    assert.throws(() => Deno.lstatSync(`${at.dir}/nowhere`), Deno.errors.NotFound);
  },
);

story("directories stand where files should go, and files where directories should", async (at) => {
  const annotations = { "k8s-sidecar-target-directory": "sub" };
  Deno.mkdirSync(`${at.folder}/a.txt/kept`, { recursive: true });
  Deno.writeTextFileSync(`${at.folder}/a.txt/kept/stranger.txt`, "kept", { mode: 0o644 });
  Deno.writeTextFileSync(`${at.folder}/sub`, "a stranger's", { mode: 0o644 });
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await at.create("ConfigMap", "b", { data: { "b.txt": "1" }, annotations });
  await at.create("ConfigMap", "c", { data: { "c.txt": "1" } });
  const sidecar = await at.startReady();
  await sidecar.logged(/cannot write .*a\.txt: a directory is in the way/);
  await sidecar.logged(/cannot write .*b\.txt/);
  await at.change("ConfigMap", "c", { data: { "c.txt": "2" } });
  const strangers = { "a.txt/kept/stranger.txt": "kept", sub: "a stranger's" };
  await eventually(() => assertFolderEquals(at.folder, { "c.txt": "2", ...strangers }));
  Deno.removeSync(`${at.folder}/a.txt`, { recursive: true });
  Deno.removeSync(`${at.folder}/sub`);
  await assertDiskFollows(at);
});

story(
  "somebody changes, removes and replaces files at random in a storm: the next relist heals all of it",
  async (at, random) => {
    const foreign = { "stranger.txt": "nobody's business", "deep/er/stranger.txt": "nor this" };
    for (const [name, text] of Object.entries(foreign)) {
      Deno.mkdirSync(dirname(`${at.folder}/${name}`), { recursive: true });
      Deno.writeTextFileSync(`${at.folder}/${name}`, text, { mode: 0o644 });
    }
    const storms = churns(at, random, 2);
    await Promise.all(storms.map((churn) => churn.run(15)));
    const sidecar = await at.startReady({ RESYNC_PERIOD: "2" });
    const storm = new AbortController();
    const changes = Promise.all(storms.map((churn) => churn.run(Infinity, storm.signal)));
    let harm = 0;
    const links = new Set<string>();
    for (let round = 0; round < 40; round++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const files = Object.keys(await snapshot(at.folder)).filter((name) => !name.includes("stranger"));
      if (files.length === 0) continue;
      const name = pick(random, files);
      if (vandalize(`${at.folder}/${name}`, random)) harm++;
      if (isSymlink(`${at.folder}/${name}`)) links.add(name);
    }
    storm.abort();
    await changes;
    await eventually(async () => {
      const wanted = await filesInCluster(at);
      // A symlink where the sidecar no longer wants a file is the vandal's own, and so is the directory that it kept
      for (const name of links) if (!(name in wanted)) takeBack(`${at.folder}/${name}`, at.folder);
      assertFolderEquals(at.folder, { ...wanted, ...foreign });
    }, { timeout: 30_000, interval: 50 });
    await assertAlive(sidecar);
    assert.ok(harm >= 20, `only ${harm} acts of vandalism`);
  },
);

story(`the journal is cut, garbled, replaced or lost while it is down: ${rounds(6)} times`, async (at, random) => {
  Deno.mkdirSync(at.folder, { recursive: true });
  const foreign = { "stranger.txt": "x" };
  Deno.writeTextFileSync(`${at.folder}/stranger.txt`, "x", { mode: 0o644 });
  for (let round = 0; round < rounds(6); round++) {
    const data = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`${round}-${index}.txt`, `${round}`]));
    await at.create("ConfigMap", `stays-${round}`, { data });
    await at.create("ConfigMap", `goes-${round}`, { data: { [`goes-${round}.txt`]: "x" } });
    const first = await at.startReady();
    await assertDiskFollows(at, { foreign });
    await first.kill9();
    const journal = recordIn(at.folder);
    const harm = garble(journal, random, round);
    await at.delete("ConfigMap", `goes-${round}`);
    await at.change("ConfigMap", `stays-${round}`, { data: { [`${round}-0.txt`]: "changed" } });
    const second = await at.startReady();
    const wanted = await filesInCluster(at);
    // What only the lost part of the journal said to be ours stays: the sidecar is not sure of it
    const left = exists(`${at.folder}/goes-${round}.txt`) ? { [`goes-${round}.txt`]: "x" } : {};
    assertFolderEquals(at.folder, { ...wanted, ...foreign, ...left });
    if (harm.isTold) {
      assert.ok(second.find(/are not valid|cannot read/), `nothing is said of a journal that was ${harm.what}`);
    }
    if (exists(`${at.folder}/goes-${round}.txt`)) Deno.removeSync(`${at.folder}/goes-${round}.txt`);
    // And from now on it knows again what is its own
    await second.kill9();
    await at.delete("ConfigMap", `stays-${round}`);
    const third = await at.startReady();
    await assertDiskFollows(at, { foreign });
    await third.kill9();
  }
});

function garble(journal: string, random: () => number, round: number): { what: string; isTold: boolean } {
  const bytes = Deno.readFileSync(journal);
  const at = 1 + Math.floor(random() * (bytes.length - 2));
  switch (round % 4) {
    case 0: {
      Deno.truncateSync(journal, at);
      const isWhole = bytes[at - 1] === 0x0a || bytes[at] === 0x0a;
      return { what: `cut at byte ${at}`, isTold: !isWhole };
    }
    case 1:
      Deno.writeFileSync(journal, Uint8Array.from({ length: 5000 }, () => Math.floor(random() * 256)));
      return { what: "filled with garbage", isTold: true };
    case 2:
      Deno.removeSync(journal);
      return { what: "removed", isTold: false };
    default:
      bytes.fill(0, at, at + 100);
      Deno.writeFileSync(journal, bytes);
      return { what: `filled with zeros from byte ${at}`, isTold: true };
  }
}

/** `false`: the sidecar was faster. */
function vandalize(path: string, random: () => number): boolean {
  const acts = [
    () => Deno.writeTextFileSync(path, "vandalized", { create: false }),
    () => Deno.writeTextFileSync(path, "longer", { append: true, create: false }),
    () => Deno.removeSync(path),
    () => Deno.chmodSync(path, 0o777),
    () => Deno.truncateSync(path, 3),
    () => {
      Deno.removeSync(path);
      Deno.symlinkSync("/dev/null", path);
    },
    () => {
      const bytes = Deno.readFileSync(path);
      bytes[0] = 0;
      Deno.writeFileSync(path, bytes, { create: false });
    },
  ];
  try {
    pick(random, acts)();
    return true;
  } catch {
    return false;
  }
}

function isSymlink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

/** Removes a symlink, and the directories above it that then hold nothing. */
function takeBack(path: string, folder: string): void {
  if (isSymlink(path)) Deno.removeSync(path);
  for (let directory = dirname(path); directory !== folder; directory = dirname(directory)) {
    try {
      Deno.removeSync(directory);
    } catch {
      return;
    }
  }
}

/** Every file's text by path below a folder, without journals and without what goes while they are read. */
async function snapshot(folder: string, below = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, isDirectory } of await orGone(Array.fromAsync(Deno.readDir(folder + below))) ?? []) {
    const path = `${below}/${name}`;
    if (name.startsWith("..k8s-sidecar-")) continue;
    if (isDirectory) Object.assign(files, await snapshot(folder, path));
    else {
      const text = await orGone(Deno.readTextFile(folder + path));
      if (text !== undefined) files[path.slice(1)] = text;
    }
  }
  return files;
}

async function orGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
