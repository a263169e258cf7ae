import assert from "node:assert/strict";
import { VERSION } from "../lib/cli/version.ts";
import { releaseFaults } from "../scripts/check_release.ts";

Deno.test("releaseFaults() is empty for the version that deno.json, the changelog and the examples name", () => {
  assert.deepEqual(releaseFaults(`v${VERSION}`), []);
});

Deno.test("releaseFaults() names every file that has another version", () => {
  const faults = releaseFaults("v99.0.0");
  for (
    const path of [
      "lib/cli/version.ts",
      "deno.json",
      "CHANGELOG.md",
      "examples/quickstart/pod.yaml",
      "examples/config.yaml",
    ]
  ) {
    assert.ok(faults.some((fault) => fault.startsWith(`${path} says ${VERSION}`)), path);
  }
});

/** Actions that may be named by a tag, because there was no source for the commit. This list only gets shorter. */
const MAY_HAVE_TAG: readonly string[] = [
  "actions/attest-build-provenance",
  "actions/checkout",
  "actions/setup-go",
  "denoland/setup-deno",
  "docker/build-push-action",
  "docker/login-action",
  "docker/setup-buildx-action",
  "helm/kind-action",
  "sigstore/cosign-installer",
];

function actionsIn(workflow: string): string[] {
  return [...workflow.matchAll(/^\s*-?\s*uses:\s*(\S+)/gm)].flatMap(([, action]) => action ?? []);
}

Deno.test("Actions of the workflows are pinned by commit or listed", () => {
  const folder = new URL("../.github/workflows/", import.meta.url);
  const files = [...Deno.readDirSync(folder)].map(({ name }) => new URL(name, folder));
  const actions = files.flatMap((file) => actionsIn(Deno.readTextFileSync(file)));
  assert.ok(actions.length > 0);
  const isPinned = (action: string) => action.startsWith("./") || /@[0-9a-f]{40}$/.test(action);
  const loose = actions.filter((action) => !isPinned(action)).map((action) => action.replace(/@.*/, ""));
  assert.deepEqual(loose.filter((action) => !MAY_HAVE_TAG.includes(action)), []);
});

Deno.test("Checkouts of the workflows keep no credentials", () => {
  const folder = new URL("../.github/workflows/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    const lines = Deno.readTextFileSync(new URL(name, folder)).split("\n");
    for (const [index, line] of lines.entries()) {
      if (!/uses: actions\/checkout@/.test(line)) continue;
      assert.match(lines.slice(index + 1, index + 4).join("\n"), /persist-credentials: false/, `${name}:${index + 1}`);
    }
  }
});
