import assert from "node:assert/strict";
import { Journal } from "../../lib/files/journal.ts";
import { resolvePath } from "../../lib/files/paths.ts";
import { PublishError } from "../../lib/files/publish_error.ts";
import { Publisher, type PublisherOptions } from "../../lib/files/publisher.ts";
import { RefusedPathError } from "../../lib/files/allowed_folders.ts";
import { keptLog } from "../support/api_gateway.ts";
import {
  diskTest,
  exists,
  filesIn,
  fill,
  type Folder,
  immutable,
  readOnly,
  smallDisk,
  tempFolder,
  temporariesIn,
  text,
} from "../support/disk.ts";
import { encode } from "../support/local_servers.ts";

const OWNER = "ConfigMap/default/a";

/**
 * A publisher on `data` in a folder, with its journal there, too; `extra` beside it is allowed. `restart` gives a new one
 * that knows what the journal says.
 */
function open(options: Partial<PublisherOptions> & { disk?: Folder } = {}) {
  const temp = options.disk ?? tempFolder();
  const at = (path: string) => resolvePath(`${temp.path}/data`, path);
  const log = keptLog();
  const changes: string[] = [];
  const start = () => {
    const journal = new Journal(at("..k8s-sidecar-id"), log);
    const publisher = new Publisher({
      folder: `${temp.path}/data`,
      allowedFolders: [`${temp.path}/extra`],
      mode: 0o644,
      journal,
      id: "id",
      random: Math.random,
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
      owns: (path: string) => journal.owned.has(at(path)),
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

Deno.test("publish() leaves bytes that are right as they are: same inode, same time", () => {
  using it = open();
  it.publish("file", "same");
  Deno.utimeSync(it.at("file"), 1000, 1000);
  const inode = it.inode("file");
  assert.equal(it.publish("file", "same"), false);
  assert.equal(it.restart().publish("file", "same"), false);
  assert.equal(it.inode("file"), inode);
  assert.equal(Deno.statSync(it.at("file")).mtime?.getTime(), 1000_000);
});

Deno.test("publish() sees every difference: length, first byte, last byte", () => {
  using it = open();
  const large = "x".repeat(100_000);
  for (const content of ["a", "b", "", "a", `a${large}`, `b${large}`, `b${large}a`, `b${large}b`]) {
    assert.equal(it.publish("file", content), true);
    assert.equal(text(it.at("file")), content);
  }
});

Deno.test("publish() puts a new file in the place of the old one, which a reader has to its end", () => {
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

Deno.test("publish() gives a file whose bytes are right another mode without writing it", () => {
  using it = open({ mode: 0o640 });
  it.publish("file");
  const inode = it.inode("file");
  Deno.chmodSync(it.at("file"), 0o777);
  assert.equal(it.publish("file"), false);
  assert.equal(it.mode("file"), 0o640);
  assert.equal(it.inode("file"), inode);
  assert.deepEqual(it.changes, ["file"]);
});

Deno.test("draft() is readable by nobody else, whatever the file's mode will be", () => {
  using it = open({ mode: 0o666 });
  const draft = it.publisher.draft(it.at("file"));
  assert.equal(Deno.statSync(draft.path).mode! & 0o777, 0o600);
  it.publisher.discard(draft);
  assert.deepEqual(it.files(), {});
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

Deno.test("publish() says once that it takes a file over, whether it was right or not", () => {
  for (
    const [content, line] of [["theirs", "there before: taken over"], ["new", "same content: it is ours"]] as const
  ) {
    using it = open();
    it.write("file", content);
    for (let turn = 0; turn < 3; turn++) it.publish("file", "new");
    it.publish("file", "newer");
    it.restart().publish("file", "newest");
    assert.equal(it.log.lines.length, 1, it.log.lines.join("\n"));
    assert.ok(it.log.lines[0]?.includes(line), it.log.lines[0]);
  }
});

Deno.test("publish() in the first sync takes over what was there before, and heals what is ours", () => {
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
  assert.deepEqual(it.log.lines.map((line) => line.replace(/.*\/data\//, "")), [
    "theirs was there before: taken over and replaced",
    "right was there with the same content: it is ours from now on",
    "link was there before: taken over and replaced",
  ]);
});

Deno.test("publish() looks again at what is there once the first sync is over", () => {
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

Deno.test("remove() removes a file of ours, also after a restart, and also one that was taken over", () => {
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
  assert.equal(later.restart().journal.owned.size, 0);
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
  assert.deepEqual([...it.journal.owned.keys()], [it.at("ours")]);
});

Deno.test("publish() refuses the path of its own record", () => {
  using it = open();
  it.publish("file");
  const record = it.journal.path ?? assert.fail("there is none");
  assert.throws(() => it.publisher.publish(record, encode("x"), "owner"), RefusedPathError);
  assert.match(text(record), /file/);
});

Deno.test("remove() is content when somebody else removed the file, its directory, or put a file in the directory's place", () => {
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
  assert.equal(it.journal.owned.size, 0);
  assert.equal(text(it.at("a/b")), "theirs");
});

Deno.test("remove() takes the directories that we made with it once they are empty, and no other", () => {
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

Deno.test("remove() leaves a symlink that came in the place of a directory that we made", () => {
  using it = open();
  it.mkdir("empty");
  it.publish("team/file");
  Deno.removeSync(it.at("team"), { recursive: true });
  it.symlink("empty", "team");
  assert.equal(it.remove("team/file"), false);
  assert.ok(Deno.lstatSync(it.at("team")).isSymlink);
});

Deno.test("remove() leaves the roots, though they are empty", () => {
  using it = open();
  it.publish("file");
  it.publish("../extra/file");
  it.remove("file");
  it.remove("../extra/file");
  assert.ok(exists(it.at("../extra")));
  assert.ok(exists(it.at("..k8s-sidecar-id")));
});

Deno.test("publish() makes FOLDER again when it was removed, and the journal in it", () => {
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

Deno.test("publish() puts a file in the place of a symlink, and leaves what that led to", () => {
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

Deno.test("publish() does not adopt a symlink to a file with the right bytes", () => {
  using it = open();
  it.write("target", "new");
  it.symlink("target", "link");
  assert.equal(it.publish("link"), true);
  assert.ok(Deno.lstatSync(it.at("link")).isFile);
});

Deno.test("publish() and remove() refuse a directory that became a symlink out of the roots", () => {
  using it = open();
  it.publish("team/file", "ours");
  Deno.removeSync(it.at("team"), { recursive: true });
  it.mkdir("../outside");
  it.write("../outside/file", "ours");
  it.symlink("../outside", "team");
  assert.throws(() => it.publish("team/file"), RefusedPathError);
  assert.throws(() => it.publish("team/sub/file"), RefusedPathError);
  assert.throws(() => it.publisher.draft(it.at("team/file")), RefusedPathError);
  assert.equal(it.remove("team/file"), false);
  assert.deepEqual(filesIn(it.at("../outside")), { file: "ours" });
  assert.ok(Deno.lstatSync(it.at("team")).isSymlink);
});

Deno.test("publish() and remove() refuse when FOLDER itself became a symlink to elsewhere", () => {
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

Deno.test("remove() touches nothing outside the roots, whatever the journal says", () => {
  using it = open();
  it.mkdir("../outside");
  it.write("../outside/file", "theirs");
  const outside = it.at("../outside");
  for (const path of [`${outside}/file`, `${it.at("")}/../outside/file`, "/proc/version", "/"]) {
    it.journal.own(path, OWNER);
    assert.equal(it.publisher.remove(path), false, path);
  }
  assert.equal(text(`${outside}/file`), "theirs");
});

Deno.test("publish() fails where there is a directory, without a trace, and says that the path is to blame", () => {
  using it = open();
  it.mkdir("file/sub");
  it.write("file/sub/theirs", "theirs");
  const error = publishError(() => it.publish("file"));
  assert.equal(error.message, `cannot write ${it.at("file")}: there is a directory in its place`);
  assert.equal(error.isOfThePath, true);
  assert.deepEqual(it.files(), { "file/sub/theirs": "theirs" });
  assert.equal(it.owns("file"), false);
  assert.deepEqual(it.changes, []);
});

Deno.test("publish() fails where a file is in the way of a directory, and says that the path is to blame", () => {
  using it = open();
  it.write("team", "theirs");
  for (const path of ["team/file", "team/sub/file"]) {
    const error = publishError(() => it.publish(path));
    assert.match(error.message, /^cannot write .*: a part of the path is a file$/);
    assert.equal(error.isOfThePath, true);
  }
  assert.deepEqual(it.files(), { "team": "theirs" });
  assert.equal(it.journal.madeDirectories.size, 0);
});

Deno.test("Publisher fails at once when FOLDER cannot be", () => {
  using temp = tempFolder();
  Deno.writeTextFileSync(`${temp.path}/data`, "");
  const error = publishError(() => open({ disk: temp }));
  assert.match(error.message, /^cannot use .*\/data: /);
});

diskTest(
  "mounts",
  "publish() keeps the old file when the disk is full, and writes the new one once there is room",
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
      assert.equal(publishError(() => it.publish("other", "x")).isOfThePath, false);
      assert.equal(publishError(() => it.publish("a/b/c", "x")).isOfThePath, false);
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
  "publish() and remove() say the same each time when the disk is read-only, and leave no trace",
  () => {
    using it = open();
    it.publish("file", "old");
    {
      using _ = readOnly(it.at(""));
      for (
        const act of [
          () => it.publish("file"),
          () => it.publish("other"),
          () => it.publisher.draft(it.at("file")),
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
  "publish() leaves no temporary when the file cannot be replaced, and remove() keeps it as ours",
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
    using _ = immutable(it.at("..k8s-sidecar-id"));
    const messages = [1, 2].map(() => publishError(() => it.publish("new")).message);
    assert.equal(new Set(messages).size, 1, messages.join("\n"));
    publishError(() => it.publish("a/new"));
    assert.equal(it.publish("file", "of a known path"), true);
  }
  assert.deepEqual(it.files(), { "file": "of a known path" });
  assert.equal(it.publish("new"), true);
  assert.ok(it.restart().owns("new"));
});

Deno.test("Publisher removes temporaries that it left behind, at its start and in each directory it comes to, and no others", () => {
  using it = open();
  it.mkdir("team");
  it.mkdir("later");
  it.publish("team/file");
  const others = ["..k8s-sidecar-other-abc", "..k8s-sidecar-id2-abc", ".k8s-sidecar-id-abc", "k8s-sidecar-id-abc"];
  for (const folder of ["", "team/", "later/"]) {
    for (const name of ["..k8s-sidecar-id-abc", ...others]) it.write(folder + name, "half");
  }
  it.mkdir("..k8s-sidecar-id-directory");
  const later = it.restart();
  const left = () => Object.keys(it.files()).filter((name) => name.includes("..k8s-sidecar-id-"));
  assert.deepEqual(left(), ["later/..k8s-sidecar-id-abc"]);
  later.publish("later/file");
  assert.deepEqual(left(), []);
  assert.ok(exists(it.at("..k8s-sidecar-id-directory")));
  for (const folder of ["", "team/", "later/"]) {
    for (const name of others) assert.ok(exists(it.at(folder + name)), folder + name);
  }
  assert.ok(later.restart().owns("later/file"));
});

Deno.test("commit() puts what a draft was filled with in place, and only what is different", () => {
  using it = open({ mode: 0o640 });
  const commit = (content: string) => {
    const draft = it.publisher.draft(it.at("file"));
    draft.write(encode(content));
    return it.publisher.commit(draft, OWNER);
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

Deno.test("commit() that fails leaves no temporary", () => {
  const harms: [string, (it: ReturnType<typeof open>, draft: string) => void][] = [
    ["a directory came in its place", (it) => it.mkdir("a/file")],
    ["its directory is gone", (it) => Deno.removeSync(it.at("a"), { recursive: true })],
    ["its directory became a file", (it) => {
      Deno.removeSync(it.at("a"), { recursive: true });
      it.write("a", "theirs");
    }],
    ["the temporary is gone", (it, draft) => {
      it.write("a/file", "same size");
      Deno.removeSync(draft);
    }],
  ];
  for (const [what, harm] of harms) {
    using it = open();
    const draft = it.publisher.draft(it.at("a/file"));
    draft.write(encode("same_size"));
    harm(it, draft.path);
    publishError(() => it.publisher.commit(draft, OWNER));
    assert.deepEqual(it.temporaries(), [], what);
    assert.equal(it.owns("a/file"), false, what);
  }
});

Deno.test("discard() leaves the earlier file, and may come twice", () => {
  using it = open();
  it.publish("file", "old");
  const draft = it.publisher.draft(it.at("file"));
  draft.write(encode("part"));
  it.publisher.discard(draft);
  it.publisher.discard(draft);
  assert.deepEqual(it.files(), { "file": "old" });
});

/** Publishes in a process of its own, which is killed between record and rename. */
function publishAndCrash(folder: string, path: string): void {
  const lib = new URL("../../lib/files/", import.meta.url);
  const program = `
    import { Journal } from "${lib}journal.ts";
    import { Publisher } from "${lib}publisher.ts";
    const [folder, path] = Deno.args;
    const log = { debug() {}, info() {}, warn() {} };
    const journal = new Journal(folder + "/..k8s-sidecar-id", log);
    const beforeChange = (path) => {
      journal.owe([path]);
      Deno.kill(Deno.pid, "SIGKILL");
    };
    const publisher = new Publisher({
      folder, allowedFolders: [], mode: 0o644, journal, id: "id", random: Math.random, beforeChange, log,
    });
    publisher.publish(path, new TextEncoder().encode("ours"), "ConfigMap/default/a");`;
  const { signal } = new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", program, folder, path] })
    .outputSync();
  assert.equal(signal, "SIGKILL");
}

Deno.test("Publisher whose crash came between record and rename leaves a stranger's file, and tidies up at its next start", () => {
  using it = open();
  it.write("file", "theirs");
  publishAndCrash(it.at(""), it.at("file"));
  assert.equal(it.temporaries().length, 1);
  const later = it.restart();
  assert.deepEqual(it.files(), { file: "theirs" });
  assert.equal(later.owns("file"), false);
  assert.equal(later.remove("file"), false);
  assert.deepEqual([...later.journal.owed ?? []], [it.at("file")]);
  assert.equal(later.publish("file", "ours"), true);
  assert.equal(it.restart().remove("file"), true);
});

Deno.test("Publisher whose crash came between record and rename has its own earlier file", () => {
  using it = open();
  it.publish("file", "earlier");
  publishAndCrash(it.at(""), it.at("file"));
  const later = it.restart();
  assert.deepEqual(it.files(), { file: "earlier" });
  assert.equal(later.remove("file"), true);
});

Deno.test("Publisher holds 2,000 files, and finds them all right after a restart", () => {
  using it = open();
  const names = Array.from({ length: 2000 }, (_, index) => `sub/file-${index}`);
  for (const name of names) assert.equal(it.publish(name, name), true);
  const later = it.restart();
  for (const name of names) assert.equal(later.publish(name, name), false);
  for (const name of names) assert.equal(later.remove(name), true);
  assert.deepEqual(it.files(), {});
  assert.equal(exists(it.at("sub")), false);
});
