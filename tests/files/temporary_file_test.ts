import assert from "node:assert/strict";
import { FileModes } from "../../lib/files/file_modes.ts";
import { TemporaryFile } from "../../lib/files/temporary_file.ts";
import { keptLog } from "../support/api_gateway.ts";
import { exists, tempFolder, text } from "../support/disk.ts";
import { encode } from "../support/local_servers.ts";

const MODES = new FileModes(keptLog());

function open(mode = 0o644) {
  const folder = tempFolder();
  const [path, target] = [`${folder.path}/temporary`, `${folder.path}/file`];
  const ends: string[] = [];
  return {
    path,
    target,
    ends,
    file: new TemporaryFile(path, target, mode, () => void ends.push("end")),
    [Symbol.dispose]() {
      this.file.end();
      folder[Symbol.dispose]();
    },
  };
}

function withUmask<T>(mask: number, act: () => T): T {
  const before = Deno.umask(mask);
  try {
    return act();
  } finally {
    Deno.umask(before);
  }
}

Deno.test("TemporaryFile has its mode from the first moment", () => {
  for (const mode of [0o644, 0o600, 0o440, 0o777]) {
    using it = withUmask(0, () => open(mode));
    assert.equal(Deno.statSync(it.path).mode! & 0o7777, mode);
  }
});

Deno.test("write() adds to the end, and empty() starts over", () => {
  using it = open();
  for (const piece of ["one ", "", "two"]) it.file.write(encode(piece));
  assert.equal(text(it.path), "one two");
  it.file.empty();
  assert.equal(text(it.path), "");
  it.file.write(encode("three"));
  assert.equal(text(it.path), "three");
});

Deno.test("body reads what was written, each time from the beginning", () => {
  using it = open(0o200);
  const long = "x".repeat(100_000);
  it.file.write(encode(long));
  for (let round = 0; round < 2; round++) {
    let read = "";
    for (const piece of it.file.body()) read += new TextDecoder().decode(piece);
    assert.equal(read, long);
  }
});

Deno.test("TemporaryFile takes nothing that is there, nor follows a symlink", () => {
  using folder = tempFolder();
  const [there, link, victim] = ["there", "link", "victim"].map((name) => `${folder.path}/${name}`) as [
    string,
    string,
    string,
  ];
  Deno.writeTextFileSync(there, "somebody else's");
  Deno.symlinkSync(victim, link);
  for (const path of [there, link]) {
    assert.throws(() => new TemporaryFile(path, "/target", 0o644, () => {}), Deno.errors.AlreadyExists);
  }
  assert.equal(text(there), "somebody else's");
  assert.equal(exists(victim), false);
});

Deno.test("write() goes to the file it opened, whatever is at its path", () => {
  using it = open();
  Deno.removeSync(it.path);
  Deno.writeTextFileSync(it.path, "somebody else's");
  it.file.write(encode("ours"));
  assert.equal(text(it.path), "somebody else's");
});

Deno.test("ensureMode() gives back what the umask took", () => {
  using it = withUmask(0o077, () => open(0o664));
  assert.equal(Deno.statSync(it.path).mode! & 0o7777, 0o600);
  it.file.write(encode("12345"));
  const stamp = it.file.ensureMode(0o664, MODES);
  const { mode, ino, mtime } = Deno.statSync(it.path);
  assert.equal(mode! & 0o7777, 0o664);
  assert.deepEqual(stamp, { ino, mtime: mtime!.getTime(), size: 5 });
});

Deno.test("ensureMode() leaves a file that came in its place", () => {
  using it = withUmask(0o077, () => open(0o664));
  Deno.renameSync(it.path, `${it.path}-moved`);
  Deno.writeTextFileSync(it.path, "somebody else's", { mode: 0o600 });
  assert.throws(() => it.file.ensureMode(0o664, MODES), /replaced by somebody else/);
  assert.equal(Deno.statSync(it.path).mode! & 0o7777, 0o600);
});

Deno.test("end() removes the file unless it was renamed", () => {
  using left = open();
  left.file.end();
  left.file.end();
  assert.deepEqual([exists(left.path), exists(left.target), left.ends], [false, false, ["end"]]);
  using renamed = open();
  renamed.file.write(encode("a"));
  renamed.file.rename();
  renamed.file.end();
  assert.deepEqual([exists(renamed.path), text(renamed.target), renamed.ends], [false, "a", ["end"]]);
});

Deno.test("rename() leaves what somebody put in the temporary file's place", () => {
  using it = open();
  it.file.write(encode("ours"));
  Deno.removeSync(it.path);
  Deno.writeTextFileSync(`${it.path}-outside`, "theirs");
  Deno.symlinkSync(`${it.path}-outside`, it.path);
  assert.throws(() => it.file.rename(), /replaced by somebody else/);
  assert.equal(exists(it.target), false);
  assert.equal(text(`${it.path}-outside`), "theirs");
});
