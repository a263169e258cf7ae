import assert from "node:assert/strict";
import { VERSION } from "../lib/cli/version.ts";
import { releaseFaults } from "../scripts/check_release.ts";
import { imageAnnotations, imageTags } from "../scripts/image_metadata.ts";
import { sbom } from "../scripts/sbom.ts";
import { onlyFileOf } from "../scripts/stripped_base.ts";

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
      "examples/component/kustomization.yaml",
      "components/sidecar/sidecar.yaml",
      "docs/kustomize.md",
      "docs/migrating.md",
      "README.md",
    ]
  ) {
    assert.ok(faults.some((fault) => fault.startsWith(`${path} says ${VERSION}`)), path);
  }
});

Deno.test("imageTags() moves the shorter tags to the newest release only", () => {
  const release = (tag: string, target = "default") => ({ tag, target, isRebuild: false });
  assert.deepEqual(imageTags(release("v1.2.3"), ["v1.2.3", "v1.2.2", "v0.9.0"]), ["1.2.3", "1.2", "1", "latest"]);
  assert.deepEqual(imageTags(release("v1.2.10"), ["v1.2.9"]), ["1.2.10", "1.2", "1", "latest"]);
  assert.deepEqual(imageTags(release("v1.2.4"), ["v1.3.0"]), ["1.2.4", "1.2"]);
  assert.deepEqual(imageTags(release("v1.3.1"), ["v1.3.0", "v2.0.0"]), ["1.3.1", "1.3", "1"]);
  assert.deepEqual(imageTags(release("v2.0.0-rc.1"), ["v1.3.0"]), ["2.0.0-rc.1"]);
  assert.deepEqual(imageTags(release("v1.2.3"), ["v2.0.0-rc.1", ""]), ["1.2.3", "1.2", "1", "latest"]);
  assert.deepEqual(imageTags(release("v1.0.0", "kiwigrid-debug"), []), [
    "1.0.0-kiwigrid-debug",
    "1.0-kiwigrid-debug",
    "1-kiwigrid-debug",
    "latest-kiwigrid-debug",
  ]);
});

Deno.test("imageTags() leaves the whole version as it is when the image is built again", () => {
  const tags = imageTags({ tag: "v1.2.3", target: "debug", isRebuild: true }, ["v1.2.3"]);
  assert.deepEqual(tags, ["1.2-debug", "1-debug", "latest-debug"]);
});

Deno.test("imageAnnotations() has what Artifact Hub requires, and the Dockerfile's labels", () => {
  const lines = imageAnnotations(`v${VERSION}`, "abc", new Date(0));
  const annotations = new Map(lines.map((line) => {
    const [, key = "", value = ""] = /^index,manifest:([^=]+)=(.*)$/.exec(line) ?? [];
    return [key, value];
  }));
  assert.equal(annotations.get("org.opencontainers.image.created"), "1970-01-01T00:00:00.000Z");
  assert.match(annotations.get("io.artifacthub.package.readme-url") ?? "", /\/v\d+\.\d+\.\d+\/README\.md$/);
  const dockerfile = Deno.readTextFileSync(new URL("../Dockerfile", import.meta.url));
  for (const [, key = "", value = ""] of dockerfile.matchAll(/(org\.opencontainers\.[\w.]+)="([^"]*)"/g)) {
    if (value.startsWith("$")) assert.ok(annotations.has(key), key);
    else assert.equal(annotations.get(key), value, key);
  }
});

Deno.test("sbom() names Deno and each package of the program with its hash, and nothing of the tests", async () => {
  const { components } = await sbom("1.2.3") as { components: { name: string; version: string }[] };
  const names = components.map(({ name }) => name);
  for (const name of ["deno", "yaml", "@logtape/logtape", "@kubernetes/client-node"]) assert.ok(names.includes(name));
  for (const name of ["ajv", "fast-check", "playwright-core"]) assert.ok(!names.includes(name), name);
});

Deno.test("onlyFileOf() reads an archive as Deno's are", () => {
  // One file, `denort`: the text "base" 20 times, deflated
  const archive = Uint8Array.fromBase64(
    "UEsDBBQAAAAIAAAAIVwoLEluCQAAAFAAAAAGAAAAZGVub3J0S0osTk2iIgYAUEsBAhQDFAAAAAgAAAAhXCgsSW4JAAAAUAAAAAYAAAAAAAAAAAAAAIABAAAAAGRlbm9ydFBLBQYAAAAAAQABADQAAAAtAAAAAAA=",
  );
  assert.equal(new TextDecoder().decode(onlyFileOf(archive)), "base".repeat(20));
  assert.throws(() => onlyFileOf(new Uint8Array(100)), /no ZIP archive/);
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
