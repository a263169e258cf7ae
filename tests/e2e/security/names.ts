/** Names by which two objects meet (row 16 of the security cases). */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

/** Not there yet: claims decide between a file and a folder of the same name. */
const WAITS = true;

export function tellOfNames(story: AddStory): void {
  story("UNIQUE_FILENAMES that meet are a collision, and told", async (at) => {
    await at.create("ConfigMap", "b", { data: { "c.d": "first" } });
    await at.create("ConfigMap", "b.c", { data: { d: "second" } });
    const sidecar = await at.startReady({ UNIQUE_FILENAMES: "true" });
    const path = `namespace_${at.namespace}.configmap_b.c.d`;
    assertFolderEquals(at.folder, { [path]: "first" });
    const told = sidecar.findAll("b.c.d").filter(({ level }) => level === "WARN");
    assert.equal(told.length, 1, sidecar.tail());
    await at.delete("ConfigMap", "b");
    await eventually(() => assertFolderEquals(at.folder, { [path]: "second" }));
  });

  story("UNIQUE_FILENAMES name is not lost to a younger object's folder of that name", async (at) => {
    await at.create("ConfigMap", "victim", { data: { key: "1" } });
    // `creationTimestamp` has whole seconds
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const path = `namespace_${at.namespace}.configmap_victim.key`;
    // It is listed first
    const annotations = { "k8s-sidecar-target-directory": path };
    await at.create("ConfigMap", "a-squatter", { data: { key: "2" }, annotations });
    await at.startReady({ UNIQUE_FILENAMES: "true" });
    assertFolderEquals(at.folder, { [path]: "1" });
  }, { ignore: WAITS });

  story("Keys that are names of JavaScript's own are plain files", async (at) => {
    const data = { __proto__x: "1", constructor: "2", toString: "3", hasOwnProperty: "4" };
    await at.create("ConfigMap", "a", { data });
    await at.startReady();
    assertFolderEquals(at.folder, data);
  });
}
