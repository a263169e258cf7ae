import assert from "node:assert/strict";
import { SharedClaims } from "../../lib/reconcile/shared_claims.ts";
import { versionOf } from "../../lib/objects/version.ts";
import { TrackedObject } from "../../lib/reconcile/tracked_object.ts";
import { until } from "../support/local_servers.ts";
import { collectionsPlace } from "../support/many_collections.ts";

/** Two collections of one folder: of the labels `one` and `two`. */
function config(more: { one?: string; two?: string } = {}): string {
  const item = (name: "one" | "two") =>
    `- { name: ${name}, label: ${name}, resource: configmap, folder: FOLDER/files, sharedFolder: true, ${
      more[name] ?? ""
    } }\n`;
  return `version: 1\ncollections:\n${item("one")}${item("two")}`;
}

const labels = (...names: string[]) => Object.fromEntries(names.map((name) => [name, ""]));
const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const created = (label: string, seconds: number) => ({ labels: labels(label), creationTimestamp: at(seconds) });

Deno.test("a path that two collections claim is the older object's, told once with both names", async () => {
  await using place = collectionsPlace();
  place.create("a-young", { "a.txt": "young" }, created("one", 20));
  place.create("old", { "a.txt": "old" }, created("two", 10));
  await using it = await place.start(config());
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await until(() => place.files("files")["a.txt"] === "old");
  const told = it.log.lines.filter((line) => line.startsWith("warn"));
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? "",
    /claimed by ConfigMap default\/old of collection two and ConfigMap default\/a-young of collection one/,
  );
});

Deno.test("the other collection's object inherits a path when its winner goes", async () => {
  await using place = collectionsPlace();
  place.create("a-young", { "a.txt": "young" }, created("one", 20));
  place.create("old", { "a.txt": "old", "b.txt": "b" }, created("two", 10));
  await using it = await place.start(config());
  it.run();
  await until(() => it.collections.notReady() === undefined && place.files("files")["a.txt"] === "old");
  place.remove("old");
  await until(() => place.files("files")["a.txt"] === "young");
  assert.deepEqual(place.files("files"), { "a.txt": "young" });
  place.remove("a-young");
  await until(() => Object.keys(place.files("files")).length === 0);
});

Deno.test("a newer object takes a path over from another collection with COLLISIONS=newest", async () => {
  await using place = collectionsPlace();
  place.create("old", { "a.txt": "old" }, created("two", 10));
  await using it = await place.start(config({ one: "collisions: newest", two: "collisions: newest" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  assert.deepEqual(place.files("files"), { "a.txt": "old" });
  place.create("a-young", { "a.txt": "young" }, created("one", 20));
  await until(() => place.files("files")["a.txt"] === "young");
  place.remove("a-young");
  await until(() => place.files("files")["a.txt"] === "old");
});

Deno.test("a file of an earlier run is left to its owner until the other collection was listed", async () => {
  await using place = collectionsPlace();
  place.create("old", { "a.txt": "old" }, created("two", 10));
  place.create("a-young", { "a.txt": "young" }, created("one", 20));
  {
    await using it = await place.start(config());
    it.run();
    await until(() => it.collections.notReady() === undefined && place.files("files")["a.txt"] === "old");
  }
  const answer = Promise.withResolvers<undefined>();
  place.gateway.intercept = ({ path }) => path.includes("labelSelector=two") ? answer.promise : undefined;
  const inode = Deno.statSync(`${place.path}/files/a.txt`).ino;
  await using it = await place.start(config());
  it.run();
  await until(() => it.collections.running[0]?.objects === 1);
  await it.clock.advance(1);
  assert.equal(place.files("files")["a.txt"], "old");
  answer.resolve(undefined);
  await until(() => it.collections.notReady() === undefined);
  assert.equal(Deno.statSync(`${place.path}/files/a.txt`).ino, inode);
});

Deno.test("a path goes to the other collection when the one that had it is removed", async () => {
  await using place = collectionsPlace();
  place.create("old", { "a.txt": "old" }, created("two", 10));
  place.create("a-young", { "a.txt": "young" }, created("one", 20));
  await using it = await place.start(config());
  it.run();
  await until(() => it.collections.notReady() === undefined && place.files("files")["a.txt"] === "old");
  await it.replace(config().split("- { name: two")[0] ?? "");
  await until(() => place.files("files")["a.txt"] === "young");
  await until(() => it.log.lines.some((line) => line.includes("collection two was removed")));
  assert.deepEqual(place.files("files"), { "a.txt": "young" });
});

Deno.test("an object that both collections select is no collision", async () => {
  await using place = collectionsPlace();
  place.create("both", { "a.txt": "a" }, { labels: labels("one", "two") });
  await using it = await place.start(config());
  it.run();
  await until(() => it.collections.notReady() === undefined);
  assert.deepEqual(place.files("files"), { "a.txt": "a" });
  assert.deepEqual(it.log.lines.filter((line) => /^(warn|error)/.test(line)), []);
  place.remove("both");
  await until(() => Object.keys(place.files("files")).length === 0);
});

Deno.test("each path counts once, and what an object has in two collections is not contested", () => {
  const shared = new SharedClaims();
  const member = { awaits: () => false, lost() {}, inherited() {}, left() {} };
  const [one, two] = ["one", "two"].map((name) => shared.join(name, "oldest", member));
  const object = (name: string, ...paths: string[]) =>
    new TrackedObject(`ConfigMap/n/${name}`, { kind: "ConfigMap" }, 0, name, versionOf("1"), paths, 1);
  one!.set(object("a", "/x", "/y"));
  one!.set(object("b", "/x"));
  two!.set(object("a", "/x", "/y"));
  assert.deepEqual([one!.size, one!.contested, two!.size, two!.contested], [2, 1, 0, 0]);
  one!.delete("ConfigMap/n/b");
  assert.deepEqual([one!.size, one!.contested, two!.size, two!.contested], [2, 0, 0, 0]);
});
