import assert from "node:assert/strict";
import { ClaimedDirectories } from "../../lib/files/claimed_directories.ts";

Deno.test("has() knows a directory and those above it until the last object left", () => {
  const directories = new ClaimedDirectories();
  directories.add("/a/b/c", "1");
  directories.add("/a/b/c", "2");
  directories.add("/a", "3");
  directories.remove("/a/b/c", "1");
  assert.deepEqual(["/a/b/c", "/a/b", "/a", "/a/b/c/d", "/a/bc"].map((path) => directories.has(path)), [
    ...[true, true, true, false, false],
  ]);
  directories.remove("/a/b/c", "2");
  assert.deepEqual(["/a/b/c", "/a/b", "/a"].map((path) => directories.has(path)), [false, false, true]);
  directories.remove("/a", "3");
  assert.ok(!directories.has("/a") && !directories.has("/"));
});

Deno.test("keysBelow() names the objects in a directory and below it", () => {
  const directories = new ClaimedDirectories();
  for (const [directory, key] of [["/a", "1"], ["/a/b", "2"], ["/a/b", "3"], ["/a/c/d", "4"], ["/ab", "5"]] as const) {
    directories.add(directory, key);
  }
  assert.deepEqual([...directories.keysBelow("/a")].sort(), ["1", "2", "3", "4"]);
  assert.deepEqual([...directories.keysBelow("/a/c")], ["4"]);
  assert.deepEqual([...directories.keysBelow("/a/x")], []);
});
