import assert from "node:assert/strict";
import { Journal } from "../../../lib/files/journal.ts";
import { leftoverDisk } from "../../../lib/sidecar/collections/leftover_disk.ts";
import { Leftovers } from "../../../lib/sidecar/collections/leftovers.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/local_servers.ts";
import { immutable, tempFolder } from "../../support/disk.ts";
import { collectionsPlace } from "../../support/many_collections.ts";

const item = (name: string, folder: string, more = "") =>
  `- { name: ${name}, label: app, resource: configmap, folder: FOLDER/${folder}, ${more} }\n`;
const config = (...items: string[]) => `version: 1\ncollections:\n${items.join("")}`;

Deno.test("Leftovers wait for a collection that may take their files over", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config(item("one", "1"), item("two", "shared/2")));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  // It is inside of the folder that is left, and cannot be listed yet
  const answer = Promise.withResolvers<undefined>();
  at.gateway.intercept = ({ path }) => path.includes("/namespaces/slow/") ? answer.promise : undefined;
  await it.replace(config(item("one", "1"), item("three", "shared", "namespaces: [slow]")));
  await it.clock.advance(5);
  assert.deepEqual(at.files("shared/2"), { "a.txt": "a" });
  answer.resolve(undefined);
  await until(() => it.log.lines.some((line) => line.includes("collection two was removed: removed 1 file")));
  assert.throws(() => Deno.lstatSync(`${at.path}/shared/2/a.txt`), Deno.errors.NotFound);
});

Deno.test("Leftovers are not what a collection has under another name of its folder", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  Deno.mkdirSync(`${at.path}/1`);
  Deno.symlinkSync("1", `${at.path}/link`);
  {
    await using it = await at.start(config(item("one", "1"), item("two", "2")));
    it.run();
    await until(() => it.collections.notReady() === undefined);
    const { ino } = Deno.statSync(`${at.path}/1/a.txt`);
    await it.replace(config(item("one", "link"), item("two", "2")));
    await until(() => it.collections.notReady() === undefined);
    await it.clock.advance(5);
    assert.equal(Deno.statSync(`${at.path}/1/a.txt`).ino, ino);
    assert.deepEqual(it.log.lines.filter((line) => line.includes("removed")), []);
  }
  // At the next start it has another name, too
  await using next = await at.start(config(item("three", "1"), item("two", "2")));
  next.run();
  await until(() => next.log.lines.some((line) => line.includes("collection one was removed: removed 0 files")));
  assert.equal(Deno.readTextFileSync(`${at.path}/1/a.txt`), "a");
});

Deno.test("Leftovers keep a file that another collection has written anew", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  at.create("b", { "a.txt": "b" }, { labels: { team: "" } });
  const other = item("two", "1", "").replace("label: app", "label: team");
  await using it = await at.start(config(item("one", "1")));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.replace(config(other));
  await until(() => it.log.lines.some((line) => line.includes("collection one was removed")));
  assert.deepEqual(at.files("1"), { "a.txt": "b" });
});

Deno.test("Leftovers are all named by each version of a record, in case the process is killed after it", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  const NAMES = ["a", "b", "c", "d"];
  const [one, ...others] = NAMES.map((name) => item(name, name));
  {
    await using it = await at.start(config(one!, ...others));
    it.run();
    await until(() => it.collections.notReady() === undefined);
  }
  const [own] = [...Deno.readDirSync(`${at.path}/a`)].filter(({ isDirectory }) => isDirectory);
  const versions = () => {
    const lines = Deno.readTextFileSync(`${at.path}/a/${own?.name}/state/record`).split("\n").filter(Boolean);
    const entries = lines.map((line): [string, { name: string }] => JSON.parse(line));
    return entries.map(([what], index) => {
      if (what !== "collections") return [];
      const end = entries.findIndex(([other], at) => at > index && other !== "collection");
      return entries.slice(index + 1, end === -1 ? undefined : end).map(([, { name }]) => name).sort();
    }).filter((names) => names.length > 0);
  };
  const before = versions().length;
  await using _ = await at.start(config(one!));
  const names = versions().slice(before);
  assert.ok(names.every((those) => those.join() === NAMES.join()), JSON.stringify(names));
});

Deno.test({
  name: "Leftovers are tried again while a file cannot be removed",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using at = collectionsPlace();
    at.create("a", { "a.txt": "a" });
    await using it = await at.start(config(item("one", "1"), item("two", "2")));
    it.run();
    await until(() => it.collections.notReady() === undefined);
    {
      using _ = immutable(`${at.path}/2/a.txt`);
      await it.replace(config(item("one", "1")));
      await until(() => it.log.lines.some((line) => line.includes("its files cannot be removed")));
    }
    await until(() => {
      void it.clock.advance(1);
      return Object.keys(at.files("2")).length === 0;
    });
    assert.equal(it.log.lines.filter((line) => line.startsWith("error")).length, 1);
  },
});

Deno.test("Leftovers remove nothing where no directory of that collection stands", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  {
    await using it = await at.start(config(item("one", "1"), item("two", "2")));
    it.run();
    await until(() => it.collections.notReady() === undefined);
  }
  const own = [...Deno.readDirSync(`${at.path}/2`)].find(({ isDirectory }) => isDirectory)?.name;
  Deno.removeSync(`${at.path}/2/${own}`, { recursive: true });
  await using it = await at.start(config(item("one", "1")));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.clock.advance(5);
  assert.deepEqual(at.files("2"), { "a.txt": "a" });
});

Deno.test("Leftovers remove a directory whose record was removed, or not complete, before a crash", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  {
    const items = [item("one", "1"), item("two", "2"), item("three", "3"), item("four", "4")];
    await using it = await at.start(config(...items));
    it.run();
    await until(() => it.collections.notReady() === undefined);
  }
  const own = (folder: string) =>
    [...Deno.readDirSync(`${at.path}/${folder}`)].find(({ isDirectory }) => isDirectory)?.name;
  for (const folder of ["2", "3"]) Deno.removeSync(`${at.path}/${folder}/${own(folder)}/state/record`);
  Deno.writeTextFileSync(`${at.path}/2/${own("2")}/state/temporary-0`, "half a record");
  Deno.removeSync(`${at.path}/4/${own("4")}/state`, { recursive: true });
  Deno.writeTextFileSync(`${at.path}/3/${own("3")}/state/other`, "not empty");
  await using it = await at.start(config(item("one", "1")));
  it.run();
  await until(() => own("2") === undefined && own("4") === undefined);
  await it.clock.advance(5);
  assert.notEqual(own("3"), undefined);
  assert.deepEqual(at.files("2"), { "a.txt": "a" });
});

Deno.test("Leftovers leave no empty directory that another collection made", async () => {
  await using at = collectionsPlace();
  const annotations = { "k8s-sidecar-target-directory": "d" };
  at.create("team", { "t.txt": "t" }, { labels: { team: "" }, annotations });
  at.create("app", { "a.txt": "a" }, { annotations });
  const shared = (name: string, label: string) =>
    item(name, "1").replace("label: app", `label: ${label}, sharedFolder: true`);
  await using it = await at.start(config(shared("made", "team")));
  it.run();
  await until(() => "d/t.txt" in at.files("1"));
  await it.replace(config(shared("made", "team"), shared("left", "app")));
  await until(() => "d/a.txt" in at.files("1"));
  at.remove("team");
  await until(() => !("d/t.txt" in at.files("1")));
  await it.replace(config(shared("made", "team")));
  await until(() => !("d/a.txt" in at.files("1")));
  await until(() => ![...Deno.readDirSync(`${at.path}/1`)].some(({ name }) => name === "d"));
});

Deno.test("Leftovers tell another selection from another folder", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config(item("default", "1"), item("two", "2")));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  const next = config(item("default", "1").replace("label: app", "label: team"), item("two", "3"));
  await it.replace(next);
  const lines = () =>
    it.log.lines.filter((line) => line.includes(" has another ")).map((line) => line.replace(/: removed.*/, ""));
  await until(() => lines().length === 2);
  assert.deepEqual(lines().sort(), [
    "info: collection default has another selection",
    "info: collection two has another folder",
  ]);
});

Deno.test("giveBack() ends a clean-up, and what is left of the files stays", async () => {
  using folder = tempFolder();
  const log = keptLog();
  const journal = new Journal({ folder: folder.path, id: "0123456789", log });
  for (const name of ["a", "b", "c"]) {
    journal.own(`${folder.path}/${name}`, "ConfigMap default/a", { ino: 1, mtime: 1, size: 1 });
  }
  const removed: string[] = [];
  const pause = Promise.withResolvers<void>();
  // Each file takes a slice of time
  const clock = Object.assign(new FakeClock(), { now: () => performance.now() * 1000, sleep: () => pause.promise });
  const released: string[] = [];
  const leftovers = new Leftovers({
    ...{ neighbours: () => [], onChange() {}, clock, random: () => 0, log },
    disk: leftoverDisk({ clock, log }),
    onReleased: ({ name }) => void released.push(name),
  });
  const publisher = { remove: (path: string) => (removed.push(path), true), removeIfEmpty: () => {} };
  const place = { name: "one", folder: folder.path, id: "0123456789", onRemove: "delete" as const };
  leftovers.add(place, { journal, publisher });
  assert.equal(leftovers.hold("ConfigMap default/a"), true);
  const cleaning = leftovers.attempt(new AbortController().signal);
  const back = leftovers.giveBack(place);
  pause.resolve();
  await Promise.all([cleaning, back]);
  assert.ok(removed.length < 3);
  assert.deepEqual([leftovers.places, released, log.lines], [[], [], []]);
  assert.ok(Deno.statSync(journal.path ?? "").isFile);
});

Deno.test("Leftovers leave their directories to a collection that has files there", async () => {
  await using at = collectionsPlace();
  const annotations = { "k8s-sidecar-target-directory": "d" };
  at.create("a", { "a.txt": "a" }, { annotations });
  await using it = await at.start(config(item("one", "1")));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.replace(config(item("two", "1")));
  await until(() => it.log.lines.some((line) => line.includes("collection one was removed")));
  assert.deepEqual(at.files("1"), { "d/a.txt": "a" });
  at.remove("a");
  await until(() => Object.keys(at.files("1")).length === 0);
  assert.throws(() => Deno.lstatSync(`${at.path}/1/d`), Deno.errors.NotFound);
});

Deno.test("Leftovers remove a directory of theirs that was empty already, as after a crash", async () => {
  using folder = tempFolder();
  const log = keptLog();
  const clock = new FakeClock();
  const place = { name: "one", folder: folder.path, id: "0123456789", onRemove: "delete" as const };
  const journal = new Journal({ ...place, log });
  const other = { ...place, name: "two", folder: "/elsewhere" };
  const neighbour = {
    place: other,
    folders: [other.folder],
    isReady: true,
    owns: () => false,
    inherit() {},
    removeEmptyDirectories() {},
  };
  journal.recordCollections([place, other]);
  for (const directory of ["a", "a/b", "kept"]) {
    journal.recordDirectory(`${folder.path}/${directory}`);
    Deno.mkdirSync(`${folder.path}/${directory}`);
  }
  Deno.writeTextFileSync(`${folder.path}/kept/foreign.txt`, "foreign");
  const disk = leftoverDisk({ clock, log });
  const leftovers = new Leftovers({
    ...{ neighbours: () => [neighbour], onChange() {}, clock, random: () => 0, log, disk },
  });
  leftovers.add(place);
  await leftovers.attempt(new AbortController().signal);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["kept"]);
});
