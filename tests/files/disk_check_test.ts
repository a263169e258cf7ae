import assert from "node:assert/strict";
import { DiskCheck } from "../../lib/files/disk_check.ts";
import { Journal } from "../../lib/files/journal.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { keptLog } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { encode } from "../support/local_servers.ts";

const OWNER = "ConfigMap/default/a";

/** A folder with files `a` to `c` of ours. */
function open() {
  const folder = tempFolder();
  const log = keptLog();
  const clock = new FakeClock();
  const journal = new Journal({ folder: folder.path, id: "id", log });
  const publisher = new Publisher({
    configFiles: [],
    folder: folder.path,
    allowedFolders: [],
    mode: 0o644,
    atomicWrites: true,
    journal,
    id: "id",
    beforeChange() {},
    log,
  });
  const at = (name: string) => `${folder.path}/${name}`;
  const publish = (name: string, text: string) => publisher.publish(at(name), encode(text), OWNER);
  for (const name of ["a", "b", "c"]) publish(name, `content of ${name}`);
  const check = new DiskCheck({ journal, clock, log });
  const abort = new AbortController();
  return {
    at,
    publish,
    clock,
    journal,
    abort,
    remove: (name: string) => publisher.remove(at(name)),
    changes: () => check.changedFiles(abort.signal),
    changed: async () => (await Array.fromAsync(check.changedFiles(abort.signal))).map((path) => path.slice(-1)),
    /** Puts a file with another inode in the place of one, with the same time and this content. */
    replace(name: string, text = Deno.readTextFileSync(at(name))) {
      const { mtime } = Deno.statSync(at(name));
      Deno.writeTextFileSync(at("copy"), text);
      Deno.utimeSync(at("copy"), mtime!, mtime!);
      Deno.renameSync(at("copy"), at(name));
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("changedFiles() yields nothing while all files are as we wrote them", async () => {
  using it = open();
  it.publish("a", "changed by us");
  for (let round = 0; round < 2; round++) assert.deepEqual(await it.changed(), []);
});

for (
  const [what, harm] of [
    ["is missing", (it) => Deno.removeSync(it.at("b"))],
    ["has another size", (it) => Deno.writeTextFileSync(it.at("b"), "short")],
    ["has another time", (it) => Deno.utimeSync(it.at("b"), 1000, 1000)],
    ["is a directory", (it) => {
      Deno.removeSync(it.at("b"));
      Deno.mkdirSync(it.at("b"));
    }],
    ["is a symlink to the right bytes", (it) => {
      Deno.renameSync(it.at("b"), it.at("moved"));
      Deno.symlinkSync("moved", it.at("b"));
    }],
    ["is another file of the same size and time", (it) => it.replace("b", "CONTENT OF B")],
  ] as [string, (it: ReturnType<typeof open>) => void][]
) {
  Deno.test(`changedFiles() yields a file that ${what}, until it is healed`, async () => {
    using it = open();
    assert.deepEqual(await it.changed(), []);
    harm(it);
    for (let round = 0; round < 2; round++) assert.deepEqual(await it.changed(), ["b"]);
    if (what === "is a directory") Deno.removeSync(it.at("b"));
    it.publish("b", "content of b");
    assert.deepEqual(await it.changed(), []);
  });
}

Deno.test("changedFiles() adopts a file that differs in its inode alone", async () => {
  using it = open();
  assert.deepEqual(await it.changed(), []);
  for (let round = 0; round < 2; round++) {
    it.replace("b");
    const { ino } = Deno.statSync(it.at("b"));
    assert.notEqual(it.journal.fileAt(it.at("b"))?.ino, ino);
    assert.deepEqual(await it.changed(), []);
    assert.equal(it.journal.fileAt(it.at("b"))?.ino, ino);
  }
});

Deno.test("changedFiles() yields a replaced file whose hash is not known", async () => {
  using it = open();
  it.replace("b");
  assert.deepEqual(await it.changed(), ["b"]);
  assert.equal(it.publish("b", "content of b"), false);
  assert.deepEqual(await it.changed(), []);
});

Deno.test("changedFiles() leaves a file that is healed or removed meanwhile", async () => {
  using it = open();
  for (const name of ["a", "b", "c"]) Deno.writeTextFileSync(it.at(name), "harm");
  const found: string[] = [];
  for await (const path of it.changes()) {
    found.push(path.slice(-1));
    it.publish("b", "content of b");
    Deno.removeSync(it.at("c"));
    it.remove("c");
  }
  assert.deepEqual(found, ["a"]);
});

Deno.test("changedFiles() gives way to other work every 20 ms", async () => {
  using it = open();
  let calls = 0;
  it.clock.now = () => 10 * calls++;
  let sleeps = 0;
  it.clock.sleep = (seconds) => {
    // Others are deadlines
    if (seconds > 0) return new Promise(() => {});
    sleeps++;
    return Promise.resolve();
  };
  assert.deepEqual(await it.changed(), []);
  assert.equal(sleeps, 1);
});

Deno.test("changedFiles() stops when it is told to", async () => {
  using it = open();
  it.abort.abort(new Error("stop"));
  await assert.rejects(it.changed(), /stop/);
});
