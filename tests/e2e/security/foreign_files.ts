/** Files of ours that somebody replaces, and foreign ones (rows 5, 10 and 11 of the security cases). */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { exists, temporariesIn, text } from "../../support/disk.ts";
import { assertFolderEquals, eventually, recordIn } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";
import { assertWellBehaved, IMPOSTORS, Outside, replace } from "./hostile_folder.ts";

const DOWNLOADS = { URL_ALLOWED_HOSTS: "*" };

export function tellOfForeignFiles(story: AddStory): void {
  for (const [name, impostor] of Object.entries(IMPOSTORS)) {
    story(`Record that becomes ${name} stops nothing`, async (at) => {
      const outside = new Outside(at);
      await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
      const sidecar = await at.startReady();
      const record = recordIn(at.folder);
      replace(record, impostor(at));
      await assertWellBehaved(at, sidecar);
      outside.assertUnchanged();
    });
  }

  story("Temporary of a slow download replaced by a symlink", async (at) => {
    const outside = new Outside(at);
    await using host = new Application();
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    host.respond = () => {
      const isFirst = calls++ === 0;
      return new Response(
        new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode("first half, "));
            if (isFirst) await gate.promise;
            controller.enqueue(new TextEncoder().encode("second half"));
            controller.close();
          },
        }),
      );
    };
    await at.create("ConfigMap", "a", { data: { "a.txt.url": host.url } });
    try {
      await at.start(DOWNLOADS);
      const temporary = await eventually(() => {
        const [found] = temporariesIn(at.folder);
        assert.ok(found !== undefined);
        assert.ok(Deno.lstatSync(`${at.folder}/${found}`).size > 0);
        return `${at.folder}/${found}`;
      });
      replace(temporary, (path) => Deno.symlinkSync(outside.path, path));
    } finally {
      gate.resolve();
    }
    await eventually(() => assert.equal(text(`${at.folder}/a.txt`), "first half, second half"));
    assert.ok(Deno.lstatSync(`${at.folder}/a.txt`).isFile);
    outside.assertUnchanged();
  });

  story("Forged record has no foreign file removed or moved", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await (await at.startReady()).stop();
    const outside = new Outside(at);
    const foreign = `${at.folder}/foreign.db`;
    await Deno.writeTextFile(foreign, "foreign");
    const record = recordIn(at.folder);
    const lines = text(record).trimEnd().split("\n");
    const own = lines.find((line) => line.includes("/a.txt")) ?? "";
    const forged = [foreign, outside.path, `${at.folder}/../outside`, `${at.folder}/x/../foreign.db`].map((path) =>
      own.replace(`${at.folder}/a.txt`, path)
    );
    const gone = forged.map((line) => line.replace(`${at.namespace}/a"`, `${at.namespace}/gone"`));
    await Deno.writeTextFile(record, [...lines, ...gone].join("\n") + "\n");
    await at.startReady();
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1", "b.txt": "1", "foreign.db": "foreign" }));
    outside.assertUnchanged();
  });

  story("Orphan that another has written anew is left alone", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1", "b.txt": "1" } });
    await (await at.startReady()).stop();
    replace(`${at.folder}/a.txt`, (path) => Deno.writeTextFileSync(path, "the application's"));
    await at.delete("ConfigMap", "a");
    await at.startReady();
    await eventually(() => assert.ok(!exists(`${at.folder}/b.txt`)));
    assert.equal(text(`${at.folder}/a.txt`), "the application's");
  });
}
