import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { parseConfigFile } from "../../lib/config/config_file.ts";
import type { Credentials } from "../../lib/kube/client/credentials.ts";
import { CredentialsError } from "../../lib/kube/client/errors.ts";
import { plainCredentials } from "../../lib/kube/client/plain_credentials.ts";
import { checkStart } from "../../lib/cli/start_checks.ts";
import { diskTest, type Folder, readOnly, tempFolder } from "../support/disk.ts";

const found = () => Promise.resolve(plainCredentials("http://127.0.0.1:1"));
const refused = () => Promise.reject(new CredentialsError("no way to the API server"));

/** A folder that holds one file, `file`. */
function folderWithFile(): Folder {
  const folder = tempFolder();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  return folder;
}

async function check(
  env: Record<string, string>,
  credentials: () => Promise<Credentials> = found,
  broken: string[] = [],
) {
  const start = await checkStart(parseConfig({ LABEL: "a", ...env }).config, credentials, new Set(broken));
  return { ...start, messages: start.faults.map(({ message }) => message) };
}

Deno.test("checkStart() makes FOLDER, and gives the credentials that it has read once", async () => {
  using folder = folderWithFile();
  const reads: boolean[] = [];
  const credentials: Credentials = {
    maxAge: 1,
    load: (rejected) => {
      reads.push(rejected);
      return plainCredentials("http://127.0.0.1:1").load(rejected);
    },
  };
  const start = await check(
    { FOLDER: `${folder.path}/a/b`, SCRIPT: `${folder.path}/file` },
    () => Promise.resolve(credentials),
  );
  assert.deepEqual([start.credentials, start.faults, reads], [credentials, [], [false]]);
  assert.ok((await Deno.stat(`${folder.path}/a/b`)).isDirectory);
});

Deno.test("checkStart() reports faults of folder, script and credentials together", async () => {
  using folder = folderWithFile();
  const { credentials, messages } = await check(
    { FOLDER: `${folder.path}/file/under`, SCRIPT: `${folder.path}/none` },
    refused,
  );
  assert.equal(credentials, undefined);
  assert.equal(messages.length, 3);
  assert.match(messages[0]!, /^FOLDER=".*\/file\/under": it does not exist and cannot be created: ./);
  assert.match(messages[1]!, /^SCRIPT=".*\/none": it does not exist$/);
  assert.match(messages[2]!, /^no way to the API server$/);
});

Deno.test("checkStart() refuses a FOLDER where Deno lets nobody write", async () => {
  const { messages } = await check({ FOLDER: "/dev/shm/files" });
  assert.match(messages[0]!, /^FOLDER="\/dev\/shm\/files": expected a folder outside of \/dev, \/proc, \/sys/);
  assert.throws(() => Deno.lstatSync("/dev/shm/files"), Deno.errors.NotFound);
});

diskTest("mounts", "checkStart() only warns when the volume lets nobody make FOLDER now", async () => {
  using folder = tempFolder();
  using _ = readOnly(folder.path);
  const { messages, warnings } = await check({ FOLDER: `${folder.path}/files` });
  assert.deepEqual(messages, []);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /^FOLDER=".*\/files": it does not exist and cannot be created: Read-only .*; it is created once/,
  );
});

Deno.test("checkStart() refuses a file as FOLDER and a folder as SCRIPT", async () => {
  using folder = folderWithFile();
  const { messages } = await check({ FOLDER: `${folder.path}/file`, SCRIPT: folder.path });
  assert.deepEqual(
    messages.map((message) => message.replaceAll(folder.path, "DIR")),
    [
      'SCRIPT="DIR": it is not a file',
      'FOLDER="DIR/file": it exists but is not a directory',
    ].sort(),
  );
});

Deno.test("checkStart() only warns about a SCRIPT that kiwigrid's image starts with", async () => {
  using folder = folderWithFile();
  const env = { FOLDER: folder.path, SCRIPT: `${folder.path}/missing` };
  assert.equal((await check(env)).faults.length, 1);
  const { faults, warnings } = await check({ ...env, DEFAULTS: "kiwigrid" });
  assert.deepEqual([faults, warnings], [[], [`SCRIPT="${folder.path}/missing": it does not exist`]]);
});

Deno.test("checkStart() names KUBECONFIG when credentials that it gave cannot be read", async () => {
  using folder = folderWithFile();
  const broken: Credentials = { maxAge: 1, load: () => Promise.reject(new CredentialsError("not YAML")) };
  const { messages } = await check({ FOLDER: folder.path, KUBECONFIG: "/kube" }, () => Promise.resolve(broken));
  assert.deepEqual(messages, ['KUBECONFIG="/kube": not YAML']);
});

Deno.test("checkStart() does not check a FOLDER that is known to be wrong", async () => {
  const { faults } = await check({}, found, ["FOLDER"]);
  assert.deepEqual(faults, []);
});

Deno.test("checkStart() needs no credentials when there is no cluster", async () => {
  using folder = folderWithFile();
  const { config } = parseConfig({ LABEL: "a", FOLDER: folder.path, KUBECONFIG: "/nowhere" });
  assert.deepEqual(await checkStart(config, undefined, new Set()), {
    credentials: undefined,
    server: undefined,
    faults: [],
    warnings: [],
  });
});

Deno.test("checkStart() throws what is no matter of configuration", async () => {
  using folder = folderWithFile();
  const bug = () => Promise.reject(new TypeError("a bug"));
  await assert.rejects(check({ FOLDER: folder.path }, bug), { name: "TypeError", message: "a bug" });
});

Deno.test("checkStart() takes a FOLDER that is a link to a folder", async () => {
  using folder = folderWithFile();
  await Deno.mkdir(`${folder.path}/real`);
  await Deno.symlink("real", `${folder.path}/link`);
  assert.deepEqual((await check({ FOLDER: `${folder.path}/link` })).faults, []);
});

Deno.test("checkStart() refuses a STATE_FILE that is a folder or below a file", async () => {
  using folder = folderWithFile();
  const messages = async (stateFile: string) =>
    (await check({ FOLDER: folder.path, STATE_FILE: stateFile })).messages.map((message) =>
      message.replaceAll(folder.path, "DIR")
    );
  assert.deepEqual(await messages(folder.path), ['STATE_FILE="DIR": it is a directory']);
  assert.deepEqual(await messages(`${folder.path}/file/state`), [
    'STATE_FILE="DIR/file/state": a part of the path is a file instead of a directory',
  ]);
  for (const good of ["none", `${folder.path}/file`, `${folder.path}/missing/state`]) {
    assert.deepEqual(await messages(good), []);
  }
});

Deno.test("checkStart() warns about a SCRIPT inside FOLDER", async () => {
  using folder = folderWithFile();
  const inside = await check({ FOLDER: folder.path, SCRIPT: `${folder.path}/file` });
  assert.equal(inside.warnings.length, 1);
  assert.match(inside.warnings[0] ?? "", /^SCRIPT=".*\/file" is inside FOLDER: /);
  const beside = await check({ FOLDER: `${folder.path}/a`, SCRIPT: `${folder.path}/file` });
  assert.deepEqual(beside.warnings, []);
});

Deno.test("checkStart() checks each collection, and names those of CONFIG_FILE", async () => {
  using folder = folderWithFile();
  const file = `${folder.path}/file`;
  const [first, second] = ["first", "second"].map((name) => ({ name, label: "a", folder: `${folder.path}/${name}` }));
  const text = JSON.stringify({
    version: 1,
    collections: [
      first,
      { ...second, folder: file, stateFile: folder.path, notify: { script: { path: `${folder.path}/none` } } },
    ],
  });
  const { config } = parseConfig({ CONFIG_FILE: "/config.yaml" });
  const { collections, faults } = parseConfigFile(text, { path: "/config.yaml", env: {} });
  assert.deepEqual(faults, []);
  const start = await checkStart({ ...config, collections }, found, new Set(["FOLDER"]));
  const place = "CONFIG_FILE: collection second: ";
  assert.deepEqual(start.faults.map(({ message }) => message.replaceAll(folder.path, "DIR")), [
    `${place}folder="DIR/file": it exists but is not a directory`,
    `${place}stateFile="DIR": it is a directory`,
    `${place}notify.script.path="DIR/none": it does not exist`,
  ]);
  assert.ok(Deno.statSync(`${folder.path}/first`).isDirectory);
});
