import assert from "node:assert/strict";
import { VERSION } from "../lib/cli/version.ts";
import { releaseFaults } from "../scripts/check_release.ts";

Deno.test("releaseFaults() is empty for the version that deno.json, the changelog and the examples name", () => {
  assert.deepEqual(releaseFaults(`v${VERSION}`), []);
});

Deno.test("releaseFaults() names every file that has another version", () => {
  const faults = releaseFaults("v99.0.0");
  for (const path of ["lib/cli/version.ts", "deno.json", "CHANGELOG.md", "examples/quickstart/pod.yaml"]) {
    assert.ok(faults.some((fault) => fault.startsWith(`${path} says ${VERSION}`)), path);
  }
});
