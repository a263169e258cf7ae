/** What stands in the record's place at the start, and links in the way (rows 5 and 10 of the security cases). */
import assert from "node:assert/strict";
import { text } from "../../support/disk.ts";
import { eventually, recordIn } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";
import { assertWellBehaved, IMPOSTORS, Outside } from "./hostile_folder.ts";

export function tellOfHostileRecords(story: AddStory): void {
  for (const [name, impostor] of Object.entries(IMPOSTORS)) {
    story(`Start with ${name} for a record is one warning`, async (at) => {
      const outside = new Outside(at);
      await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
      await (await at.startReady()).stop();
      const record = recordIn(at.folder);
      await Deno.remove(record);
      impostor(at)(record);
      const sidecar = await at.startReady();
      assert.equal(sidecar.findAll("record").filter(({ level }) => level === "WARN").length, 1, sidecar.tail());
      assert.ok(sidecar.rssAnon() < 60e6, `${sidecar.rssAnon()} bytes`);
      await assertWellBehaved(at, sidecar);
      outside.assertUnchanged();
    });
  }

  story("Symlink beside an unlinked record leads nowhere", async (at) => {
    const outside = new Outside(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady();
    const record = recordIn(at.folder);
    await Deno.remove(record);
    for (const suffix of [".new", ".tmp", "-new"]) await Deno.symlink(outside.path, record + suffix);
    const directory = record.slice(0, record.lastIndexOf("/"));
    for (let count = 0; count < 20; count++) await Deno.symlink(outside.path, `${directory}/temporary-${count}`);
    await assertWellBehaved(at, sidecar);
    outside.assertUnchanged();
  });

  story("Race for temporaries of 900 kB changes nothing outside", async (at) => {
    const outside = new Outside(at);
    const data = (letter: string) => ({ "a.txt": letter.repeat(900_000) });
    await at.create("ConfigMap", "a", { data: data("a") });
    const sidecar = await at.startReady();
    const state = recordIn(at.folder).replace(/[^/]*$/, "");
    const loop = `while :; do for f in ${state}temporary-*; do [ -e "$f" ] && ln -sfn ${outside.path} "$f"; done; done`;
    const attacker = new Deno.Command("sh", { args: ["-c", loop], stdout: "null", stderr: "null" }).spawn();
    try {
      for (const letter of "bcdefghijk") {
        await at.change("ConfigMap", "a", { data: data(letter) });
        await new Promise((resolve) => setTimeout(resolve, 100));
        outside.assertUnchanged();
      }
    } finally {
      attacker.kill("SIGKILL");
      await attacker.status;
    }
    await at.change("ConfigMap", "a", { data: data("z") });
    await eventually(() => assert.equal(text(`${at.folder}/a.txt`), "z".repeat(900_000)));
    assert.ok(sidecar.running);
    outside.assertUnchanged();
  });
}
