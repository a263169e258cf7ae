import assert from "node:assert/strict";
import { configTable } from "../../lib/cli/config_table.ts";
import { coloursOf } from "../../lib/cli/report.ts";
import { shownCollections } from "../../lib/config/file/shown_collections.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { shownSettings } from "../../lib/config/shown_settings.ts";
import { tempFolder } from "../support/disk.ts";
import { outcome } from "../support/outcome.ts";

const CONFIG_FILE = `version: 1
defaults: { resource: secret }
collections:
  - { name: one, label: a, folder: /one }
  - { name: two, label: b, folder: /two, notify: { webhook: { url: "http://localhost:1/reload" } } }
`;

function table(env: Record<string, string>, file?: string, isTerminal = false): string {
  const hasCollection = file === undefined;
  const collections = file === undefined ? [] : shownCollections(file, { path: "/c.yaml", env, isKiwigrid: false });
  const sections = shownSettings(env, {}, { hasCollection });
  return configTable({ sections, configFile: "/c.yaml", collections }, coloursOf(isTerminal));
}

Deno.test("print-config prints each setting with its value and its origin", async () => {
  using folder = tempFolder();
  const env = { LABEL: "app", FOLDER: `${folder.path}/files`, REQ_PASSWORD: "hidden", DEFAULTS: "kiwigrid" };
  const { code, stdout, stderr } = await outcome({ ...env, REQ_USERNAME: "u" }, { args: ["print-config"] });
  assert.deepEqual([code, stderr], [0, []]);
  const rowOf = (name: string) => stdout.find((line) => line.trim().startsWith(`${name} `))?.trim().split(/ {2,}/);
  assert.deepEqual(rowOf("LABEL"), ["LABEL", "app", "environment"]);
  assert.deepEqual(rowOf("REQ_PASSWORD"), ["REQ_PASSWORD", "***", "environment"]);
  assert.deepEqual(rowOf("RESOURCE"), ["RESOURCE", "configmap", "kiwigrid's default"]);
  assert.deepEqual(rowOf("CHECK_PERIOD"), ["CHECK_PERIOD", "60", "default"]);
  assert.deepEqual(Object.keys(SETTINGS).filter((name) => rowOf(name) === undefined), []);
  assert.throws(() => Deno.statSync(env.FOLDER), Deno.errors.NotFound);
});

Deno.test("print-config prints what it can beside all faults, and ends with code 2", async () => {
  using folder = tempFolder();
  const file = `${folder.path}/config.yaml`;
  await Deno.writeTextFile(file, CONFIG_FILE.replace("folder: /two", "folder: two"));
  const env = { CONFIG_FILE: file, METHOD: "POLL", LABLE: "x" };
  const { code, stdout, stderr } = await outcome(env, { args: ["print-config"] });
  assert.equal(code, 2);
  assert.match(stdout.join("\n"), /METHOD +POLL \(not valid\) +environment\n/);
  assert.match(stdout.join("\n"), /folder +two \(not valid\) +CONFIG_FILE 5:\d+\n/);
  assert.match(stderr.join("\n"), /^configuration error: METHOD="POLL": expected/m);
  assert.match(stderr.join("\n"), /^configuration error: .*config.yaml:5:\d+ /m);
  assert.match(stderr.join("\n"), /^warning: LABLE is not a setting/m);
});

Deno.test("print-config -o json has the same in JSON", async () => {
  using folder = tempFolder();
  const file = `${folder.path}/config.yaml`;
  await Deno.writeTextFile(file, CONFIG_FILE);
  const { code, stdout } = await outcome({ CONFIG_FILE: file, METHOD: "list" }, {
    args: ["print-config", "-o", "json"],
  });
  assert.equal(code, 0);
  const { settings, collections, faults, warnings, configFile } = JSON.parse(stdout.join("\n"));
  const find = (list: { name: string }[], name: string) => list.find((one) => one.name === name);
  assert.deepEqual(find(settings, "METHOD"), {
    name: "METHOD",
    value: "LIST",
    origin: { from: "environment", variable: "METHOD" },
  });
  assert.equal(configFile, file);
  assert.deepEqual(collections.map(({ name, line }: { name: string; line: number }) => [name, line]), [
    ["one", 4],
    ["two", 5],
  ]);
  assert.deepEqual(find(collections[0].settings, "resource"), {
    name: "resource",
    value: "secret",
    origin: { from: "CONFIG_FILE", line: 2, column: 23, inherited: true },
  });
  assert.deepEqual([faults, warnings], [[], []]);
});

Deno.test("configTable() shows what collections set, and defaults of all of them once", () => {
  const blocks = table({}, CONFIG_FILE).split("\n\n").slice(-3);
  const [one = "", two = "", rest = ""] = blocks;
  assert.match(one, /^Collection one, \/c\.yaml:4:5\n/);
  assert.match(one, /\n {2}resource +secret +CONFIG_FILE 2:23, defaults\n/);
  assert.match(one, /\n {2}notify\.webhook\.url +none +default$/);
  assert.match(two, /\n {2}notify\.webhook\.url +http:\/\/localhost:1\/reload +CONFIG_FILE 5:\d+$/);
  assert.match(rest, /^Keys that no collection sets\n/);
  assert.match(rest, /\n {2}fileMode +0644 +default\n/);
  assert.doesNotMatch(rest, /\n {2}(resource|label|folder) /);
});

Deno.test("configTable() keeps within 100 columns, and has colours only on a terminal", () => {
  const env = {
    LABEL: "a".repeat(300),
    FOLDER: `/${"b c".repeat(100)}`,
    NAMESPACE: Array.from({ length: 60 }, (_, index) => `n${index}`).join(),
    HEALTHCHECK_PORT: "8081",
    DEFAULTS: "kiwigrid",
  };
  const plain = table(env);
  assert.deepEqual(plain.split("\n").filter((line) => line.length > 100), []);
  assert.ok(!plain.includes("\x1b"));
  const coloured = table(env, undefined, true);
  assert.ok(coloured.includes("\x1b[1mSelection\x1b[0m"));
  assert.equal(["0", "1", "2", "31"].reduce((text, code) => text.replaceAll(`\x1b[${code}m`, ""), coloured), plain);
});
