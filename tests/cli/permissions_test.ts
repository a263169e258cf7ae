import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";

/** The permissions that are left, in a process of their own: what is revoked does not come back. */
async function permissionsLeft(
  env: Record<string, string>,
  credentials?: { runsPrograms: boolean },
): Promise<string[]> {
  const { config } = parseConfig({ LABEL: "a", FOLDER: "/a", ...env });
  const module = new URL("../../lib/cli/permissions.ts", import.meta.url).href;
  const program = `
    import { giveUpPermissions } from ${JSON.stringify(module)};
    await giveUpPermissions({ config: ${JSON.stringify(config)}, credentials: ${JSON.stringify(credentials)} });
    for (const permission of [{ name: "run" }, { name: "env" }, { name: "sys", kind: "hostname" }, { name: "ffi" }]) {
      if ((await Deno.permissions.query(permission)).state === "granted") console.log(permission.name);
    }`;
  const flags = ["--allow-run", "--allow-env", "--allow-sys=hostname", "--allow-ffi"];
  const args = ["run", "--quiet", "--no-prompt", ...flags, "--ext=js", "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).split("\n").filter((name) => name !== "");
}

const IN_CLUSTER = { runsPrograms: false };
const KUBECONFIG = { runsPrograms: true };

Deno.test("giveUpPermissions() leaves nothing to run, read, ask or load in a cluster", async () => {
  assert.deepEqual(await permissionsLeft({}, IN_CLUSTER), []);
});

Deno.test("giveUpPermissions() keeps what settings need", async () => {
  assert.deepEqual(await permissionsLeft({ SCRIPT: "/a.sh" }, IN_CLUSTER), ["run"]);
  assert.deepEqual(await permissionsLeft({ EVENT_LOGGING: "true" }, IN_CLUSTER), ["sys"]);
  assert.deepEqual(await permissionsLeft({}, KUBECONFIG), ["run", "env"]);
});

Deno.test("giveUpPermissions() keeps the environment for the YAML of --manifests and CONFIG_FILE", async () => {
  assert.deepEqual(await permissionsLeft({}), ["env"]);
  assert.deepEqual(await permissionsLeft({ CONFIG_FILE: "/config.yaml" }, IN_CLUSTER), ["run", "env"]);
});
