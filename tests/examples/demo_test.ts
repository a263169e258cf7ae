import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("the demo shows files of two collections come, change and go", async () => {
  const program = fileURLToPath(new URL("../../examples/demo.ts", import.meta.url));
  const args = ["run", "--quiet", "-A", program];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const files = [...text.matchAll(/(wrote|removed) (\S+)$/gm)].map(([, what, path]) => `${what} ${path}`);
  assert.deepEqual(files.slice(0, 5).sort(), [
    "wrote dashboards/requests.json",
    "wrote dashboards/team-a/team-a.json",
    "wrote others/errors.yaml",
    "wrote others/logo.png",
    "wrote others/prometheus.yaml",
  ]);
  assert.deepEqual(files.slice(5), ["wrote dashboards/team-a/team-a.json", "removed others/logo.png"]);
  assert.match(text, /is told: POST \/reload$/m);
});
