import assert from "node:assert/strict";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import type { Source } from "../../lib/objects/source.ts";
import { SourceLists } from "../../lib/reconcile/source_lists.ts";

const ref = (kind: ObjectRef["kind"], namespace: string, name: string): ObjectRef => ({ kind, namespace, name });

function list(lists: SourceLists, source: Source): boolean {
  lists.begin(source);
  return lists.end(source);
}

Deno.test("canTell() is true of an object once its own source was listed", () => {
  const inA: Source = { kind: "ConfigMap", namespace: "a", labelSelector: "app" };
  const all: Source = { kind: "Secret" };
  const named: Source = { kind: "ConfigMap", namespace: "b", name: "x" };
  const namedAnywhere: Source = { kind: "ConfigMap", name: "y" };
  const lists = new SourceLists([inA, all, named, namedAnywhere]);
  const owned: [Source, ObjectRef][] = [
    [inA, ref("ConfigMap", "a", "1")],
    [all, ref("Secret", "a", "1")],
    [named, ref("ConfigMap", "b", "x")],
    [namedAnywhere, ref("ConfigMap", "c", "y")],
  ];
  for (const [source, object] of owned) {
    assert.equal(lists.canTell(object), false, JSON.stringify(source));
    assert.equal(list(lists, source), true);
    assert.equal(lists.canTell(object), true, JSON.stringify(source));
    assert.equal(list(lists, source), false);
  }
});

Deno.test("canTell() is true of an object that no source selects once every source was listed", () => {
  const [a, b]: Source[] = [{ kind: "ConfigMap", namespace: "a" }, { kind: "Secret", namespace: "a" }];
  const lists = new SourceLists([a!, b!]);
  const elsewhere = ref("ConfigMap", "earlier", "1");
  list(lists, a!);
  assert.deepEqual([lists.canTell(elsewhere), lists.areComplete, lists.unlisted], [false, false, [b]]);
  list(lists, b!);
  assert.deepEqual([lists.canTell(elsewhere), lists.areComplete, lists.unlisted], [true, true, []]);
});

Deno.test("canTell() stays true while a source is listed again", () => {
  const source: Source = { kind: "ConfigMap" };
  const lists = new SourceLists([source]);
  list(lists, source);
  lists.begin(source);
  assert.equal(lists.canTell(ref("ConfigMap", "a", "1")), true);
});

Deno.test("wasReadSince() is true of what was read during the list under way", () => {
  const source: Source = { kind: "ConfigMap" };
  const lists = new SourceLists([source]);
  lists.markRead(source, "before");
  lists.begin(source);
  lists.markRead(source, "during");
  assert.deepEqual(["before", "during"].map((key) => lists.wasReadSince(source, key)), [false, true]);
  lists.end(source);
  assert.equal(lists.wasReadSince(source, "during"), false);
});
