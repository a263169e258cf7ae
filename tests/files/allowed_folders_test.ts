import assert from "node:assert/strict";
import { parentOf, RefusedPathError, Roots } from "../../lib/files/allowed_folders.ts";
import { exists, tempFolder } from "../support/disk.ts";

/** Roots in an empty folder: `data`, and `extra` beside it, which is not there yet. */
function open({ extra = true, prepare = (_: string) => {} } = {}) {
  const temp = tempFolder();
  prepare(temp.path);
  const made: string[] = [];
  const within = (path: string) => path.slice(temp.path.length + 1);
  const record = {
    make: (path: string) => void made.push(within(path)),
    unmake: (path: string) => void made.splice(made.indexOf(within(path)), 1),
  };
  const roots = new Roots(`${temp.path}/data`, extra ? [`${temp.path}/extra`] : [], record);
  const at = (path: string) => `${temp.path}/${path}`;
  return {
    /** The directories that count as made by us, within the temporary folder. */
    made,
    at,
    ensure: (path: string) => roots.ensureDirectory(at(path)),
    has: (path: string) => roots.has(at(path)),
    mkdir: (path: string) => Deno.mkdirSync(at(path), { recursive: true }),
    symlink: (target: string, path: string) => Deno.symlinkSync(target, at(path)),
    remove: (path: string) => Deno.removeSync(at(path), { recursive: true }),
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

Deno.test("Roots make FOLDER with its parents, and ALLOWED_FOLDERS only once they are needed", () => {
  using temp = tempFolder();
  const ignored = { make() {}, unmake() {} };
  const roots = new Roots(`${temp.path}/a/b/data`, [`${temp.path}/c/extra`], ignored);
  assert.ok(Deno.statSync(`${temp.path}/a/b/data`).isDirectory);
  assert.equal(exists(`${temp.path}/c`), false);
  assert.equal(roots.has(`${temp.path}/c/extra`), false);
  roots.ensureDirectory(`${temp.path}/c/extra`);
  assert.equal(roots.has(`${temp.path}/c/extra`), true);
});

Deno.test("Roots refuse a FOLDER that cannot be", () => {
  using temp = tempFolder();
  Deno.writeTextFileSync(`${temp.path}/file`, "");
  for (const folder of ["file", "file/data"]) {
    assert.throws(() => new Roots(`${temp.path}/${folder}`, [], { make() {}, unmake() {} }));
  }
});

Deno.test("ensureDirectory() makes what is missing, and tells of each directory that it made", () => {
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

Deno.test("ensureDirectory() refuses what is in no root", () => {
  using it = open();
  it.mkdir("else");
  for (const path of ["else", "missing", "data/../else", "data/../missing", "database", ""]) {
    assert.throws(() => it.ensure(path), RefusedPathError, path);
    assert.equal(it.has(path), false, path);
  }
  assert.equal(exists(it.at("missing")), false);
  assert.equal(exists(it.at("database")), false);
});

Deno.test("ensureDirectory() refuses a symlink that leads out, and makes nothing behind it", () => {
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

Deno.test("ensureDirectory() follows a symlink that stays inside, from one root into the other, too", () => {
  using it = open({ prepare: (temp) => Deno.mkdirSync(`${temp}/extra`) });
  it.mkdir("data/real");
  it.symlink("real", "data/link");
  it.symlink("../extra", "data/other");
  it.ensure("data/link/a");
  it.ensure("data/other/b");
  assert.ok(it.has("data/real/a"));
  assert.ok(it.has("extra/b"));
});

Deno.test("ensureDirectory() refuses a symlink to nowhere, which stays and is not ours", () => {
  using it = open();
  it.symlink("missing", "data/link");
  it.symlink("/proc/missing", "data/away");
  for (const path of ["data/link", "data/link/a", "data/away", "data/away/a"]) {
    assert.throws(() => it.ensure(path), RefusedPathError, path);
  }
  assert.deepEqual(it.made, []);
  assert.ok(Deno.lstatSync(it.at("data/link")).isSymlink);
});

Deno.test("ensureDirectory() and has() cope with a file, or a circle, where a directory should be", () => {
  using it = open();
  Deno.writeTextFileSync(it.at("data/file"), "");
  it.symlink("circle", "data/circle");
  for (const path of ["data/file/a", "data/circle", "data/circle/a"]) {
    assert.throws(() => it.ensure(path), Error, path);
    assert.equal(it.has(path), false, path);
  }
  assert.deepEqual(it.made, []);
});

Deno.test("Roots take a FOLDER that is a symlink when they begin", () => {
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

Deno.test("Roots do not follow a root that became a symlink to elsewhere", () => {
  using it = open({ prepare: (temp) => Deno.mkdirSync(`${temp}/extra`) });
  it.mkdir("else");
  for (const root of ["data", "extra"]) {
    it.remove(root);
    it.symlink("else", root);
    for (const path of [root, `${root}/a`]) {
      assert.throws(() => it.ensure(path), RefusedPathError, path);
      assert.equal(it.has(path), false, path);
    }
  }
  assert.deepEqual([...Deno.readDirSync(it.at("else"))], []);
});

Deno.test("Roots make a root again that was removed, also one that was a symlink", () => {
  using it = open({
    prepare(temp) {
      Deno.mkdirSync(`${temp}/volume`);
      Deno.symlinkSync("volume", `${temp}/data`);
      Deno.mkdirSync(`${temp}/extra`);
    },
  });
  for (const root of ["data", "extra"]) {
    it.remove(root);
    it.ensure(`${root}/a`);
    assert.ok(it.has(`${root}/a`), root);
  }
});

Deno.test("has() is false for what is not there", () => {
  using it = open();
  assert.equal(it.has("data"), true);
  assert.equal(it.has("data/missing"), false);
  it.remove("data");
  assert.equal(it.has("data"), false);
});

Deno.test("parentOf() gives the directory, down to /", () => {
  assert.deepEqual(["/a/b/c", "/a", "/"].map(parentOf), ["/a/b", "/", "/"]);
});
