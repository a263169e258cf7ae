import assert from "node:assert/strict";
import { refusal } from "../../support/api_gateway.ts";
import { serve, until } from "../../support/local_servers.ts";
import { collectionsPlace } from "../../support/many_collections.ts";

/** Collections of ConfigMaps with the label `app`, by name and folder. */
function config(folders: Record<string, string>, more: Record<string, string> = {}): string {
  const items = Object.entries(folders).map(([name, folder]) =>
    `  - { name: ${name}, label: app, resource: configmap, folder: FOLDER/${folder}, ${more[name] ?? ""} }`
  );
  return ["version: 1", "collections:", ...items].join("\n");
}

const inode = (path: string) => Deno.statSync(path).ino;

Deno.test("Collections list what several select once", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config({ one: "1", two: "2" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  assert.deepEqual([at.files("1"), at.files("2")], [{ "a.txt": "a" }, { "a.txt": "a" }]);
  assert.deepEqual(at.lists(), ["configmaps app"]);
  assert.equal(it.sweeps(), 1);
});

Deno.test("Collections wait for each other in readiness only, and name the one that lacks", async () => {
  await using at = collectionsPlace();
  at.gateway.intercept = ({ path }) => path.includes("secrets") ? refusal(403, "Forbidden", "no") : undefined;
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(
    config({ one: "1", two: "2" }, { two: "" }).replace("configmap, folder: FOLDER/2", "secret, folder: FOLDER/2"),
  );
  it.run();
  await until(() => Object.keys(at.files("1")).length === 1);
  await until(() => it.collections.notReady()?.includes("not allowed") === true);
  assert.match(it.collections.notReady() ?? "", /^two: not synced yet: secrets in all namespaces: not allowed to /);
  await until(() => it.log.lines.some((line) => line.startsWith("info: Initial sync complete")));
  at.gateway.intercept = () => undefined;
  await it.clock.advance(60);
  await until(() => it.collections.notReady() === undefined);
  assert.deepEqual(it.log.lines.filter((line) => line.startsWith("info: Initial sync")), [
    "info: Initial sync complete; other collections are not ready yet.",
    "info: Initial sync complete, sidecar is ready.",
  ]);
});

Deno.test("replace() touches no collection that is unchanged", async () => {
  await using at = collectionsPlace();
  let calls = 0;
  await using app = serve(() => (calls++, new Response()));
  const notify = `notify: { webhook: { url: "http://127.0.0.1:${app.port}/" } }`;
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config({ one: "1" }, { one: notify }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.clock.advance(1);
  await until(() => calls === 1);
  const before = inode(`${at.path}/1/a.txt`);
  at.lists();
  await it.replace(config({ one: "1", two: "2" }, { one: notify, two: "namespaces: [default]" }));
  await until(() => Object.keys(at.files("2")).length === 1);
  assert.deepEqual(at.lists(), ["namespaces/default/configmaps app"]);
  // A collection that joins a source has it listed for all
  await it.replace(config({ one: "1", three: "3" }, { one: notify }));
  await until(() => Object.keys(at.files("3")).length === 1);
  assert.deepEqual(at.lists(), ["configmaps app"]);
  await it.clock.advance(1);
  assert.equal(inode(`${at.path}/1/a.txt`), before);
  assert.equal(calls, 1);
});

Deno.test("replace() removes the files of a collection that is gone, or keeps them if it says so", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config({ one: "1", two: "2", three: "3" }, { three: "onRemove: keep" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.replace(config({ one: "1" }));
  await until(() => Object.keys(at.files("2")).length === 0);
  assert.deepEqual([at.files("1"), at.files("3")], [{ "a.txt": "a" }, { "a.txt": "a" }]);
  await until(() => it.log.lines.filter((line) => line.includes("was removed")).length === 2);
  for (const folder of ["2", "3"]) {
    assert.deepEqual([...Deno.readDirSync(`${at.path}/${folder}`)].filter(({ isDirectory }) => isDirectory), []);
  }
});

Deno.test("replace() moves the files of a collection that has another folder", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config({ one: "1" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.replace(config({ one: "moved" }));
  await until(() => Object.keys(at.files("1")).length === 0);
  assert.deepEqual(at.files("moved"), { "a.txt": "a" });
});

Deno.test("replace() keeps what a changed selection still selects", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  at.create("b", { "b.txt": "b" }, { labels: { app: "", team: "x" } });
  await using it = await at.start(config({ one: "1" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  const before = inode(`${at.path}/1/b.txt`);
  await it.replace(config({ one: "1" }).replace("label: app", "label: team"));
  await until(() => Object.keys(at.files("1")).length === 1);
  assert.deepEqual(at.files("1"), { "b.txt": "b" });
  assert.equal(inode(`${at.path}/1/b.txt`), before);
});

Deno.test("replace() lists nothing and writes nothing when only the notification changed", async () => {
  await using at = collectionsPlace();
  const called: string[] = [];
  await using app = serve((request) => (called.push(new URL(request.url).pathname), new Response()));
  const notify = (path: string) => ({ one: `notify: { webhook: { url: "http://127.0.0.1:${app.port}/${path}" } }` });
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config({ one: "1" }, notify("before")));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.clock.advance(1);
  await until(() => called.length === 1);
  const before = inode(`${at.path}/1/a.txt`);
  at.lists();
  await it.replace(config({ one: "1" }, notify("after")));
  at.create("b", { "b.txt": "b" });
  await until(() => Object.keys(at.files("1")).length === 2);
  await it.clock.advance(1);
  await until(() => called.length === 2);
  assert.deepEqual(called, ["/before", "/after"]);
  assert.deepEqual(at.lists(), []);
  assert.equal(inode(`${at.path}/1/a.txt`), before);
});

Deno.test("replace() leaves no listener on the signal that ends the process", async () => {
  await using at = collectionsPlace();
  await using it = await at.start(config({ one: "1" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  const before = it.listeners();
  for (const folders of [{ one: "1", two: "2" }, { one: "1" }, { one: "1", two: "2" }]) {
    await it.replace(config(folders));
  }
  assert.equal(it.listeners(), before);
});

Deno.test("replace() notifies of the first sync of what it adds, onFirstSync: false or not", async () => {
  await using at = collectionsPlace();
  const called: string[] = [];
  await using app = serve((request) => (called.push(new URL(request.url).pathname), new Response()));
  const notify = (path: string) =>
    `notify: { onFirstSync: false, webhook: { url: "http://127.0.0.1:${app.port}/${path}" } }`;
  at.create("a", { "a.txt": "a" });
  await using it = await at.start(config({ one: "1" }, { one: notify("one") }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.clock.advance(1);
  await it.replace(config({ one: "1", two: "2" }, { one: notify("one"), two: notify("two") }));
  await until(() => Object.keys(at.files("2")).length === 1);
  await it.clock.advance(1);
  await until(() => called.length > 0);
  assert.deepEqual(called, ["/two"]);
});

Deno.test("Collections clean up what the last run had and the configuration has no more", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  {
    await using it = await at.start(config({ one: "1", two: "2", three: "3" }, { three: "onRemove: keep" }));
    it.run();
    await until(() => it.collections.notReady() === undefined);
  }
  await using it = await at.start(config({ one: "moved", four: "4" }));
  it.run();
  await until(() => it.collections.notReady() === undefined);
  // No survivor has a record that names the others: one, which has moved, does not know where it was
  assert.deepEqual(Object.keys(at.files("2")), ["a.txt"]);
  {
    await using again = await at.start(config({ one: "1" }));
    again.run();
    await until(() => Object.keys(at.files("2")).length === 0);
    assert.deepEqual([at.files("1"), at.files("3")], [{ "a.txt": "a" }, { "a.txt": "a" }]);
  }
});

Deno.test("Collections with METHOD=LIST clean up, too", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  {
    await using it = await at.start(config({ one: "1", two: "2" }), { mode: "once" });
    await it.list();
  }
  assert.deepEqual([at.files("1"), at.files("2")], [{ "a.txt": "a" }, { "a.txt": "a" }]);
  await using it = await at.start(config({ one: "1" }), { mode: "once" });
  assert.deepEqual((await it.list()).map(({ files }) => files), [1]);
  assert.deepEqual([at.files("1"), at.files("2")], [{ "a.txt": "a" }, {}]);
});

for (
  const [change, first] of Object.entries({ "is removed": "two, label: other", "selects others": "one, label: other" })
) {
  Deno.test(`Collections release objects without files, too, when their collection ${change}`, async () => {
    await using at = collectionsPlace();
    at.create("empty", {});
    at.create("full", { "a.txt": "a" });
    const released: string[] = [];
    await using it = await at.start(config({ one: "1" }), { finalizerGuard: guardThatTells(released) });
    it.run();
    await until(() => it.collections.notReady() === undefined);
    await it.replace(config({ one: "1" }).replace("one, label: app", first));
    await until(() => new Set(released).size === 2);
    assert.deepEqual(new Set(released), new Set(["empty", "full"]));
  });
}

Deno.test("Collections release a finalizer when none of them has the object any more", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" }, { labels: { app: "", team: "" } });
  const released: string[] = [];
  const both = config({ one: "1", two: "2" }).replace("two, label: app", "two, label: team");
  await using it = await at.start(both, { finalizerGuard: guardThatTells(released) });
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.replace(config({ one: "1" }));
  await until(() => Object.keys(at.files("2")).length === 0);
  assert.deepEqual(released, []);
  at.remove("a");
  await until(() => released.length > 0);
  assert.deepEqual(at.files("1"), {});
});

function guardThatTells(released: string[]) {
  return {
    admit: () => Promise.resolve("apply" as const),
    release: ({ name }: { name: string }) => void released.push(name),
    run: () => Promise.resolve(),
    flush: () => Promise.resolve(),
  };
}
