import assert from "node:assert/strict";
import { FreePaths } from "../../lib/files/free_paths.ts";
import { tempFolder } from "../support/disk.ts";

function open() {
  const folder = tempFolder();
  const owned = new Map<string, string>();
  return {
    listing: new FreePaths({ ownerOf: (path) => owned.get(path) }),
    owned,
    at: (name: string) => `${folder.path}/${name}`,
    write: (name: string) => Deno.writeTextFileSync(`${folder.path}/${name}`, ""),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("has() is false for what was there before, whatever it is", () => {
  using it = open();
  it.write("file");
  Deno.mkdirSync(it.at("directory"));
  Deno.symlinkSync("nowhere", it.at("link"));
  for (const name of ["file", "directory", "link"]) assert.equal(it.listing.has(it.at(name)), false, name);
  assert.equal(it.listing.has(it.at("new")), true);
});

Deno.test("has() is false for ours, also when new", () => {
  using it = open();
  it.owned.set(it.at("old"), "a");
  assert.equal(it.listing.has(it.at("old")), false);
  assert.equal(it.listing.has(it.at("new")), true);
  it.owned.set(it.at("new"), "a");
  assert.equal(it.listing.has(it.at("new")), false);
});

Deno.test("has() lists each directory once", () => {
  using it = open();
  Deno.mkdirSync(it.at("team"));
  assert.equal(it.listing.has(it.at("a")), true);
  it.write("a");
  it.write("team/a");
  assert.equal(it.listing.has(it.at("a")), true);
  assert.equal(it.listing.has(it.at("team/a")), false);
  assert.equal(it.listing.has(it.at("team/b")), true);
});

Deno.test("has() is false in a directory that cannot be read", () => {
  using it = open();
  assert.equal(it.listing.has(it.at("missing/a")), false);
  it.write("file");
  assert.equal(it.listing.has(it.at("file/a")), false);
});
