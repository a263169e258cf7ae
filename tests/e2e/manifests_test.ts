/** A sidecar without a cluster: `--manifests`. */
import assert from "node:assert/strict";
import { listeningPorts } from "../support/listening_ports.ts";
import { eventually } from "../support/oracle.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";
import { CONFIG_MAP, workplace } from "../support/workplace.ts";

Deno.test("--manifests listens on the health port alone", async () => {
  using here = workplace();
  const env = { LABEL: "app", FOLDER: here.files };
  await using sidecar = SidecarProcess.start(env, { args: ["--manifests", here.manifests] });
  await sidecar.ready();
  assert.deepEqual(listeningPorts(sidecar.pid), [sidecar.healthPort]);
  const changed = { ...CONFIG_MAP, data: { "one.txt": "second" } };
  await Deno.writeTextFile(`${here.manifests}/one.json`, JSON.stringify(changed));
  await eventually(() => assert.equal(Deno.readTextFileSync(`${here.files}/one.txt`), "second"));
  assert.deepEqual(listeningPorts(sidecar.pid), [sidecar.healthPort]);
});
