import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { tempFolder } from "../support/disk.ts";
import { outcome } from "../support/outcome.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";

/** Runs `check` and returns its code and what it printed. */
async function check(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await outcome(env, { args: ["check", ...args] });
  assert.deepEqual(stderr, []);
  return { code, lines: stdout, text: stdout.join("\n").replaceAll("\n    ", " ") };
}

Deno.test("check ends with code 0 for settings without faults, and changes nothing", async () => {
  using folder = tempFolder();
  const env = { LABEL: "app", FOLDER: `${folder.path}/a/b`, KUBECONFIG: "/nowhere" };
  assert.deepEqual(await check(env), { code: EXIT.done, lines: ["no faults"], text: "no faults" });
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("check lists every fault of the environment, of CONFIG_FILE and of files, and the warnings", async () => {
  using folder = tempFolder();
  const file = `${folder.path}/config.yaml`;
  await Deno.writeTextFile(
    file,
    "version: 1\ncollections:\n  - { name: a, label: a, folder: /a, fileMode: 1 }\n  - { label: b, folder: /b }\n",
  );
  const env = {
    LABEL: "a b",
    FOLDER: `${file}/below`,
    CONFIG_FILE: file,
    METHOD: "POLL",
    HEALTHPORT: "1",
    SCRIPT: "/nowhere/script",
    LOG_CONFIG: "/nowhere/log",
  };
  const { code, text } = await check(env);
  assert.equal(code, EXIT.configuration);
  const expected = [
    /^error: LABEL="a b": expected a label key/m,
    /^error: METHOD="POLL": expected WATCH, LIST or SLEEP/m,
    /^error: \S+config\.yaml:3:48 +collections\[0\]\.fileMode/m,
    /^error: \S+config\.yaml:4:5 +collections\[1\]\.name/m,
    /^error: FOLDER=.*it (does not exist|exists)/m,
    /^error: SCRIPT="\/nowhere\/script": it does not exist/m,
    /^error: LOG_CONFIG="\/nowhere\/log"/m,
    /^warning: HEALTHPORT is not a setting and has no effect: did you mean HEALTH_PORT\?/m,
    /\n7 faults, 1 warning$/,
  ];
  for (const line of expected) assert.match(text, line);
});

Deno.test("check has the places of folders and scripts of CONFIG_FILE that cannot be used", async () => {
  using folder = tempFolder();
  const file = `${folder.path}/config.yaml`;
  const lines = [
    "version: 1",
    "defaults: { notify: { script: { path: /nowhere } } }",
    "collections:",
    "  - { name: default, label: a, folder: /proc/a, notify: { script: { path: /etc } } }",
    `  - { name: b, label: b, folder: ${folder.path}/b, stateFile: ${folder.path} }`,
  ];
  await Deno.writeTextFile(file, lines.join("\n"));
  const { code, text } = await check({ CONFIG_FILE: file });
  assert.equal(code, EXIT.configuration);
  const expected = [
    'config.yaml:4:40  collections[0].folder  "/proc/a": expected a folder outside',
    'config.yaml:4:75  collections[0].notify.script.path  "/etc": it is not a file',
    `config.yaml:5:${lines[4]!.lastIndexOf(folder.path) + 1}  collections[1].stateFile  `,
    'config.yaml:2:39  defaults.notify.script.path  "/nowhere": it does not exist',
    "4 faults",
  ];
  for (const part of expected) assert.ok(text.includes(part), `${part}\n${text}`);
});

Deno.test("check prints lines of at most 100 columns, without colours when it is no terminal", async () => {
  const { lines } = await check({ LABEL: "a b", FOLDER: "/nowhere", NAMESPACE_SELECTOR: "a", NAMESPACE: "b" });
  assert.deepEqual(lines.filter((line) => line.length > 100 || line.includes("\x1b")), []);
  assert.ok(lines.some((line) => line.startsWith("    ")));
});

Deno.test("check --pod reads a file, and names it at each line", async () => {
  using folder = tempFolder();
  const file = `${folder.path}/pod.yaml`;
  const pod = (label: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec:\n  containers:\n    - name: c\n      env:\n` +
    `        - { name: FOLDER, value: /f }\n        - { name: LABEL, value: "${label}" }\n` +
    "      volumeMounts: [{ name: v, mountPath: /f }]\n  volumes: [{ name: v, hostPath: { path: /v } }]\n";
  await Deno.writeTextFile(file, pod("a"));
  // Faults of the environment of the command do not count
  assert.deepEqual((await check({ METHOD: "POLL" }, "--pod", file)).lines, ["1 container checked: no faults"]);
  await Deno.writeTextFile(file, pod("a b"));
  const { code, text } = await check({}, "--pod", file);
  assert.equal(code, EXIT.configuration);
  assert.ok(text.startsWith(`${file}:9: error: Pod p, container c: LABEL="a b": expected`), text);
});

Deno.test("check --pod is a fault without a sidecar in the manifests, and without a file", async () => {
  using folder = tempFolder();
  const file = `${folder.path}/empty.yaml`;
  await Deno.writeTextFile(file, "");
  const { code, text } = await check({}, "--pod", file);
  assert.equal(code, EXIT.configuration);
  assert.match(text, /empty\.yaml: error: nothing to check: no container has LABEL and FOLDER/);
  const missing = await outcome({}, { args: ["check", "--pod", "/nowhere/pod.yaml"] });
  assert.equal(missing.code, EXIT.configuration);
  assert.match(missing.stderr.join("\n"), /^--pod \/nowhere\/pod\.yaml: cannot be read: No such file or directory$/);
});

Deno.test("check --pod - reads stdin", async () => {
  const pod =
    "kind: Pod\nspec: { containers: [{ name: c, env: [{ name: LABEL, value: a b }, { name: FOLDER, value: /f }] }] }";
  await using sidecar = SidecarProcess.start({}, {
    through: ["sh", "-c", 'printf %s "$0" | "$@"', pod],
    args: ["check", "--pod", "-"],
  });
  assert.equal((await sidecar.exited()).code, EXIT.configuration);
  assert.match(sidecar.lines[0]!.text, /^stdin:2: /);
});
