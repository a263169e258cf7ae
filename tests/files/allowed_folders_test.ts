import assert from "node:assert/strict";
import { AllowedFolders, RefusedPathError } from "../../lib/files/allowed_folders.ts";
import { exists, tempFolder } from "../support/disk.ts";

function recorded() {
  const madeDirectories = new Set<string>();
  return {
    madeDirectories,
    recordDirectory: (path: string) => void madeDirectories.add(path),
    forgetDirectory: (path: string) => void madeDirectories.delete(path),
  };
}

/** Allowed folders in an empty one: `data`, and `extra` beside it, which is not there yet. */
function open({ extra = true, prepare = (_: string) => {} } = {}) {
  const temp = tempFolder();
  prepare(temp.path);
  const record = recorded();
  const within = (path: string) => path.slice(temp.path.length + 1);
  const allowed = new AllowedFolders(`${temp.path}/data`, extra ? [`${temp.path}/extra`] : [], record);
  const at = (path: string) => `${temp.path}/${path}`;
  return {
    /** The directories that count as made by us, within the temporary folder. */
    get made() {
      return [...record.madeDirectories].map(within);
    },
    recordMade: (path: string) => record.recordDirectory(at(path)),
    at,
    ensure: (path: string) => within(allowed.ensureDirectory(at(path))),
    canonical: (path: string) => within(allowed.canonical(at(path))),
    has: (path: string) => allowed.has(at(path)),
    removeEmpty: (path: string) => allowed.removeEmpty(at(path)).map(within),
    mkdir: (path: string) => Deno.mkdirSync(at(path), { recursive: true }),
    symlink: (target: string, path: string) => Deno.symlinkSync(target, at(path)),
    remove: (path: string) => Deno.removeSync(at(path), { recursive: true }),
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

Deno.test("AllowedFolders makes FOLDER at once, ALLOWED_FOLDERS when they are needed", () => {
  using temp = tempFolder();
  const allowed = new AllowedFolders(`${temp.path}/a/b/data`, [`${temp.path}/c/extra`], recorded());
  assert.ok(Deno.statSync(`${temp.path}/a/b/data`).isDirectory);
  assert.equal(exists(`${temp.path}/c`), false);
  assert.equal(allowed.has(`${temp.path}/c/extra`), false);
  allowed.ensureDirectory(`${temp.path}/c/extra`);
  assert.equal(allowed.has(`${temp.path}/c/extra`), true);
});

Deno.test("canonical() has one name for allowed folders that are the same, or one inside the other", () => {
  using t = open({
    prepare(path) {
      Deno.mkdirSync(`${path}/data/sub`, { recursive: true });
      Deno.symlinkSync("data", `${path}/extra`);
    },
  });
  assert.deepEqual(["data", "extra", "extra/sub", "extra/new"].map(t.canonical), [
    "data",
    "data",
    "data/sub",
    "data/new",
  ]);
  t.remove("extra");
  t.symlink("data/sub", "extra");
  assert.equal(t.canonical("extra"), "data/sub");
});

Deno.test("canonical() resolves symlinks above a directory that is not there, or whose place a file has", () => {
  using t = open();
  t.mkdir("data/real");
  t.symlink("real", "data/link");
  Deno.writeTextFileSync(t.at("data/real/file"), "");
  assert.equal(t.canonical("data/link"), "data/real");
  assert.equal(t.canonical("data/link/missing/deep"), "data/real/missing/deep");
  assert.equal(t.canonical("data/link/file"), "data/real/file");
  assert.equal(t.canonical("data/link/file/deep/er"), "data/real/file/deep/er");
});

Deno.test("AllowedFolders throws when FOLDER cannot be made", () => {
  using temp = tempFolder();
  Deno.writeTextFileSync(`${temp.path}/file`, "");
  for (const folder of ["file", "file/data"]) {
    assert.throws(() => new AllowedFolders(`${temp.path}/${folder}`, [], recorded()));
  }
});

Deno.test("ensureDirectory() makes what is missing and records it", () => {
  using it = open();
  it.mkdir("data/there");
  it.ensure("data");
  it.ensure("data/there");
  assert.deepEqual(it.made, []);
  it.ensure("data/there/a/b");
  it.ensure("data/there/a/b");
  it.ensure("extra/a");
  assert.deepEqual(it.made, ["data/there/a", "data/there/a/b", "extra/a"]);
  for (const path of ["data/there/a/b", "extra/a"]) assert.ok(it.has(path), path);
});

Deno.test("ensureDirectory() refuses what is in no allowed folder", () => {
  using it = open();
  it.mkdir("else");
  for (const path of ["else", "missing", "data/../else", "data/../missing", "database", ""]) {
    assert.throws(() => it.ensure(path), RefusedPathError, path);
    assert.equal(it.has(path), false, path);
  }
  assert.equal(exists(it.at("missing")), false);
  assert.equal(exists(it.at("database")), false);
});

Deno.test("ensureDirectory() makes nothing behind a symlink that leads out", () => {
  using it = open();
  it.mkdir("else/there");
  it.symlink("../else", "data/relative");
  it.symlink(it.at("else"), "data/absolute");
  it.symlink("absolute", "data/twice");
  for (const name of ["relative", "absolute", "twice"]) {
    for (const path of [name, `${name}/there`, `${name}/missing`, `${name}/missing/too`]) {
      assert.throws(() => it.ensure(`data/${path}`), RefusedPathError, path);
      assert.equal(it.has(`data/${path}`), false, path);
    }
  }
  assert.deepEqual([...Deno.readDirSync(it.at("else"))].map(({ name }) => name), ["there"]);
  assert.deepEqual(it.made, []);
});

Deno.test("ensureDirectory() follows a symlink into an allowed folder", () => {
  using it = open({ prepare: (temp) => Deno.mkdirSync(`${temp}/extra`) });
  it.mkdir("data/real");
  it.symlink("real", "data/link");
  it.symlink("../extra", "data/other");
  it.ensure("data/link/a");
  it.ensure("data/other/b");
  assert.ok(it.has("data/real/a"));
  assert.ok(it.has("extra/b"));
});

Deno.test("ensureDirectory() refuses a symlink to nowhere and leaves it", () => {
  using it = open();
  it.symlink("missing", "data/link");
  it.symlink("/proc/missing", "data/away");
  for (const path of ["data/link", "data/link/a", "data/away", "data/away/a"]) {
    assert.throws(() => it.ensure(path), RefusedPathError, path);
  }
  assert.deepEqual(it.made, []);
  assert.ok(Deno.lstatSync(it.at("data/link")).isSymlink);
});

Deno.test("ensureDirectory() and has() cope with a file or circle in the way", () => {
  using it = open();
  Deno.writeTextFileSync(it.at("data/file"), "");
  it.symlink("circle", "data/circle");
  for (const path of ["data/file/a", "data/circle", "data/circle/a"]) {
    assert.throws(() => it.ensure(path), Error, path);
    assert.equal(it.has(path), false, path);
  }
  assert.deepEqual(it.made, []);
});

Deno.test("AllowedFolders takes a FOLDER that is a symlink at the start", () => {
  using it = open({
    prepare(temp) {
      Deno.mkdirSync(`${temp}/volume`);
      Deno.symlinkSync("volume", `${temp}/data`);
    },
  });
  it.ensure("data/a");
  assert.ok(Deno.statSync(it.at("volume/a")).isDirectory);
  assert.deepEqual(it.made, ["data/a"]);
});

Deno.test("AllowedFolders refuses a folder that became a symlink to elsewhere", () => {
  using it = open({ prepare: (temp) => Deno.mkdirSync(`${temp}/extra`) });
  it.mkdir("else");
  for (const folder of ["data", "extra"]) {
    it.remove(folder);
    it.symlink("else", folder);
    for (const path of [folder, `${folder}/a`]) {
      assert.throws(() => it.ensure(path), RefusedPathError, path);
      assert.equal(it.has(path), false, path);
    }
  }
  assert.deepEqual([...Deno.readDirSync(it.at("else"))], []);
});

Deno.test("ensureDirectory() makes an allowed folder that was removed, or a symlink", () => {
  using it = open({
    prepare(temp) {
      Deno.mkdirSync(`${temp}/volume`);
      Deno.symlinkSync("volume", `${temp}/data`);
      Deno.mkdirSync(`${temp}/extra`);
    },
  });
  for (const folder of ["data", "extra"]) {
    it.remove(folder);
    it.ensure(`${folder}/a`);
    assert.ok(it.has(`${folder}/a`), folder);
  }
});

Deno.test("has() is false for what is not there", () => {
  using it = open();
  assert.equal(it.has("data"), true);
  assert.equal(it.has("data/missing"), false);
  it.remove("data");
  assert.equal(it.has("data"), false);
});

Deno.test("ensureDirectory() returns the real path", () => {
  using it = open();
  it.mkdir("data/real");
  it.symlink("real", "data/link");
  assert.equal(it.ensure("data/link"), "data/real");
  assert.equal(it.ensure("data/link/a"), "data/real/a");
});

Deno.test("removeEmpty() removes what was made here, from the bottom up", () => {
  using it = open();
  it.mkdir("data/there");
  it.ensure("data/there/a/b/c");
  it.ensure("data/there/a/d");
  assert.deepEqual(it.removeEmpty("data/there/a/b/c"), ["data/there/a/b/c", "data/there/a/b"]);
  assert.deepEqual(it.removeEmpty("data/there"), []);
  assert.deepEqual(it.removeEmpty("data/there/a/d"), ["data/there/a/d", "data/there/a"]);
  assert.deepEqual(it.made, []);
  assert.ok(exists(it.at("data/there")));
});

Deno.test("removeEmpty() removes no allowed folder, whatever the record says", () => {
  using it = open();
  for (const path of ["data", "data/there"]) it.recordMade(path);
  it.mkdir("data/there");
  assert.deepEqual(it.removeEmpty("data/there"), ["data/there"]);
  assert.ok(exists(it.at("data")));
});

Deno.test("ensureDirectory() refuses a symlink to the sidecar's own directory", () => {
  using it = open();
  it.mkdir("data/..k8s-sidecar-id/state");
  it.symlink("..k8s-sidecar-id/state", "data/link");
  for (const path of ["data/link", "data/link/a"]) assert.throws(() => it.ensure(path), RefusedPathError, path);
  assert.equal(it.has("data/link"), false);
});
