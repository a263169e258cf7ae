import assert from "node:assert/strict";
import { FileModes } from "../../lib/files/file_modes.ts";
import { keptLog } from "../support/api_gateway.ts";
import { diskTest, immutable, tempFolder } from "../support/disk.ts";

function open() {
  const folder = tempFolder();
  const log = keptLog();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "", { mode: 0o600 });
  return {
    path,
    log,
    modes: new FileModes(log),
    present: () => Deno.lstatSync(path),
    mode: () => Deno.lstatSync(path).mode! & 0o7777,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("set() gives a file its mode", () => {
  using it = open();
  it.modes.set(it.path, it.present(), 0o664);
  assert.equal(it.mode(), 0o664);
  it.modes.setOwn(it.path, it.present(), 0o640);
  assert.equal(it.mode(), 0o640);
  assert.deepEqual(it.log.lines, []);
});

Deno.test("set() changes nothing where the mode is right", () => {
  using it = open();
  // It would fail
  it.modes.set("/not/there", it.present(), 0o600);
});

// Of an immutable file, a chmod fails as on a volume without modes
diskTest("immutableFiles", "setOwn() accepts a refusal, with one warning for each volume", () => {
  using it = open();
  using _ = immutable(it.path);
  assert.throws(() => it.modes.set(it.path, it.present(), 0o644), Deno.errors.PermissionDenied);
  for (let turn = 0; turn < 2; turn++) it.modes.setOwn(it.path, it.present(), 0o644, "/data/a");
  it.modes.set(it.path, it.present(), 0o644);
  assert.equal(it.mode(), 0o600);
  assert.equal(it.log.lines.length, 1);
  assert.match(it.log.lines[0]!, /^warn.*\/data\/a refuses file modes .*EPERM.*0600 instead of 0644/);
});

diskTest("immutableFiles", "setAny() has a file of our own tell who refuses the mode", () => {
  using it = open();
  using _ = immutable(it.path);
  let probes = 0;
  assert.equal(it.modes.setAny(it.path, it.present(), 0o644, () => void probes++), false);
  const refuse = () => it.modes.setOwn(it.path, it.present(), 0o644);
  assert.equal(it.modes.setAny(it.path, it.present(), 0o644, refuse), true);
  assert.equal(it.modes.setAny(it.path, it.present(), 0o644, () => void probes++), true);
  assert.equal(probes, 1);
});

Deno.test("setOwn() throws every other error", () => {
  using it = open();
  assert.throws(() => it.modes.setOwn(`${it.path}/not/there`, it.present(), 0o644), Deno.errors.NotADirectory);
});
