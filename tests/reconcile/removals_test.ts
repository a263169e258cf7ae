import assert from "node:assert/strict";
import type { FileEvent } from "../../lib/reconcile/file_event.ts";
import { OwnedFile } from "../../lib/files/journal.ts";
import { PublishError } from "../../lib/files/publish_error.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { Removals } from "../../lib/reconcile/removals.ts";

const STAMP = { ino: 1, mtime: 2, size: 3 };
const A: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
const B: ObjectRef = { kind: "Secret", namespace: "default", name: "b" };
const KEYS = { a: "ConfigMap/default/a", b: "Secret/default/b" };

/** Removals of paths that are owned as given; those in `stuck` would not go. */
function removals(owned: Record<string, string>) {
  const files = new Map(Object.entries(owned).map(([path, owner]) => [path, new OwnedFile(owner, STAMP)]));
  const journal = { ownerOf: (path: string) => files.get(path)?.owner, files: () => files.entries() };
  const stuck = new Set<string>();
  const wanted = new Set<string>();
  const events: FileEvent[] = [];
  const released: ObjectRef[] = [];
  const lines: string[] = [];
  const it = new Removals({
    claims: { get: () => undefined, winnerOf: (path) => wanted.has(path) ? ({} as never) : undefined },
    journal,
    publisher: {
      remove(path) {
        if (stuck.has(path)) throw new PublishError(`cannot remove ${path}`);
        return files.delete(path);
      },
    },
    onEvent: (event) => events.push(event),
    onReleased: (ref) => released.push(ref),
    log: { info: (line) => lines.push(line), error: (line) => lines.push(line) },
  });
  return { it, stuck, wanted, events, released, lines };
}

Deno.test("remove() tells of the files that were there, in one event", () => {
  const { it, events, lines } = removals({ "/1": KEYS.a, "/2": KEYS.a });
  assert.equal(it.remove(["/1", "/2", "/never"], A, "uid"), undefined);
  assert.deepEqual(events, [{ type: "removed", ref: A, uid: "uid", paths: ["/1", "/2"] }]);
  assert.deepEqual(lines, ["ConfigMap default/a: removed 2 files"]);
});

Deno.test("release() waits for the object's own files, and for no other's", () => {
  const { it, stuck, released } = removals({ "/1": KEYS.a, "/2": KEYS.b });
  it.leaves(KEYS.a, A);
  it.leaves(KEYS.b, B);
  stuck.add("/1");
  assert.match(String(it.remove(["/1"], A)), /cannot remove \/1/);
  assert.equal(it.remove(["/2"], B), undefined);
  it.release(KEYS.a);
  it.release(KEYS.b);
  assert.deepEqual(released, [B]);
  stuck.clear();
  assert.equal(it.sweep(), undefined);
  assert.deepEqual(released, [B, A]);
});

Deno.test("remove() logs once that a file would not go", () => {
  const { it, stuck, lines } = removals({ "/1": KEYS.a });
  stuck.add("/1");
  it.remove(["/1"], A);
  it.sweep();
  it.sweep();
  assert.deepEqual(lines, ["ConfigMap default/a: cannot remove /1; trying again"]);
});

Deno.test("sweep() removes what is ours and wanted by nobody, in its owner's name, and releases the owner", () => {
  const { it, wanted, events, released } = removals({ "/1": KEYS.b, "/2": KEYS.a });
  wanted.add("/2");
  it.sweep();
  assert.deepEqual(events, [{ type: "removed", ref: B, paths: ["/1"] }]);
  assert.deepEqual(released, [B]);
});

Deno.test("stays() keeps an object that was selected again from being released", () => {
  const { it, released } = removals({});
  it.leaves(KEYS.a, A);
  it.stays(KEYS.a);
  it.sweep();
  assert.deepEqual(released, []);
});
