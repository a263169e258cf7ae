/** What others can do to the log (rows 9 and 15 of the security cases). */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { eventually } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

/** Control characters of C0 and C1, bidirectional controls, line and paragraph separators. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export function tellOfLogLines(story: AddStory): void {
  for (const format of ["TEXT", "LOGFMT", "JSON"]) {
    story(`${format} lines have no control character of an annotation`, async (at) => {
      const hostile = "/etc/\u009b31m\u202etxt.exe\u2028ERROR forged\u2066\u200f";
      await at.create("ConfigMap", "a", { data: { "a.txt": "1" }, annotations: { [ANNOTATION]: hostile } });
      await at.create("ConfigMap", "b", {
        data: { "b.txt": "1" },
        annotations: { [ANNOTATION]: "\u001b[2J\r\nforged" },
      });
      const sidecar = await at.start({ LOG_FORMAT: format });
      await eventually(async () => assert.equal((await sidecar.health("/readyz")).status, 200));
      await sidecar.stop();
      const told = sidecar.lines.filter(({ text }) => /txt\.exe|forged/.test(text));
      assert.ok(told.length >= 2, sidecar.tail());
      for (const { text } of sidecar.lines) assert.doesNotMatch(text, UNSAFE);
    });
  }

  story("Line about a URL of 300 kB has 2 kB", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("not here", { status: 404 });
    await at.create("ConfigMap", "a", { data: { "a.txt.url": `${host.url}/${"x".repeat(300_000)}` } });
    const sidecar = await at.startReady({ URL_ALLOWED_HOSTS: "*", REQ_RETRY_TOTAL: "0" });
    await sidecar.logged(/a\.txt/);
    const longest = Math.max(...sidecar.lines.map(({ text }) => text.length));
    assert.ok(longest < 3000, `a line has ${longest} characters`);
  });

  story("Two objects with 2,000 keys in common do not flood the log", async (at) => {
    const data = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, ""]));
    await at.create("ConfigMap", "a", { data });
    await at.create("ConfigMap", "b", { data });
    const sidecar = await at.startReady();
    for (const value of [null, "yes", null, "yes"]) {
      await at.change("ConfigMap", "b", { labels: { [at.label]: value } });
      await at.create("ConfigMap", `mark-${crypto.randomUUID()}`, { data: { [crypto.randomUUID()]: "1" } });
    }
    await sidecar.stop();
    assert.ok(sidecar.lines.length < 1200, `${sidecar.lines.length} lines`);
  });
}
