import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { freePort } from "../support/free_port.ts";
import { outcome } from "../support/outcome.ts";
import { treeOf } from "../support/planned_world.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";
import { workplace } from "../support/workplace.ts";

type Place = ReturnType<typeof workplace>;

async function explain(here: Place, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await outcome(
    { LABEL: "app", FOLDER: here.files, HEALTH_PORT: String(freePort()), ...env },
    { args: ["explain", "--manifests", here.manifests, ...args] },
  );
  const relative = (lines: string[]) => lines.map((line) => line.replaceAll(here.path, "PLACE"));
  return { code, stdout: relative(stdout), stderr: relative(stderr) };
}

Deno.test("explain answers from the manifests and the disk, and writes nothing", async () => {
  using here = workplace();
  const before = treeOf(here.path);
  const { code, stdout } = await explain(here, ["default/cm/one"]);
  assert.equal(code, EXIT.done);
  assert.equal(stdout[0], "default/configmap/one is selected, but its file is not in place");
  assert.match(stdout[1]!, /^ {2}from the cluster and the disk alone: no answer from/);
  assert.deepEqual(stdout.slice(-2), ["  missing: PLACE/files/one.txt", "    a start would write it; no sidecar runs"]);
  assert.deepEqual(treeOf(here.path), before);
});

Deno.test("explain asks the running sidecar", async () => {
  using here = workplace();
  await using sidecar = SidecarProcess.start({ LABEL: "app", FOLDER: here.files }, {
    args: ["--manifests", here.manifests],
  });
  await sidecar.ready();
  const env = { HEALTH_PORT: String(sidecar.healthPort) };
  assert.match(
    (await explain(here, ["default/cm/one"], env)).stdout.join("\n"),
    /is in place\n {2}in place: PLACE.*5 B/,
  );
  const { stdout } = await explain(here, ["-o", "json", `${here.files}/one.txt`], env);
  const { version, about, summary, isAnswered, sidecar: asked, collections, problems } = JSON.parse(stdout.join("\n"));
  assert.deepEqual([version, about, isAnswered, asked], [1, "PLACE/files/one.txt", true, { isRunning: true }]);
  assert.equal(summary, "PLACE/files/one.txt is that of default/configmap/one");
  assert.equal(collections[0].files[0].object, "default/configmap/one");
  assert.deepEqual(problems, []);
  assert.deepEqual((await explain(here, [], env)).stdout, ["nothing is wrong"]);
});

Deno.test("explain ends with 2 for what is neither an object nor a path", async () => {
  using here = workplace();
  const { code, stderr } = await explain(here, ["one"]);
  assert.equal(code, EXIT.configuration);
  assert.match(stderr.join(" "), /^error: "one": expected NAMESPACE\/KIND\/NAME/);
  assert.equal((await explain(here, ["a/cm/b"], { FOLDER: "" })).code, EXIT.configuration);
});
