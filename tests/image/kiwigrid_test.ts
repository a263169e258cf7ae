/** The image with kiwigrid's defaults, in charts that pass no variable on; and what all targets have in common. */
import assert from "node:assert/strict";
import { assertFolderEquals } from "../support/oracle.ts";
import { dockerTarget, stageNames } from "./dockerfile.ts";
import { imageStories } from "./image_story.ts";

const { story, start } = imageStories("kiwigrid");

story("the kiwigrid image looks at ConfigMaps of its own namespace", async (at) => {
  const other = await at.makeNamespace(`${at.namespace}-other`);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("Secret", "b", { data: { "b.txt": "b" } });
  await at.create("ConfigMap", "c", { data: { "c.txt": "c" }, namespace: other });
  const sidecar = await start(at, {});
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "a" });
});

story("the pod's DEFAULTS overrides the kiwigrid image's", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("Secret", "b", { data: { "b.txt": "b" } });
  const sidecar = await start(at, { DEFAULTS: "kopf" });
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "a", "b.txt": "b" });
});

Deno.test("every target runs tini and the sidecar as kiwigrid's user", () => {
  const targets = ["default", "debug", "kiwigrid", "kiwigrid-debug"];
  for (const name of targets) {
    const { base, entrypoint, user, workdir, env } = dockerTarget(name);
    assert.equal(base, "scratch");
    assert.deepEqual(entrypoint, ["/usr/bin/tini-static", "-s", "--", "/usr/local/bin/k8s-sidecar"]);
    assert.deepEqual([user, workdir], ["65534:65534", "/"]);
    assert.deepEqual(env, name.startsWith("kiwigrid") ? { DEFAULTS: "kiwigrid" } : {});
  }
  // What `docker build` makes without --target
  assert.equal(stageNames().at(-1), "default");
});

Deno.test("the release publishes every target of the Dockerfile", () => {
  const workflow = Deno.readTextFileSync(new URL("../../.github/workflows/images.yml", import.meta.url));
  const [, published = ""] = /^ +target: \[(.*)\]$/m.exec(workflow) ?? [];
  assert.deepEqual(published.split(", "), ["default", "debug", "kiwigrid", "kiwigrid-debug"]);
});
