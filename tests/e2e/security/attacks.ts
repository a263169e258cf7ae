/** What a second look found: cases of the kinds of rows 5, 8, 10 and 15 of the security cases. */
import assert from "node:assert/strict";
import { text } from "../../support/disk.ts";
import { eventually, recordIn } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

/** Control characters of C1, bidirectional controls, line and paragraph separators. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export function tellOfAttacks(story: AddStory): void {
  story("Annotation with 1,800 directories does not stop the loop", async (at) => {
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    const sidecar = await at.startReady();
    const deep = Array.from({ length: 1800 }, () => "a").join("/");
    await at.create("ConfigMap", "deep", { data: { "x.txt": "1" }, annotations: { [ANNOTATION]: deep } });
    await at.change("ConfigMap", "good", { data: { "good.txt": "2" } });
    await eventually(() => assert.equal(text(`${at.folder}/good.txt`), "2"), { timeout: 5000 });
    assert.equal((await sidecar.health("/livez")).status, 200);
  });

  story("Events have no control character of an annotation", async (at) => {
    const annotations = { [ANNOTATION]: "/etc/\u009b31m\u202etxt.exe\u2028forged" };
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" }, annotations });
    await at.startReady({ EVENT_LOGGING: "true" });
    const messages = await eventually(async () => {
      const { body } = await at.request("GET", `/api/v1/namespaces/${at.namespace}/events`);
      assert.ok(body.items.length > 0);
      return body.items.map(({ message }: { message: string }) => message).join("\n");
    });
    assert.match(messages, /txt\.exe/);
    assert.doesNotMatch(messages, UNSAFE);
  });

  story("State directory that becomes a symlink leads nowhere", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await at.startReady();
    const outer = recordIn(at.folder).replace(/\/state\/record$/, "");
    const outside = `${at.dir}/outside`;
    await Deno.mkdir(`${outside}/state`, { recursive: true });
    await Deno.writeTextFile(`${outside}/state/record`, "outside");
    await Deno.rename(outer, `${at.dir}/moved`);
    await Deno.symlink(outside, outer);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2", "b.txt": "2" } });
    await eventually(() => assert.equal(text(`${at.folder}/b.txt`), "2"), { timeout: 5000 });
    assert.equal(text(`${outside}/state/record`), "outside");
    assert.deepEqual([...Deno.readDirSync(`${outside}/state`)].map(({ name }) => name), ["record"]);
  });

  for (
    const [size, line] of [
      ["60 MB", '["pending",["/x"]]\n'],
      ["24 MB", '["pending",["/x"]]\n'],
      ["24 MB without a newline", "x"],
      ["24 MB of garbage", '["\n'],
    ] as const
  ) {
    story(`Record of ${size} takes little memory and time`, async (at) => {
      await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
      await (await at.startReady()).stop();
      const record = recordIn(at.folder);
      const bytes = parseInt(size) * 1e6;
      await Deno.writeTextFile(record, '["journal",2]\n' + line.repeat(bytes / line.length));
      const startedAt = performance.now();
      const sidecar = await at.start();
      let peak = 0;
      await eventually(() => {
        peak = Math.max(peak, sidecar.rssAnon());
        assert.ok(sidecar.find("sidecar is ready"));
      }, { timeout: 20_000 });
      assert.ok(peak < 80e6, `it took ${peak} bytes`);
      assert.ok(performance.now() - startedAt < 10_000, "it took more than 10 s");
      const warnings = sidecar.findAll("record").filter(({ level }) => level === "WARN");
      assert.equal(warnings.length, 1, sidecar.tail());
    });
  }

  story("Record of 100,000 files that are not there leaves the sidecar at work", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await (await at.startReady()).stop();
    const own = (count: number) => JSON.stringify(["own", `${at.folder}/${count}/x`, "ConfigMap/a/b", count, 2, 3]);
    const lines = Array.from({ length: 100_000 }, (_, count) => `${own(count)}\n`);
    await Deno.writeTextFile(recordIn(at.folder), `["journal",2]\n${lines.join("")}`);
    const sidecar = await at.start();
    await eventually(() => assert.ok(sidecar.find("health endpoints")), { timeout: 10_000 });
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    let [peak, slowest] = [0, 0];
    await eventually(async () => {
      const startedAt = performance.now();
      assert.equal((await sidecar.health("/livez")).status, 200);
      slowest = Math.max(slowest, performance.now() - startedAt);
      peak = Math.max(peak, sidecar.rssAnon());
      assert.equal(text(`${at.folder}/a.txt`), "2");
    }, { timeout: 10_000 });
    // From source, some 60 MB of it without the record
    assert.ok(peak < 120e6, `it took ${peak} bytes`);
    // A second on a quiet machine; other stories run at the same time
    assert.ok(slowest < 4000, `a probe took ${slowest} ms`);
  });
}
