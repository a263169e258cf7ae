import assert from "node:assert/strict";
import { refOf } from "../../lib/objects/ref.ts";
import { InTheWay } from "../../lib/reconcile/in_the_way.ts";

const [A, B] = ["ConfigMap/default/a", "Secret/default/b"];

/** Our files by path, with their owners, in a folder whose directories are ours. */
function inTheWay(owners: Record<string, string>) {
  const journal = new Map(Object.entries(owners));
  const stays = new Set<string>();
  const unknown = new Set<string>();
  const slice = { isOver: false };
  const state = { scans: 0, removalsPerSlice: Infinity };
  const it = new InTheWay({
    journal: {
      ownerOf: (path) => journal.get(path),
      *files() {
        state.scans++;
        for (const [path, owner] of journal) yield [path, { owner }] as never;
      },
      madeDirectories: new Set(["/f/dir", "/f/dir/deep"]),
    },
    lists: { canTell: ({ kind }) => !unknown.has(kind) },
    removals: {
      makeRoom(paths) {
        for (const [index, path] of [...paths].entries()) {
          slice.isOver ||= index >= state.removalsPerSlice;
          if (!slice.isOver && !stays.has(path) && !unknown.has(refOf(journal.get(path) ?? "").kind)) {
            journal.delete(path);
          }
        }
      },
    },
    slice,
  });
  return { it, journal, stays, unknown, slice, state, left: () => [...journal.keys()] };
}

Deno.test("clear() removes the files above a path and below it, and no others", () => {
  const { it, left } = inTheWay({ "/f/dir/x": A, "/f/dir/deep/y": B, "/f/dir-2": A, "/f/file": A, "/f/file.txt": A });
  assert.equal(it.clear("/f/dir", "key"), "clear");
  assert.deepEqual(left(), ["/f/dir-2", "/f/file", "/f/file.txt"]);
  assert.equal(it.clear("/f/file/deep/er", "key"), "clear");
  assert.deepEqual(left(), ["/f/dir-2", "/f/file.txt"]);
  assert.deepEqual(it.release(), []);
});

Deno.test("clear() does not look through all files when no directory of ours is there", () => {
  const { it, state } = inTheWay({ "/f/other/x": A });
  assert.equal(it.clear("/f/other", "key"), "clear");
  assert.equal(it.clear("/f/a/b", "key"), "clear");
  assert.equal(state.scans, 0);
});

Deno.test("clear() waits for the list of an owner's source, and release() tells who waited", () => {
  const { it, unknown, left } = inTheWay({ "/f/dir/x": B });
  unknown.add("Secret");
  assert.equal(it.clear("/f/dir", "key"), "unknown");
  assert.deepEqual(left(), ["/f/dir/x"]);
  assert.deepEqual(it.release(), ["key"]);
  assert.deepEqual(it.release(), []);
});

Deno.test("clear() goes on in the next time slice, and ends though files cannot be removed", () => {
  const { it, slice, state, stays, left } = inTheWay({ "/f/dir/1": A, "/f/dir/2": A, "/f/dir/3": A });
  slice.isOver = true;
  assert.equal(it.clear("/f/dir", "key"), "interrupted");
  slice.isOver = false;
  state.removalsPerSlice = 1;
  assert.equal(it.clear("/f/dir", "key"), "interrupted");
  assert.deepEqual(left(), ["/f/dir/2", "/f/dir/3"]);
  slice.isOver = false;
  stays.add("/f/dir/2");
  assert.equal(it.clear("/f/dir", "key"), "clear");
  assert.deepEqual(left(), ["/f/dir/2", "/f/dir/3"]);
});
