/** A file where another's folder is, and the reverse (row 7 of the security cases). */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { AddStory, Story } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

const AT_ONCE = { timeout: 8000 };

/** `creationTimestamp` has whole seconds. */
async function nextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

async function createFolder(at: Story, name: string, folder: string): Promise<void> {
  await at.create("ConfigMap", name, { data: { "x.txt": name }, annotations: { [ANNOTATION]: folder } });
}

export function tellOfPrefixes(story: AddStory): void {
  story("Key named like another's folder loses to the older object", async (at) => {
    await createFolder(at, "a", "team-v");
    await at.create("ConfigMap", "b", { data: { "team-v": "b", "beside.txt": "1" } });
    const sidecar = await at.startReady();
    assertFolderEquals(at.folder, { "team-v/x.txt": "a", "beside.txt": "1" });
    const told = sidecar.findAll("team-v").filter(({ level, msg }) =>
      level === "WARN" && /\/a\b.*\/b\b|\/b\b.*\/a\b/.test(msg)
    );
    assert.equal(told.length, 1, sidecar.tail());
    await at.delete("ConfigMap", "a");
    await eventually(() => assertFolderEquals(at.folder, { "team-v": "b", "beside.txt": "1" }), AT_ONCE);
  });

  story("Folder named like another's file loses to the older object", async (at) => {
    await at.create("ConfigMap", "a", { data: { "dash.json": "a" } });
    await createFolder(at, "b", "dash.json/deep/er");
    await at.startReady();
    assertFolderEquals(at.folder, { "dash.json": "a" });
    await at.delete("ConfigMap", "a");
    await eventually(() => assertFolderEquals(at.folder, { "dash.json/deep/er/x.txt": "b" }), AT_ONCE);
  });

  story("COLLISIONS=newest decides between a file and a folder", async (at) => {
    await at.create("ConfigMap", "a", { data: { "team-v": "a" } });
    await at.startReady({ COLLISIONS: "newest" });
    assertFolderEquals(at.folder, { "team-v": "a" });
    await nextSecond();
    await createFolder(at, "b", "team-v");
    await eventually(() => assertFolderEquals(at.folder, { "team-v/x.txt": "b" }), AT_ONCE);
    await nextSecond();
    await at.create("ConfigMap", "c", { data: { "team-v": "c" } });
    await eventually(() => assertFolderEquals(at.folder, { "team-v": "c" }), AT_ONCE);
    await at.delete("ConfigMap", "c");
    await eventually(() => assertFolderEquals(at.folder, { "team-v/x.txt": "b" }), AT_ONCE);
    await at.delete("ConfigMap", "b");
    await eventually(() => assertFolderEquals(at.folder, { "team-v": "a" }), AT_ONCE);
  });

  story("Own key and own folder of one object never meet", async (at) => {
    await at.create("ConfigMap", "a", { data: { sub: "a" } });
    await createFolder(at, "b", "sub");
    await createFolder(at, "c", "sub-2");
    await at.create("ConfigMap", "d", { data: { "sub-2": "d", "sub.txt": "d" } });
    await at.startReady();
    assertFolderEquals(at.folder, { sub: "a", "sub-2/x.txt": "c", "sub.txt": "d" });
  });
}
