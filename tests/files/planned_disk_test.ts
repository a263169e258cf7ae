import assert from "node:assert/strict";
import { PlannedDisk } from "../../lib/files/planned_disk.ts";
import { tempFolder } from "../support/disk.ts";

Deno.test("PlannedDisk shows what is there until something else is planned", () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "text");
  const disk = new PlannedDisk();
  assert.ok(disk.lstat(path)?.isFile);
  disk.plan(path, "nothing");
  assert.equal(disk.lstat(path), undefined);
  assert.equal(disk.isPlanned(`${path}/below`), true);
  assert.equal(disk.isPlanned(folder.path), false);
});

Deno.test("isEmpty() counts what would be in a directory", () => {
  using folder = tempFolder();
  const disk = new PlannedDisk();
  assert.ok(disk.isEmpty(folder.path));
  Deno.writeTextFileSync(`${folder.path}/file`, "text");
  assert.ok(!disk.isEmpty(folder.path));
  disk.plan(`${folder.path}/file`, "nothing");
  assert.ok(disk.isEmpty(folder.path));
  disk.plan(`${folder.path}/other`, "file");
  assert.ok(!disk.isEmpty(folder.path));
  disk.plan(`${folder.path}/other`, "nothing");
  assert.ok(disk.isEmpty(folder.path));
  assert.ok(disk.isEmpty(`${folder.path}/missing`));
});
