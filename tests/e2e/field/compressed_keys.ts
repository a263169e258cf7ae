/** DECOMPRESS: dashboards that are larger than a ConfigMap may be. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory } from "../../support/story.ts";

const DECOMPRESS = { DECOMPRESS: "true" };

function gzip(content: string | Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(content));
}

function errors({ lines }: SidecarProcess): string[] {
  return lines.filter(({ level }) => level === "ERROR").map(({ msg }) => msg);
}

export function tellOfCompressedKeys(story: AddStory): void {
  story("DECOMPRESS unpacks keys that end in .gz", async (at) => {
    const large = "a dashboard ".repeat(300_000);
    const two = new Uint8Array([...gzip("first "), ...gzip("second")]);
    await at.create("ConfigMap", "a", { data: { "large.json.gz": gzip(large), "plain.txt": "1" } });
    await at.create("Secret", "b", { data: { "secret.gz": gzip("s"), "empty.gz": gzip(""), "two.gz": two } });
    const sidecar = await at.startReady(DECOMPRESS);
    const files = { "large.json": large, "plain.txt": "1", secret: "s", empty: "", two: "first second" };
    assertFolderEquals(at.folder, files);
    await at.change("ConfigMap", "a", { data: { "large.json.gz": gzip("small") } });
    await eventually(() => assertFolderEquals(at.folder, { ...files, "large.json": "small" }));
    await at.change("Secret", "b", { data: { "secret.gz": null } });
    const { secret: _, ...left } = files;
    await eventually(() => assertFolderEquals(at.folder, { ...left, "large.json": "small" }));
    assert.deepEqual(errors(sidecar), []);
  });

  story("Keys that end in .gz are plain files without DECOMPRESS", async (at) => {
    const bytes = gzip("x");
    await at.create("ConfigMap", "a", { data: { "a.gz": bytes } });
    await at.startReady();
    assertFolderEquals(at.folder, { "a.gz": bytes });
  });

  story("Archive that is a bomb or broken harms its key alone", async (at) => {
    const cut = gzip("x".repeat(1000) + crypto.randomUUID()).slice(0, -12);
    const flipped = gzip("some text that is long enough");
    flipped[12] = (flipped[12] ?? 0) ^ 0xff;
    const bomb = gzip(new Uint8Array(64 * 1024 * 1024));
    const bad = { "cut.gz": cut, "flipped.gz": flipped, "text.gz": "no archive", "empty.gz": "", "bomb.gz": bomb };
    // ConfigMap data is text, also where it looks like base64
    const text = { "base64.gz": gzip("x").toBase64() };
    await at.create("ConfigMap", "a", { data: { ...bad, ...text, "good.json.gz": gzip("{}"), "beside.txt": "1" } });
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    const settings = { ...DECOMPRESS, URL_MAX_BYTES: "1Mi" };
    const files = { "good.json": "{}", "beside.txt": "1", "b.txt": "1" };
    const list = await at.start({ METHOD: "LIST", ...settings });
    assert.equal((await list.exited()).code, 0, list.tail());
    assertFolderEquals(at.folder, files);
    for (const key of [...Object.keys(bad), ...Object.keys(text)]) {
      const name = key.slice(0, -".gz".length);
      assert.ok(errors(list).some((line) => line.includes(name)), `${key}\n${list.tail()}`);
    }
    const sidecar = await at.startReady(settings);
    assert.equal((await sidecar.health("/healthz")).status, 200);
    await at.change("ConfigMap", "a", { data: { "cut.gz": gzip("whole") } });
    await eventually(() => assertFolderEquals(at.folder, { ...files, cut: "whole" }));
  });

  story("Archive that breaks keeps its last good file", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.json.gz": gzip("1"), "b.txt": "1" } });
    const sidecar = await at.startReady(DECOMPRESS);
    assertFolderEquals(at.folder, { "a.json": "1", "b.txt": "1" });
    await at.change("ConfigMap", "a", { data: { "a.json.gz": gzip("2").slice(0, 8), "b.txt": "2" } });
    await eventually(() => assertFolderEquals(at.folder, { "a.json": "1", "b.txt": "2" }));
    await eventually(() => assert.equal(errors(sidecar).length, 1));
  });
}
