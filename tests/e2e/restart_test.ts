/** What a sidecar finds when it starts again, and what it does about it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { removeFolder } from "../support/disk.ts";
import { assertFolderEquals, eventually, temporariesIn } from "../support/oracle.ts";
import { stories, type Story } from "../support/story.ts";

const story = stories();

/** What changes when a file is written, be it with the same bytes. */
function writtenAt(at: Story, name: string): { inode: number | null; mtime: number | undefined } {
  const { ino, mtime } = Deno.statSync(join(at.folder, name));
  return { inode: ino, mtime: mtime?.getTime() };
}

story(
  "files of an object that was deleted while nobody looked go at the next start, a stranger's file stays",
  async (at) => {
    await at.create("ConfigMap", "orphan", { data: { "orphan.txt": "x" } });
    await at.create("Secret", "shrinks", { data: { kept: "x", "removed.txt": "x" } });
    await at.create("ConfigMap", "moves", {
      data: { "moves.txt": "x" },
      annotations: { "k8s-sidecar-target-directory": "before" },
    });
    const sidecar = await at.startReady();
    await Deno.writeTextFile(join(at.folder, "foreign.txt"), "not ours");
    await sidecar.kill9();

    await at.delete("ConfigMap", "orphan");
    await at.change("Secret", "shrinks", { data: { "removed.txt": null } });
    await at.change("ConfigMap", "moves", { annotations: { "k8s-sidecar-target-directory": "after" } });
    await at.startReady();
    assertFolderEquals(at.folder, { kept: "x", "after/moves.txt": "x", "foreign.txt": "not ours" });
  },
);

story("a restart writes nothing that is right already", async (at) => {
  await at.create("ConfigMap", "a", { data: { "same.txt": "x", "other.txt": "x" } });
  await at.create("Secret", "b", { data: { same: "x" } });
  const first = await at.startReady();
  const before = { a: writtenAt(at, "same.txt"), b: writtenAt(at, "same") };
  await first.stop();

  await at.change("ConfigMap", "a", { data: { "other.txt": "changed" } });
  const second = await at.startReady();
  assertFolderEquals(at.folder, { "same.txt": "x", same: "x", "other.txt": "changed" });
  assert.deepEqual({ a: writtenAt(at, "same.txt"), b: writtenAt(at, "same") }, before);
  assert.deepEqual(second.findAll("wrote").map(({ msg }) => msg), [
    `ConfigMap ${at.namespace}/a: wrote ${at.folder}/other.txt`,
  ]);
});

story("killed in the middle of a storm of changes, again and again, it ends with the right files", async (at) => {
  const names = Array.from({ length: 40 }, (_, index) => `storm-${index}`);
  const data = (name: string, round: number) => ({
    [`${name}.txt`]: `${round} `.repeat(5000),
    [`${name}.${round}.txt`]: "of this round only",
  });
  for (const name of names) await at.create("ConfigMap", name, { data: data(name, 0) });

  let round = 0;
  let stormy = true;
  const storm = (async () => {
    while (stormy) {
      round++;
      for (const name of names) {
        const former = { [`${name}.${round - 1}.txt`]: null };
        await at.change("ConfigMap", name, { data: { ...former, ...data(name, round) } });
      }
    }
  })();
  try {
    for (const lines of [10, 25, 60]) {
      const sidecar = await at.start();
      await sidecar.logged(/: wrote /, { count: lines });
      await sidecar.kill9();
    }
  } finally {
    stormy = false;
    await storm;
  }
  await at.startReady();
  assert.deepEqual(temporariesIn(at.folder), []);
  assertFolderEquals(at.folder, Object.assign({}, ...names.map((name) => data(name, round))));
});

story("a resync puts right what somebody else did to the files", async (at) => {
  await at.create("ConfigMap", "a", { data: { "changed.txt": "right", "removed.txt": "there", "mode.txt": "x" } });
  await at.create("Secret", "b", { data: { untouched: "x" } });
  await at.startReady({ RESYNC_PERIOD: "2" });
  const before = writtenAt(at, "untouched");

  await Deno.writeTextFile(join(at.folder, "changed.txt"), "wrong");
  await Deno.remove(join(at.folder, "removed.txt"));
  await Deno.chmod(join(at.folder, "mode.txt"), 0o600);
  const right = { "changed.txt": "right", "removed.txt": "there", "mode.txt": "x", untouched: "x" };
  await eventually(() => assertFolderEquals(at.folder, right));

  removeFolder(at.folder);
  await eventually(() => assertFolderEquals(at.folder, right));
  assert.notDeepEqual(writtenAt(at, "untouched"), before);
});

story("a folder whose record was lost is taken over: nothing is written, nothing of others removed", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a", "b.txt": "b" } });
  const sidecar = await at.startReady({ STATE_FILE: join(at.dir, "state") });
  const before = writtenAt(at, "a.txt");
  await sidecar.stop();
  await Deno.remove(join(at.dir, "state"));
  await Deno.writeTextFile(join(at.folder, "b.txt"), "stranger's");
  await Deno.writeTextFile(join(at.folder, "c.txt"), "stranger's");

  await at.startReady({ STATE_FILE: join(at.dir, "state") });
  assertFolderEquals(at.folder, { "a.txt": "a", "b.txt": "b", "c.txt": "stranger's" });
  assert.deepEqual(writtenAt(at, "a.txt"), before);
});
