import assert from "node:assert/strict";
import { FileModes } from "../../lib/files/file_modes.ts";
import { parentOf } from "../../lib/files/paths.ts";
import { StateDirectory } from "../../lib/files/state_directory.ts";
import { keptLog } from "../support/api_gateway.ts";
import { exists, tempFolder } from "../support/disk.ts";

function open({ isTransient = false } = {}) {
  const folder = tempFolder();
  const directory = new StateDirectory(folder.path, "id", { isTransient, modes: new FileModes(keptLog()) });
  return {
    directory,
    outer: parentOf(directory.path),
    folder: folder.path,
    create: () => directory.createFile(`${folder.path}/target`, 0o644),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const modeOf = (path: string) => (Deno.lstatSync(path).mode! & 0o7777).toString(8);

Deno.test("StateDirectory is made with the first file, readable whatever the umask", () => {
  for (const umask of [0o000, 0o077, 0o777]) {
    using it = open();
    assert.equal(exists(it.outer), false);
    const before = Deno.umask(umask);
    try {
      it.create().end();
    } finally {
      Deno.umask(before);
    }
    assert.deepEqual([modeOf(it.outer), modeOf(it.directory.path)], ["755", "755"]);
  }
});

Deno.test("StateDirectory can be written by whom its parent can", () => {
  using it = open();
  Deno.chmodSync(it.folder, 0o2775);
  const before = Deno.umask(0o077);
  try {
    it.create().end();
  } finally {
    Deno.umask(before);
  }
  assert.deepEqual([modeOf(it.outer), modeOf(it.directory.path)], ["2775", "2775"]);
});

Deno.test("createFile() makes the directory again when it was removed", () => {
  using it = open();
  it.create().end();
  for (const path of [it.directory.path, it.outer, it.folder]) {
    Deno.removeSync(path, { recursive: true });
    it.create().end();
    assert.ok(exists(it.directory.path));
  }
});

Deno.test("createFile() takes another name than a file that is there", () => {
  using it = open();
  it.create().end();
  for (let number = 0; number < 5; number++) Deno.writeTextFileSync(`${it.directory.path}/temporary-${number}`, "");
  using file = it.create();
  assert.equal(file.path, `${it.directory.path}/temporary-5`);
});

Deno.test("createFile() replaces a file or symlink in the directory's place", () => {
  for (const level of ["outer", "inner"]) {
    for (const kind of ["file", "symlink"]) {
      using it = open();
      const path = level === "outer" ? it.outer : it.directory.path;
      Deno.mkdirSync(parentOf(path), { recursive: true });
      Deno.mkdirSync(`${it.folder}/elsewhere`);
      if (kind === "file") Deno.writeTextFileSync(path, "");
      else Deno.symlinkSync(`${it.folder}/elsewhere`, path);
      it.create().end();
      assert.ok(Deno.lstatSync(path).isDirectory);
      assert.deepEqual([...Deno.readDirSync(`${it.folder}/elsewhere`)], []);
    }
  }
});

Deno.test("StateDirectory that is transient is gone with its last file", () => {
  using it = open({ isTransient: true });
  const [first, second] = [it.create(), it.create()];
  first.end();
  assert.ok(exists(it.outer));
  second.end();
  assert.equal(exists(it.outer), false);
  it.create().end();
  assert.equal(exists(it.outer), false);
});

Deno.test("sweep() removes temporary files, and a transient directory with them", () => {
  for (const isTransient of [false, true]) {
    using it = open({ isTransient });
    it.directory.sweep();
    assert.equal(exists(it.outer), false);
    Deno.mkdirSync(it.directory.path, { recursive: true });
    Deno.writeTextFileSync(`${it.directory.path}/temporary-7`, "half");
    it.directory.sweep();
    assert.equal(exists(it.outer), !isTransient);
    Deno.mkdirSync(it.directory.path, { recursive: true });
    Deno.writeTextFileSync(it.directory.recordPath, "");
    it.directory.sweep();
    assert.ok(exists(it.directory.recordPath));
  }
});

Deno.test("createFile() makes the directory again when a symlink is in its place", () => {
  using it = open({ isTransient: false });
  it.create().end();
  const elsewhere = `${it.outer}-moved`;
  Deno.renameSync(it.outer, elsewhere);
  Deno.symlinkSync(elsewhere, it.outer);
  const file = it.create();
  assert.ok(Deno.lstatSync(it.outer).isDirectory);
  assert.deepEqual([...Deno.readDirSync(`${elsewhere}/state`)], []);
  file.end();
});

Deno.test("createFile() writes nothing behind a symlink in the place of its inner directory", () => {
  using it = open({ isTransient: false });
  using elsewhere = tempFolder();
  it.create().end();
  Deno.removeSync(it.directory.path);
  Deno.symlinkSync(elsewhere.path, it.directory.path);
  const file = it.create();
  assert.ok(Deno.lstatSync(it.directory.path).isDirectory);
  assert.deepEqual([...Deno.readDirSync(elsewhere.path)], []);
  file.end();
});

Deno.test("createFile() makes nothing where the folder became a symlink to elsewhere", () => {
  using it = open({ isTransient: false });
  using elsewhere = tempFolder();
  it.create().end();
  Deno.removeSync(it.folder, { recursive: true });
  Deno.symlinkSync(elsewhere.path, it.folder);
  assert.throws(() => it.create(), /does not lead to/);
  assert.deepEqual([...Deno.readDirSync(elsewhere.path)], []);
});
