/** Folders that we may not write (row 6 of the security cases). */
import assert from "node:assert/strict";
import { immutable, readOnly, text, where } from "../../support/disk.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

function linesOf({ lines }: SidecarProcess, level: string, part: string): string[] {
  return lines.filter((line) => line.level === level && line.msg.includes(part)).map(({ msg }) => msg);
}

export function tellOfUnwritableFolders(story: AddStory): void {
  for (
    const [what, need, protect] of [["read-only", "mounts", readOnly], [
      "foreign",
      "immutableFiles",
      immutable,
    ]] as const
  ) {
    const { name, ignore } = where(need, `Subfolder that is ${what} is its object's fault`);
    story(name, async (at) => {
      await Deno.mkdir(`${at.folder}/lost+found`, { recursive: true });
      using _ = protect(`${at.folder}/lost+found`);
      await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
      const annotations = { [ANNOTATION]: "lost+found" };
      await at.create("ConfigMap", "lost", { data: { "lost.txt": "1" }, annotations });
      const sidecar = await at.startReady();
      for (const path of ["/readyz", "/livez", "/healthz"]) assert.equal((await sidecar.health(path)).status, 200);
      assert.equal(text(`${at.folder}/good.txt`), "1");
      assert.equal(linesOf(sidecar, "ERROR", `${at.namespace}/lost`).length, 1, sidecar.tail());
      const list = await at.start({ METHOD: "LIST" });
      assert.equal((await list.exited()).code, 0, list.tail());
    }, { ignore });
  }

  const unmade = where("mounts", "FOLDER that cannot be made is the disk's fault");
  story(unmade.name, async (at) => {
    await Deno.mkdir(`${at.dir}/volume`);
    const protection = readOnly(`${at.dir}/volume`);
    const settings = { FOLDER: `${at.dir}/volume/files`, NAMESPACE: at.namespace };
    const empty = await at.start({ METHOD: "LIST", ...settings });
    assert.equal((await empty.exited()).code, 4, empty.tail());
    assert.equal(linesOf(empty, "WARN", "FOLDER=").length, 1, empty.tail());
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    const list = await at.start({ METHOD: "LIST", ...settings });
    assert.equal((await list.exited()).code, 4, list.tail());
    const sidecar = await at.start(settings);
    await sidecar.logged(/cannot write .*good\.txt/);
    assert.equal((await sidecar.health("/readyz")).status, 503);
    assert.equal((await sidecar.health("/livez")).status, 200);
    protection[Symbol.dispose]();
    await sidecar.ready();
    assert.equal(text(`${settings.FOLDER}/good.txt`), "1");
  }, unmade);
}
