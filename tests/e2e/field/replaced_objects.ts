/** Objects that replace others (row 14 of the field cases, and its kind): new names, and deletes followed by creates. */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { exists, text } from "../../support/disk.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Story } from "../../support/story.ts";

const AT_ONCE = { timeout: 3000 };

/** Creates an object that is younger than all before: timestamps of the API server are whole seconds. */
async function createLater(at: Story, name: string, data: Record<string, string>): Promise<void> {
  const second = Math.floor(Date.now() / 1000);
  await eventually(() => assert.ok(Math.floor(Date.now() / 1000) > second));
  await at.create("ConfigMap", name, { data });
}

/** Passes when the sidecar has seen everything that happened until now. */
async function caughtUp(at: Story, folder = at.folder): Promise<void> {
  const name = `marker-${crypto.randomUUID()}`;
  await at.create("ConfigMap", name, { data: { [name]: "" } });
  await eventually(() => assert.ok(exists(`${folder}/${name}`)));
  await at.delete("ConfigMap", name);
}

function collisions(sidecar: SidecarProcess, ...names: string[]): string[] {
  return sidecar.lines.filter(({ level, msg }) => level === "WARN" && names.every((name) => msg.includes(name)))
    .map(({ msg }) => msg);
}

export function tellOfReplacedObjects(story: AddStory): void {
  story("COLLISIONS=newest has the renamed object's file", async (at) => {
    await at.create("ConfigMap", "dash-a", { data: { "overview.json": "v1" } });
    const sidecar = await at.startReady({ COLLISIONS: "newest" });
    assertFolderEquals(at.folder, { "overview.json": "v1" });
    await createLater(at, "dash-b", { "overview.json": "v2" });
    await eventually(() => assertFolderEquals(at.folder, { "overview.json": "v2" }), AT_ONCE);
    await at.change("ConfigMap", "dash-a", { data: { "overview.json": "v1, touched" } });
    await caughtUp(at);
    assert.equal(text(`${at.folder}/overview.json`), "v2");
    assert.equal(collisions(sidecar, "dash-a", "dash-b").length, 1);
    // The rollback that kustomize does not make: the new object goes, the old one is still there
    await at.delete("ConfigMap", "dash-b");
    await eventually(() => assertFolderEquals(at.folder, { "overview.json": "v1, touched" }), AT_ONCE);
  });

  story("Of three objects COLLISIONS and DEFAULTS name the winner", async (at) => {
    await at.create("ConfigMap", "b-first", { data: { x: "first" } });
    await createLater(at, "c-second", { x: "second" });
    await createLater(at, "a-third", { x: "third" });
    const start = (settings: Record<string, string>, folder: string) => at.startReady({ ...settings, FOLDER: folder });
    const [oldest, newest, kiwigrid] = ["oldest", "newest", "kiwigrid"].map((name) => `${at.folder}-${name}`);
    assert.ok(oldest && newest && kiwigrid);
    await start({}, oldest);
    await start({ COLLISIONS: "newest" }, newest);
    await start({ DEFAULTS: "kiwigrid" }, kiwigrid);
    const assertWinners = async (ofOldest: string, ofNewest: string) => {
      await eventually(() => assertFolderEquals(oldest, { x: ofOldest }), AT_ONCE);
      for (const folder of [newest, kiwigrid]) {
        await eventually(() => assertFolderEquals(folder, { x: ofNewest }), AT_ONCE);
      }
    };
    await assertWinners("first", "third");
    await at.delete("ConfigMap", "a-third");
    await assertWinners("first", "second");
    await at.delete("ConfigMap", "c-second");
    await assertWinners("first", "first");
  });

  story("Winner among equal timestamps is the same after a restart", async (at) => {
    const names = ["b", "c", "a"];
    await Promise.all(names.map((name) => at.create("ConfigMap", name, { data: { x: name } })));
    for (const collisions of ["oldest", "newest"]) {
      const folder = `${at.folder}-${collisions}`;
      const settings = { COLLISIONS: collisions, FOLDER: folder };
      const first = await at.startReady(settings);
      const winner = text(`${folder}/x`);
      for (const name of names) await at.change("ConfigMap", name, { annotations: { touched: collisions } });
      await caughtUp(at, folder);
      assert.equal(text(`${folder}/x`), winner);
      await first.stop();
      await at.startReady(settings);
      assert.equal(text(`${folder}/x`), winner);
    }
  });

  story("Paths that are one by a link are one path", async (at) => {
    await Deno.mkdir(`${at.folder}/real`, { recursive: true });
    await Deno.symlink("real", `${at.folder}/link`);
    const inFolder = (folder: string) => ({ "k8s-sidecar-target-directory": folder });
    await at.create("ConfigMap", "by-name", { data: { x: "by name" }, annotations: inFolder("real") });
    await at.create("ConfigMap", "by-link", { data: { x: "by link" }, annotations: inFolder("link") });
    const sidecar = await at.startReady({ RESYNC_PERIOD: "0.3", DEBUG: "true" });
    const winner = text(`${at.folder}/real/x`);
    await sidecar.logged(/configmaps\?.*limit=500/, { count: 3 });
    assert.equal(text(`${at.folder}/real/x`), winner);
    assert.equal(sidecar.findAll(/: wrote /).length, 1, "they take it from each other");
    assert.equal(collisions(sidecar, "by-name", "by-link").length, 1, sidecar.tail());
  });

  story("Object replaced by delete and create has its new content", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1", "old.txt": "1" } });
    await at.startReady();
    for (let version = 2; version <= 6; version++) {
      await at.delete("ConfigMap", "a");
      await at.create("ConfigMap", "a", { data: { "a.txt": String(version), [`${version}.txt`]: "1" } });
    }
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "6", "6.txt": "1" }), AT_ONCE);
  });

  story("Immutable ConfigMap made anew has its new content", async (at) => {
    const path = `/api/v1/namespaces/${at.namespace}/configmaps`;
    const metadata = { name: "a", labels: { [at.label]: "yes" } };
    const create = (content: string) => at.request("POST", path, { metadata, immutable: true, data: { x: content } });
    await create("1");
    await at.startReady();
    assertFolderEquals(at.folder, { x: "1" });
    await at.delete("ConfigMap", "a");
    await create("2");
    await eventually(() => assertFolderEquals(at.folder, { x: "2" }), AT_ONCE);
  });

  story("REMOVE_DELAY keeps the file of an object that is made again", async (at) => {
    await using told = new Application();
    await at.create("ConfigMap", "a", { data: { "same.txt": "1", "changes.txt": "1", "key.txt": "1" } });
    const sidecar = await at.startReady({ REMOVE_DELAY: "60", REQ_URL: told.url });
    await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
    const { ino, mtime } = Deno.statSync(`${at.folder}/same.txt`);
    const { length } = told.calls;
    await at.delete("ConfigMap", "a");
    // Its event comes after the delete's
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    await eventually(() => assert.ok(exists(`${at.folder}/b.txt`)));
    const files = { "same.txt": "1", "changes.txt": "1", "key.txt": "1", "b.txt": "1" };
    assertFolderEquals(at.folder, files);
    await at.create("ConfigMap", "a", { data: { "same.txt": "1", "changes.txt": "2" } });
    const { "key.txt": _, ...left } = files;
    await eventually(() => assertFolderEquals(at.folder, { ...left, "changes.txt": "2" }), AT_ONCE);
    const now = Deno.statSync(`${at.folder}/same.txt`);
    assert.deepEqual([now.ino, now.mtime], [ino, mtime], "it was written again");
    await eventually(() => assert.ok(told.calls.length > length));
  });

  story("REMOVE_DELAY and the same object again notify of nothing", async (at) => {
    await using told = new Application();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await at.startReady({ REMOVE_DELAY: "60", REQ_URL: told.url, NOTIFY_QUIET_PERIOD: "0.05" });
    await eventually(() => assert.equal(told.calls.length, 1));
    const { ino, mtime } = Deno.statSync(`${at.folder}/a.txt`);
    for (let count = 0; count < 3; count++) {
      await at.delete("ConfigMap", "a");
      await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    }
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    await eventually(() => assert.equal(told.calls.length, 2));
    assertFolderEquals(at.folder, { "a.txt": "1", "b.txt": "1" });
    const now = Deno.statSync(`${at.folder}/a.txt`);
    assert.deepEqual([now.ino, now.mtime], [ino, mtime], "it was written again");
    await at.change("ConfigMap", "b", { data: { "b.txt": "2" } });
    await eventually(() => assert.equal(told.calls.length, 3));
  });

  story("REMOVE_DELAY over, the file of a deleted object goes", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await at.startReady({ REMOVE_DELAY: "1.5" });
    const deletedAt = performance.now();
    await at.delete("ConfigMap", "a");
    await eventually(() => assert.ok(!exists(`${at.folder}/a.txt`)), { timeout: 6000, interval: 5 });
    const seconds = (performance.now() - deletedAt) / 1000;
    assert.ok(seconds >= 1.45, `it went after ${seconds} s`);
  });

  story("REMOVE_DELAY lets an heir take over, and keys go, at once", async (at) => {
    await at.create("ConfigMap", "a", { data: { x: "a's", "key.txt": "1" } });
    await createLater(at, "b", { x: "b's" });
    await at.startReady({ REMOVE_DELAY: "60" });
    assertFolderEquals(at.folder, { x: "a's", "key.txt": "1" });
    await at.change("ConfigMap", "a", { data: { "key.txt": null } });
    await eventually(() => assertFolderEquals(at.folder, { x: "a's" }), AT_ONCE);
    await at.delete("ConfigMap", "a");
    await eventually(() => assertFolderEquals(at.folder, { x: "b's" }), AT_ONCE);
  });

  story("REMOVE_DELAY is for deleted objects only", async (at) => {
    for (const name of ["a", "b"]) await at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" } });
    await at.startReady({ REMOVE_DELAY: "60" });
    await at.change("ConfigMap", "a", { labels: { [at.label]: null } });
    await at.delete("ConfigMap", "b");
    await eventually(() => assertFolderEquals(at.folder, { "b.txt": "1" }), AT_ONCE);
  });

  story("REMOVE_DELAY gives way to FINALIZERS", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ REMOVE_DELAY: "60", FINALIZERS: "true", RESOURCE: "configmap" });
    const path = `/api/v1/namespaces/${at.namespace}/configmaps/a`;
    await eventually(async () => {
      const { body } = await at.request("GET", path);
      assert.equal(body.metadata.finalizers?.length, 1);
    });
    await at.delete("ConfigMap", "a");
    await eventually(async () => {
      assert.equal((await at.controlPlane.request("GET", path)).status, 404, "it is not released");
    }, AT_ONCE);
    assertFolderEquals(at.folder, {});
    assert.ok(sidecar.running);
  });
}
