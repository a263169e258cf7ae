import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { allowedFoldersOf } from "../../lib/sidecar/open_files.ts";
import { diskAt, diskTest, tempFolder } from "../support/disk.ts";

function allowed(env: Record<string, string>): string[] {
  const [collection] = parseConfig({ LABEL: "app", ...env }).config.collections;
  return allowedFoldersOf(collection!);
}

diskTest("mounts", "allowedFoldersOf() adds the volume with DEFAULTS=kiwigrid, and without ALLOWED_FOLDERS", () => {
  using temp = tempFolder();
  const volume = `${temp.path}/volume`;
  using _ = diskAt(volume, 65_536);
  const FOLDER = `${volume}/files/not/there`;
  assert.deepEqual(allowed({ FOLDER, DEFAULTS: "kiwigrid" }), [volume]);
  assert.deepEqual(allowed({ FOLDER }), []);
  assert.deepEqual(allowed({ FOLDER, DEFAULTS: "kiwigrid", ALLOWED_FOLDERS: "/srv/../srv/x" }), ["/srv/x"]);
  assert.deepEqual(allowed({ FOLDER: volume, DEFAULTS: "kiwigrid" }), []);
});
