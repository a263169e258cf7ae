/** ATOMIC_WRITES=false: what a file is when it is rewritten in place. */
import assert from "node:assert/strict";
import { DiskCheck } from "../../lib/files/disk_check.ts";
import { Journal } from "../../lib/files/journal.ts";
import { PublishError } from "../../lib/files/publish_error.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { openForRewrite } from "../../lib/files/rewrite.ts";
import { keptLog } from "../support/api_gateway.ts";
import {
  asUser,
  diskTest,
  filesIn,
  fill,
  type Folder,
  smallDisk,
  tempFolder,
  temporariesIn,
  text,
} from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { encode } from "../support/local_servers.ts";

const OWNER = "ConfigMap/default/a";
const HEIR = "ConfigMap/default/b";

function open({ disk = tempFolder(), mode = 0o644 }: { disk?: Folder; mode?: number } = {}) {
  const folder = `${disk.path}/data`;
  const log = keptLog();
  const changes: string[] = [];
  const start = () => {
    const journal = new Journal({ folder, id: "id", log });
    const publisher = new Publisher({
      configFiles: [],
      folder,
      allowedFolders: [],
      mode,
      atomicWrites: false,
      journal,
      id: "id",
      beforeChange: (path) => void changes.push(path.slice(folder.length + 1)),
      log,
    });
    const at = (path: string) => `${folder}/${path}`;
    return {
      at,
      folder,
      log,
      changes,
      journal,
      publisher,
      publish: (path: string, content: string, owner = OWNER) => publisher.publish(at(path), encode(content), owner),
      inode: (path: string) => Deno.statSync(at(path)).ino,
      async changed() {
        const paths: string[] = [];
        const check = new DiskCheck({ journal, clock: new FakeClock(), log });
        for await (const path of check.changedFiles(new AbortController().signal)) {
          paths.push(path.slice(folder.length + 1));
        }
        return paths;
      },
      restart: start,
      [Symbol.dispose]: () => disk[Symbol.dispose](),
    };
  };
  return start();
}

Deno.test("publish() keeps the inode of a file that it rewrites", async () => {
  using it = open();
  it.publish("file", "a first content that is long");
  const inode = it.inode("file");
  using reader = Deno.openSync(it.at("file"));
  for (const content of ["short", "", "longer than both of the others were"]) {
    assert.equal(it.publish("file", content), true);
    assert.equal(it.publish("file", content), false);
    assert.equal(text(it.at("file")), content);
    assert.equal(it.inode("file"), inode);
    assert.deepEqual(await it.changed(), []);
  }
  const seen = new Uint8Array(6);
  reader.readSync(seen);
  assert.deepEqual(seen, encode("longer"));
  assert.deepEqual(it.changes, ["file", "file", "file", "file"]);
  assert.deepEqual(temporariesIn(it.folder), []);
  assert.equal(it.restart().journal.ownerOf(it.at("file")), OWNER);
});

Deno.test("commit() rewrites in place, too", () => {
  using it = open();
  it.publish("file", "old");
  const inode = it.inode("file");
  const file = it.publisher.open(it.at("file"));
  file.write(encode("new"));
  assert.equal(it.publisher.commit(file, OWNER), true);
  assert.deepEqual([text(it.at("file")), it.inode("file")], ["new", inode]);
  assert.deepEqual(temporariesIn(it.folder), []);
});

Deno.test("publish() takes over somebody else's file in place, with our mode", () => {
  using it = open({ mode: 0o640 });
  Deno.writeTextFileSync(it.at("file"), "theirs", { mode: 0o600 });
  const inode = it.inode("file");
  assert.equal(it.publish("file", "ours"), true);
  assert.deepEqual([text(it.at("file")), it.inode("file")], ["ours", inode]);
  assert.equal(Deno.statSync(it.at("file")).mode! & 0o7777, 0o640);
  assert.match(it.log.lines.join(), /rewrote existing/);
  assert.equal(it.restart().publisher.remove(it.at("file")), true);
});

Deno.test("publish() replaces a symlink, and leaves what it leads to", () => {
  using it = open();
  Deno.writeTextFileSync(`${it.folder}/../outside`, "theirs");
  Deno.symlinkSync("../outside", it.at("file"));
  assert.equal(it.publish("file", "ours"), true);
  assert.ok(Deno.lstatSync(it.at("file")).isFile);
  assert.equal(text(`${it.folder}/../outside`), "theirs");
});

Deno.test("publish() replaces a file that has another name", () => {
  using it = open();
  Deno.writeTextFileSync(`${it.folder}/../outside`, "theirs");
  Deno.linkSync(`${it.folder}/../outside`, it.at("file"));
  assert.equal(it.publish("file", "ours"), true);
  assert.deepEqual([text(it.at("file")), text(`${it.folder}/../outside`)], ["ours", "theirs"]);
});

Deno.test("openForRewrite() refuses what came in the place of the file", () => {
  using folder = tempFolder();
  const [path, other] = [`${folder.path}/file`, `${folder.path}/other`];
  for (const name of [path, other]) Deno.writeTextFileSync(name, name);
  const present = Deno.lstatSync(path);
  Deno.removeSync(path);
  Deno.symlinkSync(other, path);
  assert.throws(() => openForRewrite(path, present, 0o644), /replaced by somebody else/);
  assert.equal(text(other), other);
});

for (
  const [when, bytes, isOurs] of [
    ["before it rewrote somebody's file leaves it theirs", "", false],
    ["amid rewriting somebody's file has it ours", "our", true],
  ] as const
) {
  Deno.test(`A crash ${when}`, async () => {
    using it = open();
    Deno.writeTextFileSync(it.at("file"), "theirs");
    const program = `
      import { Journal } from "${import.meta.resolve("../../lib/files/journal.ts")}";
      import { Publisher } from "${import.meta.resolve("../../lib/files/publisher.ts")}";
      const [folder] = Deno.args;
      const log = { info() {}, warn() {} };
      const journal = new Journal({ folder, id: "id", log });
      const beforeChange = (path) => {
        if ("${bytes}") Deno.openSync(path, { write: true }).writeSync(new TextEncoder().encode("${bytes}"));
        Deno.kill(Deno.pid, "SIGKILL");
      };
      const options = { folder, allowedFolders: [], mode: 0o644, atomicWrites: false, journal, id: "id", log };
      new Publisher({ configFiles: [], ...options, beforeChange })
        .publish(folder + "/file", new TextEncoder().encode("ours"), "ConfigMap/default/a");`;
    const args = ["eval", "--no-config", program, it.folder];
    // The time of the file must differ, which a kernel counts in steps of some milliseconds
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(new Deno.Command(Deno.execPath(), { args }).outputSync().signal, "SIGKILL");
    const later = it.restart();
    assert.equal(later.journal.ownerOf(it.at("file")), isOurs ? OWNER : undefined);
    assert.deepEqual(await later.changed(), isOurs ? ["file"] : []);
    assert.equal(later.publish("file", "ours"), true);
    assert.equal(it.restart().publisher.remove(it.at("file")), true);
  });
}

diskTest("mounts", "publish() that fails half way leaves a file that is ours and unfinished", async () => {
  using it = open({ disk: smallDisk(256 * 1024) });
  it.publish("file", "x".repeat(20_000));
  it.publish("other", "1");
  const inode = it.inode("file");
  {
    // Room for the temporary file, and not for the longer file beside it
    using filler = roomFor(it.folder, 50_000);
    assert.throws(() => it.publish("file", "y".repeat(48_000), HEIR), PublishError);
    assert.ok(filler);
  }
  // The old object's content may still be there, so it is not released
  assert.equal(it.journal.ownerOf(it.at("file")), OWNER);
  assert.equal(it.inode("file"), inode);
  assert.deepEqual(await it.changed(), ["file"]);
  assert.deepEqual(temporariesIn(it.folder), []);
  const later = it.restart();
  assert.deepEqual(await later.changed(), ["file"]);
  assert.equal(later.publish("file", "y".repeat(48_000), HEIR), true);
  assert.deepEqual(await later.changed(), []);
  assert.equal(later.journal.ownerOf(it.at("file")), HEIR);
  assert.equal(it.inode("file"), inode);
  assert.equal(filesIn(it.folder).file, "y".repeat(48_000));
});

/** Fills a disk but for so many bytes, in whole pages. */
function roomFor(folder: string, bytes: number): Disposable {
  const path = `${folder}/../room`;
  Deno.writeFileSync(path, new Uint8Array(bytes));
  const filler = fill(folder);
  Deno.removeSync(path);
  return filler;
}

diskTest("users", "publish() rewrites a file without the right to write", () => {
  using it = open();
  for (const folder of [`${it.folder}/..`, it.folder]) {
    Deno.chmodSync(folder, 0o755);
    Deno.chownSync(folder, 1001, 3000);
  }
  const program = (content: string) => `
    import { Journal } from "${import.meta.resolve("../../lib/files/journal.ts")}";
    import { Publisher } from "${import.meta.resolve("../../lib/files/publisher.ts")}";
    const [folder] = Deno.args;
    const log = { info() {}, warn() {} };
    const journal = new Journal({ folder, id: "id", log });
    const options = { folder, allowedFolders: [], mode: 0o444, atomicWrites: false, journal, id: "id", log };
    new Publisher({ configFiles: [], ...options, beforeChange() {} })
      .publish(folder + "/file", new TextEncoder().encode("${content}"), "ConfigMap/default/a");`;
  const inodes = ["first", "second"].map((content) => {
    const { success, stderr } = asUser(1001, 3000, program(content), it.folder);
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(text(it.at("file")), content);
    assert.equal(Deno.statSync(it.at("file")).mode! & 0o7777, 0o444);
    return it.inode("file");
  });
  assert.equal(inodes[0], inodes[1]);
});
