import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { diskTest, readOnly } from "../support/disk.ts";
import { outcome } from "../support/outcome.ts";
import { treeOf } from "../support/planned_world.ts";
import { workplace } from "../support/workplace.ts";

type Place = ReturnType<typeof workplace>;

/** Runs `plan` over the manifests, and returns its code and what it printed. */
async function plan(here: Place, args: string[] = [], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await outcome({ LABEL: "app", FOLDER: here.files, ...env }, {
    args: ["plan", "--manifests", here.manifests, ...args],
  });
  const relative = (lines: string[]) => lines.map((line) => line.replaceAll(here.path, "PLACE"));
  return { code, stdout: relative(stdout), stderr: relative(stderr) };
}

Deno.test("plan prints each change with its reason, and makes no folder", async () => {
  using here = workplace();
  const before = treeOf(here.path);
  assert.deepEqual(await plan(here), {
    code: EXIT.done,
    stdout: [
      "default: configmaps and secrets with labels app in all namespaces",
      "  from PLACE/manifests to PLACE/files",
      "+ PLACE/files/one.txt  (default/configmap/one, 5 B): new object",
      "",
      "Plan: 1 to create, 0 to change, 0 to remove",
    ],
    stderr: [],
  });
  assert.deepEqual(treeOf(here.path), before);
});

Deno.test("plan --exit-code ends with 1 if something differs, else with 0", async () => {
  using here = workplace();
  assert.equal((await plan(here, ["--exit-code"])).code, EXIT.differs);
  await outcome({ LABEL: "app", FOLDER: here.files, METHOD: "LIST" }, { args: ["--manifests", here.manifests] });
  const { code, stdout } = await plan(here, ["--exit-code"]);
  assert.equal(code, EXIT.done);
  assert.deepEqual(stdout.slice(-4), ["  nothing to do", "  1 file unchanged", "", "Plan: nothing to do"]);
});

Deno.test("plan -o json prints the plan as JSON", async () => {
  using here = workplace();
  const { stdout } = await plan(here, ["-o", "json"]);
  assert.deepEqual(JSON.parse(stdout.join("\n")), {
    version: 1,
    collections: [{
      name: "default",
      selects: "configmaps and secrets with labels app in all namespaces",
      folder: "PLACE/files",
      changes: [{
        action: "create",
        path: "PLACE/files/one.txt",
        object: "default/configmap/one",
        size: 5,
        reasons: ["new object"],
      }],
      unchanged: 0,
      problems: [],
    }],
    summary: { create: 1, change: 0, remove: 0, download: 0 },
    failures: [],
    warnings: [],
  });
});

Deno.test("plan ends with 2 for faults of the settings, after the warnings", async () => {
  using here = workplace();
  const { code, stderr } = await plan(here, [], { FOLDER: "", FOLDR: "/x", METHOD: "POLL" });
  assert.equal(code, EXIT.configuration);
  assert.deepEqual(stderr, [
    "warning: FOLDR is not a setting and has no effect: did you mean FOLDER?",
    'configuration error: METHOD="POLL": expected WATCH, LIST or SLEEP',
    "configuration error: FOLDER is required: the folder that files are written to",
  ]);
});

Deno.test("plan ends with 3 if the API is away, and says what was not listed", async () => {
  using here = workplace();
  const kubeconfig = `${here.path}/kubeconfig`;
  await Deno.writeTextFile(
    kubeconfig,
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "a" },
      clusters: [{ name: "a", cluster: { server: "http://127.0.0.1:9" } }],
      users: [{ name: "a", user: {} }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    }),
  );
  const env = { LABEL: "app", FOLDER: here.files, KUBECONFIG: kubeconfig, ERROR_THROTTLE_SLEEP: "0.01" };
  const { code, stdout, stderr } = await outcome(env, { args: ["plan", "--exit-code"] });
  assert.equal(code, EXIT.apiFailed);
  assert.equal(stdout.at(-1), "Plan: unknown (incomplete: see the errors)");
  assert.ok(stdout.includes("  incomplete: not all objects could be listed") && !stdout.includes("  nothing to do"));
  assert.match(stderr.join("\n"), /^error: .*127\.0\.0\.1:9/m);
});

diskTest("mounts", "plan writes nothing into a read-only folder, and names it", async () => {
  using here = workplace();
  Deno.mkdirSync(here.files);
  const before = treeOf(here.path);
  using _ = readOnly(here.files);
  const { code, stdout } = await plan(here);
  assert.equal(code, EXIT.done);
  assert.deepEqual(stdout.slice(3, 5), [
    "! cannot be written: PLACE/files is mounted read-only",
    "      cure: mount the volume without readOnly in the sidecar's container",
  ]);
  assert.deepEqual(treeOf(here.path), before);
});

Deno.test("plan and explain warn of a selection that selects nothing", async () => {
  using here = workplace();
  const what = "nothing is selected: there are no configmaps and secrets with labels app=y in all namespaces";
  const { code, stdout, stderr } = await plan(here, [], { LABEL_VALUE: "y" });
  assert.equal(code, EXIT.done);
  assert.equal(stdout.at(-1), "Plan: nothing to do");
  const warning = stderr.join(" ").replace(/\s+/g, " ");
  assert.ok(warning.startsWith(`warning: ${what}. Check LABEL, LABEL_VALUE and NAMESPACE: \`kubectl get `), warning);
  const explained = await outcome({ LABEL: "app", LABEL_VALUE: "y", FOLDER: here.files, LIVENESS: "false" }, {
    args: ["explain", "--manifests", here.manifests],
  });
  assert.equal(explained.stdout[0], "1 problem");
  assert.ok(explained.stdout.join(" ").replace(/\s+/g, " ").includes(`warning: ${what} cure: Check LABEL, `));
  const named = await plan(here, [], { LABEL: "", RESOURCE_NAME: "one,two" });
  assert.match(named.stderr.join(" "), /^warning: there is no configmap or secret.*two/i);
});
