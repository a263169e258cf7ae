/** Names by which two objects meet (row 16 of the security cases). */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

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

  story("Keys that are names of JavaScript's own are plain files", async (at) => {
    const data = { __proto__x: "1", constructor: "2", toString: "3", hasOwnProperty: "4" };
    await at.create("ConfigMap", "a", { data });
    await at.startReady();
    assertFolderEquals(at.folder, data);
  });
}
