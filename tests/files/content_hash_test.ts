import assert from "node:assert/strict";
import { hashOf as hashOfFile } from "../../lib/files/content_hash.ts";
import { type Stamp, stampOf } from "../../lib/files/stamp.ts";
import { tempFolder } from "../support/disk.ts";

const CHUNK = 256 * 1024;

async function hashOf(path: string, stamp: Stamp): Promise<string | undefined> {
  using file = Deno.openSync(path);
  return await hashOfFile(file, stamp);
}

Deno.test("hashOf() differs for every difference in content", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  const hashes = new Set<string | undefined>();
  const x = "x".repeat(CHUNK);
  const contents = ["", "a", "b", x, `${x}a`, `${x}b`, `a${x}`, x + x, `${x}${x}a`, `${x}a${x}`];
  for (const content of contents) {
    Deno.writeTextFileSync(path, content);
    const stamp = stampOf(Deno.statSync(path));
    const hash = await hashOf(path, stamp);
    assert.equal(hash, await hashOf(path, stamp));
    hashes.add(hash);
  }
  assert.equal(hashes.size, contents.length);
  assert.equal(hashes.has(undefined), false);
});

Deno.test("hashOf() of a small file is its SHA-256", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "abc");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc")));
  assert.equal(await hashOf(path, stampOf(Deno.statSync(path))), digest.toBase64());
});

Deno.test("hashOf() is undefined for another file, or none", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "abc");
  const stamp = stampOf(Deno.statSync(path));
  assert.equal(await hashOf(path, { ...stamp, size: 4 }), undefined);
  assert.equal(await hashOf(folder.path, stamp), undefined);
});
