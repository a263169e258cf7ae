import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";

/** In a process of its own: what is given up does not come back. */
async function runPermission(env: Record<string, string>, runsPrograms: boolean): Promise<string> {
  const { config } = parseConfig({ LABEL: "a", FOLDER: "/a", ...env });
  const module = new URL("../../lib/cli/permissions.ts", import.meta.url).href;
  const program = `
    import { giveUpPermissions } from ${JSON.stringify(module)};
    const credentials = { maxAge: 1, runsPrograms: ${runsPrograms}, load() {} };
    await giveUpPermissions(${JSON.stringify(config)}, credentials);
    console.log((await Deno.permissions.query({ name: "run" })).state);`;
  const args = ["run", "--quiet", "--no-prompt", "--allow-run", "--ext=js", "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}

Deno.test("giveUpPermissions() gives up running programs when there is no SCRIPT", async () => {
  assert.equal(await runPermission({}, false), "prompt");
});

Deno.test("giveUpPermissions() keeps running programs for a SCRIPT, and for a kubeconfig", async () => {
  assert.equal(await runPermission({ SCRIPT: "/a.sh" }, false), "granted");
  assert.equal(await runPermission({}, true), "granted");
});
