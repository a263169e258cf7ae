import assert from "node:assert/strict";
import { volumeOf } from "../../lib/files/volume.ts";
import { diskAt, diskTest, tempFolder } from "../support/disk.ts";

diskTest("mounts", "volumeOf() is the mount point that the folder is below", () => {
  using temp = tempFolder();
  const mounted = `${temp.path}/dashboards`;
  using _ = diskAt(mounted, 65_536);
  Deno.mkdirSync(`${mounted}/General/sub`, { recursive: true });
  Deno.symlinkSync(`${mounted}/General`, `${temp.path}/link`);
  assert.equal(volumeOf(`${mounted}/General/sub`), mounted);
  assert.equal(volumeOf(`${mounted}/not/yet/there`), mounted);
  assert.equal(volumeOf(mounted), mounted);
  assert.equal(volumeOf(`${temp.path}/link`), `${temp.path}/link`);
  using _inner = diskAt(`${mounted}/General`, 65_536);
  assert.equal(volumeOf(`${mounted}/General/sub`), `${mounted}/General`);
});

Deno.test("volumeOf() is nothing on the root file system", () => {
  assert.equal(volumeOf("/"), undefined);
  assert.equal(volumeOf("/etc/not/there"), undefined);
});
