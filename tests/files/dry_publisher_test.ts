import assert from "node:assert/strict";
import { RefusedPathError } from "../../lib/files/allowed_folders.ts";
import { DryPublisher } from "../../lib/files/dry_publisher.ts";
import { Journal } from "../../lib/files/journal.ts";
import { PlannedDisk } from "../../lib/files/planned_disk.ts";
import { PublishError } from "../../lib/files/publish_error.ts";
import { keptLog } from "../support/api_gateway.ts";
import { diskTest, exists, readOnly, tempFolder } from "../support/disk.ts";
import { treeOf } from "../support/planned_world.ts";

const TEXT = new TextEncoder().encode("text");

function open() {
  const temp = tempFolder();
  const folder = `${temp.path}/files`;
  const journal = new Journal({ folder, id: "1", isDryRun: true, log: keptLog() });
  const publisher = new DryPublisher({
    ...{ folder, allowedFolders: [], mode: 0o644, journal },
    configFiles: [{ path: `${folder}/script`, what: "the SCRIPT" }],
    disk: new PlannedDisk(),
  });
  const at = (name: string) => `${folder}/${name}`;
  return {
    folder,
    publisher,
    journal,
    at,
    publish: (name: string) => publisher.publish(at(name), TEXT, "ConfigMap/a/one"),
    action: (name: string) => publisher.files.get(at(name))?.action,
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

Deno.test("publish() makes no folder and no file", () => {
  using it = open();
  assert.equal(it.publish("sub/deep/x"), true);
  assert.equal(it.publish("sub/deep/y"), true);
  assert.equal(it.action("sub/deep/x"), "create");
  assert.ok(!exists(it.folder));
});

Deno.test("publish() compares content and mode with what is there", () => {
  using it = open();
  Deno.mkdirSync(it.folder);
  for (
    const [name, text, mode] of [["same", "text", 0o644], ["mode", "text", 0o600], ["other", "texts", 0o644]] as const
  ) {
    Deno.writeTextFileSync(it.at(name), text);
    Deno.chmodSync(it.at(name), mode);
    it.publish(name);
  }
  assert.deepEqual(["same", "mode", "other"].map(it.action), ["same", "change", "change"]);
  assert.deepEqual(it.publisher.files.get(it.at("mode"))?.presentMode, 0o600);
  assert.deepEqual(it.publisher.files.get(it.at("other"))?.differs, ["content", "foreign"]);
});

Deno.test("publish() refuses what a Publisher refuses", () => {
  using it = open();
  Deno.mkdirSync(it.at("directory"), { recursive: true });
  Deno.symlinkSync("/etc", it.at("out"));
  Deno.symlinkSync("/nowhere", it.at("nowhere"));
  Deno.writeTextFileSync(it.at("file"), "");
  assert.throws(() => it.publish("directory"), PublishError);
  assert.throws(() => it.publish("file/below"), PublishError);
  for (const name of ["out/x", "nowhere/x", "script"]) assert.throws(() => it.publish(name), RefusedPathError);
  assert.deepEqual([...it.publisher.files], []);
});

Deno.test("remove() frees the path, and the directories that were made for it", () => {
  using it = open();
  it.publish("sub/x");
  assert.ok(it.publisher.remove(it.at("sub/x")));
  assert.equal(it.action("sub/x"), undefined);
  it.publish("sub");
  assert.equal(it.action("sub"), "create");
  assert.equal(it.publisher.remove(it.at("never")), false);
});

diskTest("mounts", "publish() and remove() leave a read-only folder as it is", () => {
  using it = open();
  Deno.mkdirSync(it.folder);
  Deno.writeTextFileSync(it.at("x"), "other");
  const before = treeOf(it.folder);
  using _ = readOnly(it.folder);
  it.publish("x");
  it.publish("y/z");
  it.publisher.remove(it.at("x"));
  assert.deepEqual(treeOf(it.folder), before);
});
