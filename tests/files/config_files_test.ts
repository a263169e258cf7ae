import assert from "node:assert/strict";
import { RefusedPathError } from "../../lib/files/allowed_folders.ts";
import { ConfigFiles } from "../../lib/files/config_files.ts";
import { Journal } from "../../lib/files/journal.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { keptLog } from "../support/api_gateway.ts";
import { exists, tempFolder, text } from "../support/disk.ts";
import { encode } from "../support/local_servers.ts";

const OWNER = "ConfigMap/default/a";

/** A publisher, and a file that the configuration names by a path relative to the folder of the test. */
function publishing(named: (root: string) => string) {
  const temp = tempFolder();
  const folder = `${temp.path}/data`;
  Deno.mkdirSync(folder);
  const log = keptLog();
  const journal = new Journal({ folder, id: "id", log });
  const at = (path: string) => `${folder}/${path}`;
  const publisher = new Publisher({
    configFiles: [{ path: named(temp.path), what: "the TOKEN" }],
    ...{ folder, allowedFolders: [], mode: 0o644, atomicWrites: true, journal, id: "id", log },
    beforeChange() {},
  });
  return {
    root: temp.path,
    at,
    publish: (path: string) => publisher.publish(at(path), encode("hostile"), OWNER),
    assertRefused(path: string) {
      assert.throws(() => publisher.publish(at(path), encode("hostile"), OWNER), RefusedPathError);
      const file = publisher.open(at("download"));
      file.end();
    },
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

Deno.test("publish() refuses a configuration file whose directory was linked anew", () => {
  using it = publishing((root) => `${root}/current/token`);
  for (const version of ["v1", "v2"]) Deno.mkdirSync(it.at(version));
  Deno.symlinkSync(it.at("v1"), `${it.root}/current`);
  it.assertRefused("v1/token");
  Deno.removeSync(`${it.root}/current`);
  Deno.symlinkSync(it.at("v2"), `${it.root}/current`);
  it.assertRefused("v2/token");
  // As the kubelet's ..data, with a file in it
  Deno.writeTextFileSync(it.at("v2/token"), "own");
  it.assertRefused("v2/token");
  assert.equal(text(it.at("v2/token")), "own");
  assert.equal(it.publish("v1/token"), true);
});

Deno.test("publish() refuses the file that a configuration file became a symlink to", () => {
  using it = publishing((root) => `${root}/token`);
  Deno.writeTextFileSync(it.at("another-name"), "own");
  Deno.symlinkSync(it.at("another-name"), `${it.root}/token`);
  it.assertRefused("another-name");
  assert.equal(text(it.at("another-name")), "own");
});

Deno.test("publish() refuses each symlink on the way to a configuration file", () => {
  using it = publishing((root) => `${root}/data/current/token`);
  Deno.mkdirSync(`${it.root}/secret`);
  Deno.writeTextFileSync(`${it.root}/secret/token`, "own");
  Deno.symlinkSync(`${it.root}/secret`, it.at("current"));
  Deno.symlinkSync(it.at("current/token"), it.at("second"));
  for (const path of ["current", "second"]) it.assertRefused(path);
  assert.equal(text(it.at("current/token")), "own");
});

Deno.test("publish() refuses a configuration file that is not there yet", () => {
  using it = publishing((root) => `${root}/data/logs/app.log.1`);
  Deno.mkdirSync(it.at("logs"));
  it.assertRefused("logs/app.log.1");
  assert.equal(exists(it.at("logs/app.log.1")), false);
  assert.equal(it.publish("logs/app.log"), true);
  assert.equal(it.publish("app.log.1"), true);
});

Deno.test("publish() of our own file does not look configuration files up", () => {
  using it = publishing((root) => `${root}/token`);
  assert.equal(it.publish("file"), true);
  // Were it compared by inode, this would refuse it
  Deno.symlinkSync(it.at("file"), `${it.root}/token`);
  assert.equal(it.publish("file"), false);
});

Deno.test("ConfigFiles refuses nothing else", () => {
  using temp = tempFolder();
  const files = new ConfigFiles([{ path: `${temp.path}/a/b`, what: "the TOKEN" }]);
  Deno.writeTextFileSync(`${temp.path}/b`, "");
  files.refusePath(`${temp.path}/b`, temp.path);
  files.refuseEntry(`${temp.path}/b`, Deno.lstatSync(`${temp.path}/b`));
  assert.throws(() => files.refusePath(`${temp.path}/a/b`, `${temp.path}/a`), /a\/b is the TOKEN, which belongs to/);
});
