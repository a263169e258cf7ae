import assert from "node:assert/strict";
import { PublishError } from "../../lib/files/publish_error.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import type { FileEvent } from "../../lib/reconcile/file_event.ts";
import { Removals } from "../../lib/reconcile/removals.ts";

const A: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
const B: ObjectRef = { kind: "Secret", namespace: "default", name: "b" };
const KEYS = { a: "ConfigMap/default/a", b: "Secret/default/b" };

/** Removals of paths that hold the content of these owners. Nothing is claimed, every source was listed. */
function removals(owners: Record<string, string>) {
  const journal = new Map(Object.entries(owners));
  /** Paths whose removal fails. */
  const stuck = new Set<string>();
  /** Claimants of each path, the winner first. */
  const claims = new Map<string, string[]>();
  /** Kinds that were not listed in full. */
  const unknown = new Set<string>();
  /** Keys of objects that a list has brought. */
  const known = new Set<string>();
  /** Keys of refused objects. */
  const kept = new Set<string>();
  const events: FileEvent[] = [];
  const failed: string[] = [];
  const lines: string[] = [];
  const slice = { isOver: false };
  const state = { removals: 0 };
  const interrupted: string[] = [];
  const it = new Removals({
    claims: {
      get: (key) => known.has(key) ? ({} as never) : undefined,
      isClaimedBy: (path, key) => claims.get(path)?.includes(key) === true,
      winnerOf: (path) => claims.has(path) ? ({} as never) : undefined,
    },
    lists: { canTell: ({ kind }) => !unknown.has(kind) },
    refusals: { keepsFiles: (key) => kept.has(key) },
    journal: {
      ownerOf: (path) => journal.get(path),
      *files() {
        for (const [path, owner] of journal) yield [path, { owner }] as never;
      },
    },
    publisher: {
      remove(path) {
        if (stuck.has(path)) throw new PublishError(`cannot remove ${path}`);
        return journal.delete(path);
      },
    },
    onEvent: (event) => events.push(event),
    onRemoved: () => state.removals++,
    onFailed: (owner) => failed.push(owner),
    slice,
    onInterrupted: (owner) => interrupted.push(owner),
    log: { info: (line) => lines.push(line), error: (line) => lines.push(line) },
  });
  return {
    it,
    journal,
    stuck,
    claims,
    unknown,
    known,
    kept,
    events,
    failed,
    lines,
    slice,
    interrupted,
    state,
    left: () => [...journal.keys()],
  };
}

Deno.test("remove() tells of the files that were there, in one event", () => {
  const { it, events, lines, state } = removals({ "/1": KEYS.a, "/2": KEYS.a });
  it.remove(["/never"], A, "uid");
  assert.equal(state.removals, 0);
  it.remove(["/1", "/2", "/never"], A, "uid");
  assert.equal(state.removals, 1);
  assert.deepEqual(events, [{ type: "removed", ref: A, uid: "uid", paths: ["/1", "/2"] }]);
  assert.deepEqual(lines, ["ConfigMap default/a: removed 2 files"]);
});

Deno.test("remove() leaves what a time slice does not suffice for to retry()", () => {
  const { it, slice, interrupted, claims, left } = removals({ "/1": KEYS.a, "/2": KEYS.a, "/3": KEYS.b });
  slice.isOver = true;
  it.remove(["/1", "/2", "/3"], A);
  assert.deepEqual(left(), ["/1", "/2", "/3"]);
  assert.deepEqual(interrupted, [KEYS.a, KEYS.b]);
  slice.isOver = false;
  // Meanwhile its owner claims it again
  claims.set("/2", [KEYS.a]);
  it.retry(KEYS.a);
  it.retry(KEYS.b);
  assert.deepEqual(left(), ["/2"]);
  assert.equal(it.isInterrupted(KEYS.a), false);
});

Deno.test("mayRemove() is false of what a refused object has on disk", () => {
  const { it, kept } = removals({ "/1": KEYS.a, "/2": KEYS.b });
  kept.add(KEYS.a);
  assert.deepEqual(["/1", "/2"].map((path) => it.mayRemove(path)), [false, true]);
});

Deno.test("removeUnclaimed() removes of these owners what they do not claim, though others do", () => {
  const { it, claims, left } = removals({ "/1": KEYS.a, "/2": KEYS.a, "/3": KEYS.a, "/4": KEYS.b });
  claims.set("/1", [KEYS.b]).set("/2", [KEYS.a]);
  it.removeUnclaimed(new Set([KEYS.a]));
  assert.deepEqual(left(), ["/2", "/4"]);
});

Deno.test("mayRemove() is false of what is not ours, is claimed by its owner, or of a source that was never listed", () => {
  const { it, claims, unknown } = removals({
    "/ours": KEYS.a,
    "/claimed": KEYS.a,
    "/lost": KEYS.a,
    "/unknown": KEYS.b,
  });
  claims.set("/claimed", [KEYS.b, KEYS.a]).set("/lost", [KEYS.b]);
  unknown.add("Secret");
  const allowed = ["/stranger", "/ours", "/claimed", "/lost", "/unknown"].filter((path) => it.mayRemove(path));
  assert.deepEqual(allowed, ["/ours", "/lost"]);
});

Deno.test("retry() removes what failed, and nothing of a source that was never listed", () => {
  const { it, stuck, unknown, failed, left } = removals({ "/1": KEYS.a, "/2": KEYS.b, "/3": KEYS.a });
  unknown.add("Secret");
  stuck.add("/1");
  it.remove(["/1", "/2"], A);
  assert.deepEqual([left(), failed], [["/1", "/2", "/3"], [KEYS.a]]);
  stuck.clear();
  it.retry(KEYS.a);
  assert.deepEqual([left(), failed], [["/2", "/3"], [KEYS.a]]);
});

Deno.test("retry() leaves a file that another object has replaced, or that its owner claims again", () => {
  const { it, journal, stuck, claims, left } = removals({ "/1": KEYS.a, "/2": KEYS.a });
  stuck.add("/1").add("/2");
  it.remove(["/1", "/2"], A);
  stuck.clear();
  journal.set("/1", KEYS.b);
  claims.set("/2", [KEYS.a]);
  it.retry(KEYS.a);
  assert.deepEqual(left(), ["/1", "/2"]);
});

Deno.test("remove() logs once that a file cannot be removed", () => {
  const { it, stuck, lines, failed } = removals({ "/1": KEYS.a });
  stuck.add("/1");
  it.remove(["/1"], A);
  it.retry(KEYS.a);
  it.retry(KEYS.a);
  assert.deepEqual(lines, ["ConfigMap default/a: cannot remove /1; trying again"]);
  assert.deepEqual(failed, [KEYS.a, KEYS.a, KEYS.a]);
});

Deno.test("removeOrphans() removes what nobody claims, in its owner's name", () => {
  const { it, claims, events, left } = removals({ "/1": KEYS.b, "/2": KEYS.a, "/3": KEYS.a });
  claims.set("/2", [KEYS.b]);
  it.removeOrphans(() => true);
  assert.deepEqual(events, [
    { type: "removed", ref: B, paths: ["/1"] },
    { type: "removed", ref: A, paths: ["/3"] },
  ]);
  assert.deepEqual(left(), ["/2"]);
});

Deno.test("removeOrphans() of one owner leaves the others' files", () => {
  const { it, left } = removals({ "/1": KEYS.b, "/2": KEYS.a });
  it.removeOrphans((owner) => owner === KEYS.a);
  assert.deepEqual(left(), ["/1"]);
});

Deno.test("removeStaleContent() removes the content of an object that no longer claims the path", () => {
  const { it, claims, events, left } = removals({ "/1": KEYS.a, "/2": KEYS.a });
  claims.set("/1", [KEYS.b]).set("/2", [KEYS.b, KEYS.a]);
  it.removeStaleContent("/1");
  it.removeStaleContent("/2");
  it.removeStaleContent("/never");
  assert.deepEqual([events, left()], [[{ type: "removed", ref: A, paths: ["/1"] }], ["/2"]]);
});

Deno.test("makeRoom() removes files of objects that the list under way has brought", () => {
  const { it, journal, unknown, known } = removals({ "/x/a": KEYS.a, "/x/b": KEYS.b });
  unknown.add("ConfigMap").add("Secret");
  known.add(KEYS.a);
  it.makeRoom(["/x/a", "/x/b"]);
  assert.deepEqual([...journal.keys()], ["/x/b"]);
});
