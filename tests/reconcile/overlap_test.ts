import assert from "node:assert/strict";
import { Overlap } from "../../lib/reconcile/overlap.ts";
import type { TrackedObject } from "../../lib/reconcile/tracked_object.ts";

/** A collection with files by path and owner; `stuck` files cannot be removed, `unlisted` objects may still be listed. */
function collection(
  files: Record<string, string>,
  { wins = [] as string[], stuck = [] as string[], unlisted = "" } = {},
) {
  const owned = new Map(Object.entries(files));
  const calls: string[] = [];
  const madeDirectories = new Set(["/made", "/made/too"]);
  const overlap = new Overlap({
    claims: {
      get: () => undefined,
      winnerOf: (path) => wins.includes(path) ? {} as TrackedObject : undefined,
    },
    lists: { canTell: ({ name }) => name !== unlisted },
    journal: {
      madeDirectories,
      ownerOf: (path) => owned.get(path),
      drop(path) {
        calls.push(`drop ${path}`);
        owned.delete(path);
      },
    },
    removals: {
      makeRoom(paths) {
        // One at a time, as if a slice of time were over then
        const next = [...paths].find((path) => !stuck.includes(path));
        if (next !== undefined) calls.push(`remove ${next}`) && owned.delete(next);
      },
    },
    publisher: { removeIfEmpty: (directory) => void calls.push(`empty ${directory}`) },
    downloads: { forget: (path) => void calls.push(`forget ${path}`) },
    slice: { begin() {} },
  });
  return { overlap, calls, files: () => [...owned.keys()] };
}

Deno.test("lost() removes every file, however many slices of time that takes", () => {
  const it = collection({ "/a": "ConfigMap/n/x", "/b": "ConfigMap/n/x" });
  it.overlap.lost(["/a", "/b", "/c"]);
  assert.deepEqual(it.files(), []);
  assert.deepEqual(it.calls, ["forget /a", "forget /b", "forget /c", "remove /a", "remove /b"]);
});

Deno.test("lost() gives up a file that cannot be removed", () => {
  const it = collection({ "/a": "ConfigMap/n/x" }, { stuck: ["/a"] });
  it.overlap.lost(["/a"]);
  assert.deepEqual(it.calls, ["forget /a", "drop /a"]);
});

Deno.test("lost() leaves what this collection wins, and what its list may still bring", () => {
  const it = collection({ "/a": "ConfigMap/n/x", "/b": "ConfigMap/n/late" }, { wins: ["/a"], unlisted: "late" });
  it.overlap.lost(["/a", "/b"]);
  assert.deepEqual([it.calls, it.files()], [[], ["/a", "/b"]]);
  assert.deepEqual([it.overlap.awaits("/a"), it.overlap.awaits("/b")], [false, true]);
});

Deno.test("left() removes directories that this collection made, from the inside to the outside", () => {
  const it = collection({});
  it.overlap.left("/made/too/theirs");
  it.overlap.left("/theirs");
  assert.deepEqual(it.calls, ["empty /made/too", "empty /made"]);
});
