import assert from "node:assert/strict";
import { Journal } from "../../lib/files/journal.ts";
import { resolvePath } from "../../lib/files/paths.ts";
import { PublishError } from "../../lib/files/publish_error.ts";
import { Publisher, type PublisherOptions } from "../../lib/files/publisher.ts";
import { RefusedPathError } from "../../lib/files/allowed_folders.ts";
import { keptLog } from "../support/api_gateway.ts";
import {
  asUser,
  bound,
  diskTest,
  exists,
  filesIn,
  fill,
  type Folder,
  immutable,
  readOnly,
  remount,
  smallDisk,
  tempFolder,
  temporariesIn,
  text,
} from "../support/disk.ts";
import { encode } from "../support/local_servers.ts";

const OWNER = "ConfigMap/default/a";
const LIB = new URL("../../lib/files/", import.meta.url);

/**
 * A publisher on `data` in a folder, with its journal there, too; `extra` beside it is allowed. `restart` gives a new one
 * that knows what the journal says.
 */
function open({ disk, stateFile, ...options }: Partial<PublisherOptions> & { disk?: Folder; stateFile?: string } = {}) {
  const temp = disk ?? tempFolder();
  const at = (path: string) => resolvePath(`${temp.path}/data`, path);
  const log = keptLog();
  const changes: string[] = [];
  const start = () => {
    const journal = new Journal({ folder: at(""), id: "id", stateFile, log });
    const publisher = new Publisher({
      configFiles: [],
      folder: `${temp.path}/data`,
      allowedFolders: [`${temp.path}/extra`],
      mode: 0o644,
      atomicWrites: true,
      journal,
      id: "id",
      beforeChange: (path) => void changes.push(path.slice(temp.path.length + 6)),
      log,
      ...options,
    });
    return {
      at,
      log,
      /** The paths within `data` that were announced before they changed. */
      changes,
      journal,
      publisher,
      publish: (path: string, content = "new") => publisher.publish(at(path), encode(content), OWNER),
      remove: (path: string) => publisher.remove(at(path)),
      write: (path: string, content: string) => Deno.writeTextFileSync(at(path), content),
      mkdir: (path: string) => Deno.mkdirSync(at(path), { recursive: true }),
      symlink: (target: string, path: string) => Deno.symlinkSync(target, at(path)),
      owns: (path: string) => journal.ownerOf(at(path)) !== undefined,
      owned: () => [...journal.files()].map(([path]) => path.slice(temp.path.length + 6)),
      files: () => filesIn(at("")),
      temporaries: () => temporariesIn(at("")),
      inode: (path: string) => Deno.statSync(at(path)).ino,
      mode: (path: string) => Deno.statSync(at(path)).mode! & 0o7777,
      restart: start,
      [Symbol.dispose]: () => temp[Symbol.dispose](),
    };
  };
  return start();
}

function publishError(act: () => unknown): PublishError {
  let error: unknown;
  assert.throws(act, (thrown) => {
    error = thrown;
    return thrown instanceof PublishError;
  });
  return error as PublishError;
}

/** Runs with another umask. */
function withUmask(mask: number, act: () => void): void {
  const before = Deno.umask(mask);
  try {
    act();
  } finally {
    Deno.umask(before);
  }
}

for (
  const [what, bytes] of [
    ["text", encode("Grüße 🎉\n")],
    ["no bytes", new Uint8Array()],
    ["every byte", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
    ["1 MiB", new Uint8Array(1_048_576).fill(7)],
    ["one byte more than it compares at a time", new Uint8Array(65_537).fill(7)],
  ] as const
) {
  Deno.test(`publish() writes ${what}, and not again`, () => {
    using it = open();
    const path = it.at("file");
    assert.equal(it.publisher.publish(path, bytes, OWNER), true);
    assert.deepEqual(Deno.readFileSync(path), bytes);
    assert.equal(it.publisher.publish(path, bytes.slice(), OWNER), false);
    assert.deepEqual(it.changes, ["file"]);
    assert.ok(it.owns("file"));
  });
}

Deno.test("publish() replaces empty directories that a download made", () => {
  using it = open();
  it.publisher.open(it.at("sub/deep/file")).end();
  assert.equal(it.publish("sub", "a file"), true);
  assert.equal(text(it.at("sub")), "a file");
  it.mkdir("other");
  assert.match(publishError(() => it.publish("other", "a file")).message, /a directory is in the way/);
});

Deno.test("commit() makes the directory again that went with its last file", () => {
  using it = open();
  it.publish("sub/old", "old");
  const file = it.publisher.open(it.at("sub/new"));
  file.write(encode("new"));
  assert.ok(it.publisher.remove(it.at("sub/old")));
  assert.ok(!exists(it.at("sub")));
  assert.ok(it.publisher.commit(file, OWNER));
  assert.deepEqual(it.files(), { "sub/new": "new" });
});

Deno.test("publish() leaves right bytes alone: same inode, same time", () => {
  using it = open();
  it.publish("file", "same");
  Deno.utimeSync(it.at("file"), 1000, 1000);
  const inode = it.inode("file");
  assert.equal(it.publish("file", "same"), false);
  assert.equal(it.restart().publish("file", "same"), false);
  assert.equal(it.inode("file"), inode);
  assert.equal(Deno.statSync(it.at("file")).mtime?.getTime(), 1000_000);
});

Deno.test("publish() sees a difference in length, first or last byte", () => {
  using it = open();
  const large = "x".repeat(100_000);
  for (const content of ["a", "b", "", "a", `a${large}`, `b${large}`, `b${large}a`, `b${large}b`]) {
    assert.equal(it.publish("file", content), true);
    assert.equal(text(it.at("file")), content);
  }
});

Deno.test("publish() replaces a file that a reader keeps to its end", () => {
  using it = open();
  it.publish("file", "old ".repeat(50_000));
  const inode = it.inode("file");
  using reader = Deno.openSync(it.at("file"));
  const first = new Uint8Array(4);
  reader.readSync(first);
  it.publish("file", "new");
  const rest = new Uint8Array(300_000);
  const count = reader.readSync(rest) ?? 0;
  assert.equal(
    new TextDecoder().decode(first) + new TextDecoder().decode(rest.subarray(0, count)),
    "old ".repeat(50_000),
  );
  assert.notEqual(it.inode("file"), inode);
  assert.equal(text(it.at("file")), "new");
});

for (const umask of [0o000, 0o022, 0o077, 0o777]) {
  Deno.test(`publish() gives a file its exact mode under umask ${umask.toString(8).padStart(3, "0")}`, () => {
    for (const mode of [0o644, 0o600, 0o440, 0o666, 0o777, 0o4755]) {
      using it = open({ mode });
      withUmask(umask, () => it.publish("file", "first"));
      assert.equal(it.mode("file"), mode);
      withUmask(umask, () => it.publish("file", "second"));
      assert.equal(it.mode("file"), mode);
    }
  });
}

Deno.test("publish() corrects the mode of right bytes without writing them", () => {
  using it = open({ mode: 0o640 });
  it.publish("file");
  const inode = it.inode("file");
  Deno.chmodSync(it.at("file"), 0o777);
  assert.equal(it.publish("file"), false);
  assert.equal(it.mode("file"), 0o640);
  assert.equal(it.inode("file"), inode);
  assert.deepEqual(it.changes, ["file"]);
});

Deno.test("open() gives a file in the state directory", () => {
  using it = open({ mode: 0o640 });
  const file = it.publisher.open(it.at("file"));
  assert.equal(Deno.statSync(file.path).mode! & 0o777, 0o640);
  assert.deepEqual(it.temporaries(), ["..k8s-sidecar-id/state/temporary-0"]);
  file.end();
  assert.deepEqual(it.temporaries(), []);
});

Deno.test("publish() heals what somebody else did to a file", () => {
  using it = open();
  it.publish("file", "ours");
  for (
    const harm of [
      () => it.write("file", "hers"),
      () => Deno.removeSync(it.at("file")),
      () => {
        Deno.removeSync(it.at("file"));
        it.symlink("/etc/passwd", "file");
      },
    ]
  ) {
    harm();
    assert.equal(it.publish("file", "ours"), true);
    assert.equal(text(it.at("file")), "ours");
    assert.ok(Deno.lstatSync(it.at("file")).isFile);
  }
});

Deno.test("publish() says once that it takes a file over", () => {
  for (
    const [content, line] of [["theirs", "replaced existing"], ["new", "adopted existing"]] as const
  ) {
    using it = open();
    it.write("file", content);
    for (let round = 0; round < 3; round++) it.publish("file", "new");
    it.publish("file", "newer");
    it.restart().publish("file", "newest");
    assert.equal(it.log.lines.length, 1, it.log.lines.join("\n"));
    assert.ok(it.log.lines[0]?.includes(line), it.log.lines.join("\n"));
  }
});

Deno.test("publish() in the first sync takes over and heals", () => {
  using it = open();
  it.publish("ours");
  it.write("theirs", "theirs");
  it.write("right", "new");
  it.symlink("nowhere", "link");
  const next = it.restart();
  next.publisher.beginFirstSync();
  it.write("ours", "changed by somebody");
  const inode = it.inode("right");
  for (const name of ["ours", "theirs", "right", "link", "other"]) next.publish(name);
  assert.deepEqual(it.files(), { ours: "new", theirs: "new", right: "new", link: "new", other: "new" });
  assert.equal(it.inode("right"), inode);
  assert.deepEqual(it.log.lines.map((line) => line.replace(/\/\S*\/data\//, "")), [
    "info: replaced existing theirs, which this sidecar had not written",
    "info: adopted existing right: its content already matches",
    "info: replaced existing link, which this sidecar had not written",
  ]);
});

Deno.test("publish() looks at the disk again after the first sync", () => {
  using it = open();
  it.publisher.beginFirstSync();
  it.publish("first");
  it.write("a", "theirs");
  it.write("b", "theirs");
  it.publish("a");
  assert.deepEqual(it.log.lines, []);
  it.publisher.endFirstSync();
  it.publish("b");
  assert.equal(it.log.lines.length, 1);
  assert.deepEqual(it.files(), { first: "new", a: "new", b: "new" });
});

Deno.test("remove() removes ours, also after restart or take-over", () => {
  using it = open();
  it.write("taken", "theirs");
  for (const name of ["new", "taken", "later"]) it.publish(name);
  it.publish("taken", "changed once more");
  assert.equal(it.remove("new"), true);
  assert.equal(it.remove("new"), false);
  const later = it.restart();
  assert.equal(later.remove("taken"), true);
  assert.equal(later.remove("later"), true);
  assert.deepEqual(it.files(), {});
  assert.equal(later.restart().owned().length, 0);
  assert.deepEqual(it.changes, ["new", "taken", "later", "taken", "new", "taken", "later"]);
});

Deno.test("remove() leaves what is not ours", () => {
  using it = open();
  it.write("theirs", "theirs");
  it.publish("ours");
  assert.equal(it.remove("theirs"), false);
  it.publish("replaced");
  Deno.removeSync(it.at("replaced"));
  it.symlink("theirs", "replaced");
  assert.equal(it.remove("replaced"), false);
  it.publish("directory");
  Deno.removeSync(it.at("directory"));
  it.mkdir("directory");
  assert.equal(it.remove("directory"), false);
  assert.ok(Deno.lstatSync(it.at("replaced")).isSymlink);
  assert.ok(exists(it.at("directory")));
  assert.equal(text(it.at("theirs")), "theirs");
  assert.deepEqual(it.owned(), ["ours"]);
});

Deno.test("publish() refuses the path of its own record", () => {
  using it = open();
  it.publish("file");
  const record = it.journal.path ?? assert.fail("there is none");
  assert.throws(() => it.publisher.publish(record, encode("x"), "owner"), RefusedPathError);
  assert.match(text(record), /file/);
});

Deno.test("Publisher knows its files when FOLDER is another name of the same folder", () => {
  using it = open();
  it.publish("sub/a", "1");
  it.publish("b", "1");
  Deno.symlinkSync(it.at(""), it.at("../link"));
  const folder = it.at("../link");
  const journal = new Journal({ folder, id: "id", log: it.log });
  const [options, id] = [{ configFiles: [], allowedFolders: [], mode: 0o644, atomicWrites: true }, "id"];
  const publisher = new Publisher({ ...options, folder, journal, id, beforeChange() {}, log: it.log });
  assert.deepEqual([...journal.files()].map(([path]) => path), [`${folder}/sub/a`, `${folder}/b`]);
  assert.equal(publisher.publish(`${folder}/b`, encode("1"), OWNER), false);
  assert.equal(publisher.remove(it.at("b")), false);
  assert.equal(publisher.remove(`${folder}/sub/a`), true);
  assert.deepEqual(it.files(), { b: "1" });
  assert.ok(!exists(it.at("sub")));
  assert.deepEqual([...new Journal({ folder, id: "id", log: it.log }).files()].map(([path]) => path), [`${folder}/b`]);
});

Deno.test("Publisher keeps files whose directory became a symlink", () => {
  using it = open();
  it.publish("sub/a", "1");
  it.publish("sub/b", "1");
  Deno.renameSync(it.at("sub"), it.at("real"));
  it.symlink("real", "sub");
  // While it runs: the object claims the real path from now on
  it.publish("real/a", "1");
  assert.equal(it.remove("sub/a"), false);
  assert.deepEqual(it.owned(), ["sub/b", "real/a"]);
  assert.deepEqual(it.restart().owned().sort(), ["real/a", "real/b"]);
  for (const name of ["real/a", "real/b"]) assert.equal(text(it.at(name)), "1");
});

Deno.test("remove() succeeds when file or directory is gone already", () => {
  using it = open();
  it.publish("file");
  Deno.removeSync(it.at("file"));
  assert.equal(it.remove("file"), false);
  it.publish("a/b/file");
  Deno.removeSync(it.at("a"), { recursive: true });
  assert.equal(it.remove("a/b/file"), false);
  it.publish("a/b/file");
  Deno.removeSync(it.at("a/b"), { recursive: true });
  it.write("a/b", "theirs");
  assert.equal(it.remove("a/b/file"), false);
  it.publish("c/d/file");
  Deno.removeSync(it.at("c"), { recursive: true });
  it.write("c", "theirs");
  assert.equal(it.remove("c/d/file"), false);
  assert.equal(it.owned().length, 0);
  assert.equal(text(it.at("a/b")), "theirs");
});

Deno.test("remove() removes empty directories that we made", () => {
  using it = open();
  it.mkdir("there");
  it.publish("there/file");
  it.publish("a/b/c/file");
  it.publish("a/file");
  it.publish("shared/file");
  it.write("shared/theirs", "theirs");
  for (const name of ["there/file", "a/b/c/file", "shared/file"]) it.remove(name);
  assert.ok(exists(it.at("there")));
  assert.ok(exists(it.at("shared/theirs")));
  assert.ok(exists(it.at("a/file")));
  assert.equal(exists(it.at("a/b")), false);
  it.restart().remove("a/file");
  assert.equal(exists(it.at("a")), false);
  it.publish("a/again");
  assert.equal(text(it.at("a/again")), "new");
});

Deno.test("remove() leaves a symlink in the place of our directory", () => {
  using it = open();
  it.mkdir("empty");
  it.publish("team/file");
  Deno.removeSync(it.at("team"), { recursive: true });
  it.symlink("empty", "team");
  assert.equal(it.remove("team/file"), false);
  assert.ok(Deno.lstatSync(it.at("team")).isSymlink);
});

Deno.test("remove() leaves allowed folders that are empty", () => {
  using it = open();
  it.publish("file");
  it.publish("../extra/file");
  it.remove("file");
  it.remove("../extra/file");
  assert.ok(exists(it.at("../extra")));
  assert.ok(exists(it.at("..k8s-sidecar-id")));
});

Deno.test("publish() makes FOLDER and the record again when removed", () => {
  using it = open();
  it.publish("kept");
  it.publish("a/kept");
  Deno.removeSync(it.at(""), { recursive: true });
  assert.equal(it.publish("a/file"), true);
  assert.equal(it.publish("kept"), true);
  assert.deepEqual(it.files(), { "a/file": "new", "kept": "new" });
  const later = it.restart();
  assert.ok(later.owns("a/file") && later.owns("kept"));
});

Deno.test("publish() replaces a symlink and leaves its target", () => {
  using it = open();
  it.write("victim", "victim");
  for (
    const [name, target] of [["link", "victim"], ["away", "/etc/passwd"], ["nowhere", "missing"], ["itself", "itself"]]
  ) {
    it.symlink(target!, name!);
    assert.equal(it.publish(name!), true);
    assert.ok(Deno.lstatSync(it.at(name!)).isFile);
    assert.equal(text(it.at(name!)), "new");
  }
  assert.equal(text(it.at("victim")), "victim");
});

Deno.test("publish() replaces a symlink to a file with the right bytes", () => {
  using it = open();
  it.write("target", "new");
  it.symlink("target", "link");
  assert.equal(it.publish("link"), true);
  assert.ok(Deno.lstatSync(it.at("link")).isFile);
});

Deno.test("publish() and remove() refuse a directory that leads out", () => {
  using it = open();
  it.publish("team/file", "ours");
  Deno.removeSync(it.at("team"), { recursive: true });
  it.mkdir("../outside");
  it.write("../outside/file", "ours");
  it.symlink("../outside", "team");
  assert.throws(() => it.publish("team/file"), RefusedPathError);
  assert.throws(() => it.publish("team/sub/file"), RefusedPathError);
  assert.throws(() => it.publisher.open(it.at("team/file")), RefusedPathError);
  assert.equal(it.remove("team/file"), false);
  assert.deepEqual(filesIn(it.at("../outside")), { file: "ours" });
  assert.ok(Deno.lstatSync(it.at("team")).isSymlink);
});

Deno.test("publish() and remove() refuse a FOLDER that became a symlink", () => {
  using it = open();
  it.publish("file", "ours");
  it.mkdir("../outside");
  it.write("../outside/file", "ours");
  Deno.renameSync(it.at(""), it.at("../moved"));
  Deno.symlinkSync("outside", it.at(""));
  assert.throws(() => it.publish("file", "other"), RefusedPathError);
  assert.equal(it.remove("file"), false);
  assert.equal(text(it.at("../outside/file")), "ours");
});

Deno.test("remove() touches nothing outside, whatever the journal says", () => {
  using it = open();
  it.mkdir("../outside");
  it.write("../outside/file", "theirs");
  const outside = it.at("../outside");
  for (const path of [`${outside}/file`, `${it.at("")}/../outside/file`, "/proc/version", "/"]) {
    it.journal.own(path, OWNER, { ino: 1, mtime: 2, size: 3 });
    assert.equal(it.publisher.remove(path), false, path);
  }
  assert.equal(text(`${outside}/file`), "theirs");
});

Deno.test("publish() blames the path when a directory is there", () => {
  using it = open();
  it.mkdir("file/sub");
  it.write("file/sub/theirs", "theirs");
  const error = publishError(() => it.publish("file"));
  assert.equal(error.message, `cannot write ${it.at("file")}: a directory is in the way`);
  assert.equal(error.isImpossible, true);
  assert.deepEqual(it.files(), { "file/sub/theirs": "theirs" });
  assert.equal(it.owns("file"), false);
  assert.deepEqual(it.changes, []);
});

Deno.test("publish() blames the path when a file is in the way", () => {
  using it = open();
  it.write("team", "theirs");
  for (const path of ["team/file", "team/sub/file"]) {
    const error = publishError(() => it.publish(path));
    assert.match(error.message, /^cannot write .*: a part of the path is a file$/);
    assert.equal(error.isImpossible, true);
  }
  assert.deepEqual(it.files(), { "team": "theirs" });
  assert.equal(it.journal.madeDirectories.size, 0);
});

Deno.test("Publisher throws when FOLDER cannot be made", () => {
  using temp = tempFolder();
  Deno.writeTextFileSync(`${temp.path}/data`, "");
  const error = publishError(() => open({ disk: temp }));
  assert.match(error.message, /^cannot use .*\/data: /);
});

diskTest(
  "mounts",
  "publish() keeps the old file while the disk is full",
  () => {
    using disk = smallDisk(65_536);
    using it = open({ disk: { path: disk.path, [Symbol.dispose]() {} } });
    const old = "old ".repeat(1000);
    it.publish("file", old);
    it.changes.length = 0;
    {
      using _ = fill(it.at(".."));
      const messages = [1, 2, 3].map(() => publishError(() => it.publish("file", "new ".repeat(5000))).message);
      assert.equal(new Set(messages).size, 1, messages.join("\n"));
      assert.match(messages[0]!, /^cannot write .*\/data\/file: No space left .*emptyDir\.sizeLimit/);
      assert.equal(publishError(() => it.publish("other", "x")).isImpossible, false);
      assert.equal(publishError(() => it.publish("a/b/c", "x")).isImpossible, false);
      assert.deepEqual(it.temporaries(), []);
      assert.equal(text(it.at("file")), old);
      assert.deepEqual(it.changes, []);
    }
    assert.equal(it.publish("file", "new ".repeat(5000)), true);
    assert.equal(text(it.at("file")), "new ".repeat(5000));
    const later = it.restart();
    assert.ok(later.owns("file"));
    assert.equal(later.owns("other"), false);
  },
);

diskTest("mounts", "remove() works on a full disk", () => {
  using it = open({ disk: smallDisk(65_536) });
  it.publish("a/file");
  {
    using _ = fill(it.at(".."));
    assert.equal(it.remove("a/file"), true);
    assert.equal(exists(it.at("a")), false);
  }
  it.publish("other");
  assert.equal(it.restart().owns("a/file"), false);
});

diskTest(
  "mounts",
  "publish() and remove() leave no trace on a read-only disk",
  () => {
    using it = open();
    it.publish("file", "old");
    {
      using _ = readOnly(it.at(""));
      for (
        const act of [
          () => it.publish("file"),
          () => it.publish("other"),
          () => it.publisher.open(it.at("file")),
          () => it.publish("a/file"),
          () => it.remove("file"),
        ]
      ) {
        const messages = [1, 2, 3].map(() => publishError(act).message);
        assert.equal(new Set(messages).size, 1, messages.join("\n"));
        assert.match(messages[0]!, /: the volume is mounted read-only$/);
      }
      assert.equal(it.publish("file", "old"), false);
      assert.ok(it.owns("file"));
    }
    assert.deepEqual(it.files(), { "file": "old" });
    assert.equal(it.remove("file"), true);
    assert.equal(it.publish("a/file"), true);
    assert.equal(it.remove("a/file"), true);
    assert.equal(exists(it.at("a")), false);
  },
);

diskTest(
  "immutableFiles",
  "publish() leaves no trace when a file cannot be replaced",
  () => {
    using it = open();
    it.publish("file", "old");
    it.write("theirs", "theirs");
    {
      using _ = immutable(it.at("file"));
      using __ = immutable(it.at("theirs"));
      const messages = [1, 2].map(() => publishError(() => it.publish("file")).message);
      assert.equal(new Set(messages).size, 1, messages.join("\n"));
      publishError(() => it.publish("theirs"));
      publishError(() => it.remove("file"));
      assert.deepEqual(it.files(), { "file": "old", "theirs": "theirs" });
      assert.ok(it.owns("file"));
      assert.equal(it.owns("theirs"), false);
      assert.equal(it.restart().owns("theirs"), false);
    }
    assert.equal(it.remove("file"), true);
  },
);

diskTest("immutableFiles", "publish() writes nothing that the journal cannot say is ours", () => {
  using it = open();
  it.publish("file", "old");
  {
    using _ = immutable(it.at("..k8s-sidecar-id/state/record"));
    const messages = [1, 2].map(() => publishError(() => it.publish("new")).message);
    assert.equal(new Set(messages).size, 1, messages.join("\n"));
    publishError(() => it.publish("a/new"));
    assert.equal(it.publish("file", "of a known path"), true);
  }
  assert.deepEqual(it.files(), { "file": "of a known path" });
  assert.equal(it.publish("new"), true);
  assert.ok(it.restart().owns("new"));
});

Deno.test("Publisher removes temporary files of an earlier run, and nothing else", () => {
  using it = open();
  it.publish("file");
  for (const directory of ["..k8s-sidecar-id/state", "..k8s-sidecar-other/state", "..k8s-sidecar-id"]) {
    it.mkdir(`${directory}/temporary-directory`);
    it.write(`${directory}/temporary-0`, "half");
  }
  it.symlink("file", "..k8s-sidecar-id/state/temporary-1");
  const later = it.restart();
  assert.deepEqual(it.temporaries(), ["..k8s-sidecar-id/temporary-0", "..k8s-sidecar-other/state/temporary-0"]);
  assert.ok(exists(it.at("..k8s-sidecar-id/state/temporary-directory")));
  assert.equal(exists(it.at("..k8s-sidecar-id/state/temporary-1")), false);
  assert.ok(later.owns("file"));
});

Deno.test("Publisher has nothing but one directory of its own in FOLDER", () => {
  using it = open();
  const names = () => [...Deno.readDirSync(it.at(""))].map(({ name, isDirectory }) => isDirectory ? `${name}/` : name);
  const file = it.publisher.open(it.at("b"));
  it.publish("a");
  assert.deepEqual(names().toSorted(), ["..k8s-sidecar-id/", "a"]);
  it.publisher.commit(file, OWNER);
  it.remove("a");
  assert.deepEqual(names().toSorted(), ["..k8s-sidecar-id/", "b"]);
});

Deno.test("publish() leaves the journal saying who holds the content", () => {
  using it = open();
  it.publish("file");
  assert.equal(it.publisher.publish(it.at("file"), encode("new"), "Secret/default/heir"), false);
  assert.equal(it.journal.ownerOf(it.at("file")), "Secret/default/heir");
  assert.equal(it.restart().journal.ownerOf(it.at("file")), "Secret/default/heir");
});

Deno.test("publish() records what identifies the file that it wrote", () => {
  using it = open();
  const isRecorded = () => {
    const { ino, size, mtime } = Deno.statSync(it.at("file"));
    for (const { journal } of [it, it.restart()]) {
      const file = journal.fileAt(it.at("file"));
      assert.deepEqual([file?.ino, file?.size, file?.mtime], [ino, size, mtime?.getTime()]);
    }
  };
  it.write("file", "theirs");
  it.publish("file");
  isRecorded();
  it.publish("file", "newer");
  isRecorded();
  Deno.utimeSync(it.at("file"), 1000, 1000);
  assert.equal(it.publish("file", "newer"), false);
  isRecorded();
});

diskTest("mounts", "publish() makes FOLDER once the volume allows it", () => {
  const disk = smallDisk(65_536);
  remount(disk, "ro");
  using it = open({ disk, folder: `${disk.path}/data/deep` });
  const { isImpossible, message } = publishError(() => it.publish("deep/file"));
  assert.deepEqual([isImpossible, message.includes("Read-only file system")], [false, true]);
  remount(disk, "rw");
  assert.equal(it.publish("deep/file"), true);
  assert.equal(text(it.at("deep/file")), "new");
});

diskTest("mounts", "publish() blames STATE_FILE when that is what cannot be written", () => {
  using disk = smallDisk(16_384);
  using it = open({ stateFile: `${disk.path}/record` });
  const filler = fill(disk.path);
  for (let attempt = 0; attempt < 2; attempt++) {
    const { message } = publishError(() => it.publish("file"));
    const blamed = `cannot write ${
      it.at("file")
    }: cannot record it in STATE_FILE ${disk.path}/record: No space left on`;
    assert.ok(message.startsWith(blamed), message);
  }
  filler[Symbol.dispose]();
  assert.equal(it.publish("file"), true);
});

diskTest("immutableFiles", "publish() that fails leaves the journal as it was", () => {
  using it = open();
  it.publish("file", "old");
  const { ino } = it.journal.fileAt(it.at("file"))!;
  using _ = immutable(it.at("file"));
  publishError(() => it.publisher.publish(it.at("file"), encode("new"), "Secret/default/heir"));
  for (const { journal } of [it, it.restart()]) {
    assert.equal(journal.ownerOf(it.at("file")), OWNER);
    assert.equal(journal.fileAt(it.at("file"))?.ino, ino);
  }
});

Deno.test("publish() lets no key name STATE_FILE or anything beside it", () => {
  using temp = tempFolder();
  const stateFile = `${temp.path}/data/sub/state`;
  using it = open({ disk: { path: temp.path, [Symbol.dispose]() {} }, stateFile });
  it.publish("file");
  const later = it.restart();
  later.symlink("sub", "link");
  for (const path of ["sub/state", "link/state"]) assert.throws(() => later.publish(path), RefusedPathError, path);
  for (const name of ["sub/state.new", "sub/temporary-0", "state"]) later.publish(name, name);
  for (let round = 0; round < 2; round++) {
    Deno.removeSync(stateFile);
    later.journal.tidy();
    later.publish("file", `${round}`);
  }
  for (const name of ["sub/state.new", "sub/temporary-0", "state"]) assert.equal(text(it.at(name)), name);
  assert.ok(it.restart().owns("sub/state.new"));
});

/** Mounts an empty file system on a directory. */
function mounted(path: string): Disposable {
  Deno.mkdirSync(path, { recursive: true });
  return smallDisk(65_536, 10_000, path);
}

diskTest("mounts", "publish() prepares files for another disk on that disk", () => {
  using it = open();
  using _ = mounted(it.at("sub"));
  using __ = mounted(it.at("../extra"));
  const places = new Map([["file", ""], ["sub/a/b", "sub/"], ["../extra/a/b", "../extra/"]]);
  for (const [path, place] of places) {
    const file = it.publisher.open(it.at(path));
    assert.equal(file.path, it.at(`${place}..k8s-sidecar-id/state/temporary-0`));
    file.write(encode("streamed"));
    it.publisher.commit(file, OWNER);
    assert.equal(text(it.at(path)), "streamed");
    it.publish(path, "whole");
    assert.equal(text(it.at(path)), "whole");
  }
  assert.deepEqual([...Deno.readDirSync(it.at("sub"))].map(({ name }) => name), ["a"]);
  for (const path of ["sub/a/b", "../extra/a/b"]) assert.equal(it.remove(path), true);
  assert.deepEqual([...Deno.readDirSync(it.at("sub")), ...Deno.readDirSync(it.at("../extra"))], []);
});

diskTest("mounts", "publish() leaves the temporary files of downloads under way", () => {
  using it = open();
  using _ = mounted(it.at("sub"));
  const files = ["file", "sub/a/file"].map((path) => it.publisher.open(it.at(path)));
  for (const path of ["b", "sub/b", "sub/a/b", "sub/c/b", "c/b"]) it.publish(path);
  for (const file of files) {
    file.write(encode("streamed"));
    assert.equal(it.publisher.commit(file, OWNER), true);
  }
  assert.deepEqual(it.temporaries(), []);
});

Deno.test("commit() refuses a directory that leads out by then", () => {
  using it = open();
  it.mkdir("../outside");
  const file = it.publisher.open(it.at("team/file"));
  file.write(encode("streamed"));
  Deno.removeSync(it.at("team"), { recursive: true });
  it.symlink("../outside", "team");
  assert.throws(() => it.publisher.commit(file, OWNER), RefusedPathError);
  assert.deepEqual(filesIn(it.at("../outside")), {});
  assert.deepEqual(it.temporaries(), []);
});

diskTest("mounts", "publish() prepares files beside the target on a bind mount", () => {
  using it = open();
  it.mkdir("../extra");
  it.mkdir("team/sub");
  using _ = bound(it.at("../extra"), it.at("team/sub"));
  const names = () => [...Deno.readDirSync(it.at("team/sub"))].map(({ name }) => name);
  it.mkdir("team/sub/..k8s-sidecar-id/state");
  it.write("team/sub/..k8s-sidecar-id/state/temporary-0", "half");
  assert.equal(it.publish("team/sub/file"), true);
  assert.equal(it.publish("team/sub/file", "newer"), true);
  const file = it.publisher.open(it.at("team/sub/streamed"));
  assert.deepEqual(names().toSorted(), ["..k8s-sidecar-id", "file"]);
  file.write(encode("streamed"));
  it.publisher.commit(file, OWNER);
  assert.deepEqual(names().toSorted(), ["file", "streamed"]);
  assert.deepEqual(it.temporaries(), []);
  assert.deepEqual(it.files(), { "team/sub/file": "newer", "team/sub/streamed": "streamed" });
  const { ino } = Deno.statSync(it.at("team/sub/file"));
  assert.equal(it.restart().journal.fileAt(it.at("team/sub/file"))?.ino, ino);
  it.publish("team/sub/made/file");
  it.publish("team/sub/made/file", "newer");
  it.remove("team/sub/made/file");
  assert.deepEqual(names().toSorted(), ["file", "streamed"]);
});

diskTest("mounts", "Publisher removes temporary files of an earlier run from another disk", () => {
  using it = open();
  using _ = mounted(it.at("sub"));
  it.publish("sub/file");
  it.mkdir("sub/..k8s-sidecar-id/state");
  it.write("sub/..k8s-sidecar-id/state/temporary-0", "half");
  it.restart();
  assert.deepEqual([...Deno.readDirSync(it.at("sub"))].map(({ name }) => name), ["file"]);
});

diskTest("mounts", "publish() blames the path for a read-only disk below FOLDER", () => {
  using it = open();
  it.mkdir("lost+found");
  using _ = readOnly(it.at("lost+found"));
  for (const path of ["lost+found/file", "lost+found/sub/file"]) {
    assert.equal(publishError(() => it.publish(path)).isImpossible, true);
  }
  assert.deepEqual(it.temporaries(), []);
  assert.equal(it.publish("file"), true);
});

diskTest("immutableFiles", "publish() blames the path for a missing right, but not when FOLDER lacks it", () => {
  using it = open();
  it.mkdir("theirs");
  {
    using _ = immutable(it.at("theirs"));
    assert.equal(publishError(() => it.publish("theirs/file")).isImpossible, true);
  }
  it.publish("file");
  for (const path of ["", "..k8s-sidecar-id/state", "..k8s-sidecar-id/state/record"]) {
    using _ = immutable(it.at(path));
    using __ = immutable(it.at("theirs"));
    assert.equal(publishError(() => it.publish("theirs/file")).isImpossible, false, path);
  }
});

Deno.test("commit() puts in place only what differs", () => {
  using it = open({ mode: 0o640 });
  const commit = (content: string) => {
    const file = it.publisher.open(it.at("file"));
    file.write(encode(content));
    return it.publisher.commit(file, OWNER);
  };
  const large = "x".repeat(200_000);
  assert.equal(commit(large), true);
  const inode = it.inode("file");
  assert.equal(commit(large), false);
  assert.equal(it.inode("file"), inode);
  for (const content of [`${large}y`, `${large}z`, "", "end"]) {
    assert.equal(commit(content), true);
    assert.equal(text(it.at("file")), content);
  }
  assert.equal(it.mode("file"), 0o640);
  assert.deepEqual(it.files(), { "file": "end" });
  assert.ok(it.restart().owns("file"));
});

Deno.test("commit() that fails leaves no temporary file", () => {
  const harms: [string, (it: ReturnType<typeof open>, temporary: string) => void][] = [
    ["a directory came in its place", (it) => it.mkdir("a/file")],
    ["its directory became a file", (it) => {
      Deno.removeSync(it.at("a"), { recursive: true });
      it.write("a", "theirs");
    }],
    ["the temporary is gone", (it, temporary) => {
      it.write("a/file", "same size");
      Deno.removeSync(temporary);
    }],
  ];
  for (const [what, harm] of harms) {
    using it = open();
    const file = it.publisher.open(it.at("a/file"));
    file.write(encode("same_size"));
    harm(it, file.path);
    publishError(() => it.publisher.commit(file, OWNER));
    assert.deepEqual(it.temporaries(), [], what);
    assert.equal(it.owns("a/file"), false, what);
  }
});

Deno.test("end() leaves the earlier file, and may come twice", () => {
  using it = open();
  it.publish("file", "old");
  const file = it.publisher.open(it.at("file"));
  file.write(encode("part"));
  file.end();
  file.end();
  assert.deepEqual(it.files(), { "file": "old" });
});

/** Publishes in a process of its own, under another user. */
function publishAs(uid: number, gid: number, folder: string, path: string, content: string): void {
  const program = `
    import { Journal } from "${LIB}journal.ts";
    import { Publisher } from "${LIB}publisher.ts";
    const [folder, path, content] = Deno.args;
    const log = { debug() {}, info() {}, warn() {} };
    const journal = new Journal({ folder, id: "id", log });
    const publisher = new Publisher({ configFiles: [],
      folder, allowedFolders: [], mode: 0o644, atomicWrites: true, journal, id: "id", beforeChange() {}, log,
    });
    publisher.publish(path, new TextEncoder().encode(content), "ConfigMap/default/a");`;
  const { success, stderr } = asUser(uid, gid, program, folder, path, content);
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Publishes in a process of its own, which is killed between record and rename. */
function publishAndCrash(folder: string, path: string): void {
  const program = `
    import { Journal } from "${LIB}journal.ts";
    import { Publisher } from "${LIB}publisher.ts";
    const [folder, path] = Deno.args;
    const log = { debug() {}, info() {}, warn() {} };
    const journal = new Journal({ folder, id: "id", log });
    const beforeChange = (path) => {
      journal.addPending([path]);
      Deno.kill(Deno.pid, "SIGKILL");
    };
    const publisher = new Publisher({ configFiles: [],
      folder, allowedFolders: [], mode: 0o644, atomicWrites: true, journal, id: "id", beforeChange, log,
    });
    publisher.publish(path, new TextEncoder().encode("ours"), "ConfigMap/default/a");`;
  const { signal } = new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", program, folder, path] })
    .outputSync();
  assert.equal(signal, "SIGKILL");
}

diskTest("users", "Publisher goes on under another user", () => {
  using it = open();
  Deno.chmodSync(it.at(""), 0o2775);
  Deno.chownSync(it.at(""), 1001, 3000);
  Deno.chmodSync(it.at(".."), 0o755);
  for (const [uid, content] of [[1001, "first"], [1002, "second"]] as const) {
    publishAs(uid, 3000, it.at(""), it.at("file"), content);
    publishAs(uid, 3000, it.at(""), it.at(`new-${uid}`), content);
    assert.deepEqual(it.temporaries(), []);
    assert.equal(Deno.statSync(it.at("file")).uid, uid);
  }
  assert.deepEqual(it.files(), { file: "second", "new-1001": "first", "new-1002": "second" });
  assert.deepEqual(it.restart().owned(), ["file", "new-1001", "new-1002"]);
});

Deno.test("Publisher that crashed before a take-over leaves the stranger's file", () => {
  using it = open();
  it.write("file", "theirs");
  publishAndCrash(it.at(""), it.at("file"));
  assert.equal(it.temporaries().length, 1);
  const later = it.restart();
  assert.deepEqual(it.files(), { file: "theirs" });
  assert.equal(later.owns("file"), false);
  assert.equal(later.remove("file"), false);
  assert.deepEqual([...later.journal.pending ?? []], [it.at("file")]);
  assert.equal(later.publish("file", "ours"), true);
  assert.equal(it.restart().remove("file"), true);
});

Deno.test("Publisher that crashed before a rename owns the earlier file", () => {
  using it = open();
  it.publish("file", "earlier");
  publishAndCrash(it.at(""), it.at("file"));
  const later = it.restart();
  assert.deepEqual(it.files(), { file: "earlier" });
  assert.equal(later.remove("file"), true);
});

Deno.test("Publisher finds 1,900 files right after a restart", () => {
  using it = open();
  const names = Array.from({ length: 1900 }, (_, index) => `sub/file-${index}`);
  for (const name of names) assert.equal(it.publish(name, name), true);
  const later = it.restart();
  for (const name of names) assert.equal(later.publish(name, name), false);
  for (const name of names) assert.equal(later.remove(name), true);
  assert.deepEqual(it.files(), {});
  assert.equal(exists(it.at("sub")), false);
});

Deno.test("remove() leaves a file that an earlier run's record names and that is not the one written", () => {
  using it = open();
  it.publish("touched");
  it.publish("replaced");
  it.publish("same");
  Deno.utimeSync(it.at("touched"), 1, 1);
  it.write("foreign", "new");
  Deno.renameSync(it.at("foreign"), it.at("replaced"));
  const later = it.restart();
  for (const path of ["touched", "replaced", "same"]) later.remove(path);
  assert.deepEqual(later.files(), { touched: "new", replaced: "new" });
  assert.deepEqual(later.owned(), []);
  assert.equal(later.log.lines.filter((line) => line.includes("is not the file that this sidecar wrote")).length, 2);
});

Deno.test("publish() refuses a file that the configuration names, by whatever path", () => {
  using temp = tempFolder();
  const data = `${temp.path}/data`;
  Deno.mkdirSync(`${data}/scripts`, { recursive: true });
  Deno.writeTextFileSync(`${data}/scripts/reload.sh`, "theirs");
  Deno.symlinkSync("scripts", `${data}/link`);
  Deno.symlinkSync(`${data}/scripts/token`, `${temp.path}/token`);
  Deno.writeTextFileSync(`${data}/scripts/token`, "theirs");
  const log = keptLog();
  const publisher = new Publisher({
    ...{ folder: data, allowedFolders: [], mode: 0o644, atomicWrites: true, id: "id", log, beforeChange() {} },
    journal: new Journal({ folder: data, id: "id", log }),
    configFiles: [
      { path: `${data}/link/reload.sh`, what: "SCRIPT" },
      { path: `${temp.path}/token`, what: "REQ_TOKEN_FILE" },
      { path: `${data}/missing`, what: "NETRC" },
    ],
  });
  for (const path of ["scripts/reload.sh", "link/reload.sh", "scripts/token", "link/token", "missing"]) {
    assert.throws(() => publisher.publish(`${data}/${path}`, encode("new"), OWNER), RefusedPathError, path);
  }
  assert.equal(Deno.readTextFileSync(`${data}/scripts/reload.sh`), "theirs");
  assert.equal(publisher.publish(`${data}/scripts/other.sh`, encode("new"), OWNER), true);
});
