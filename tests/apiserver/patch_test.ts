import assert from "node:assert/strict";
import { applyPatch } from "./patch.ts";
import { StatusError } from "./status.ts";

const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";
const JSON_PATCH = "application/json-patch+json";

type Row = [what: string, mediaType: string, target: unknown, patch: unknown, expected: unknown];
const APPLIED: Row[] = [
  ["merges maps and replaces lists", MERGE, { a: { b: 1, c: [1] }, d: 2 }, { a: { c: [2] } }, {
    a: { b: 1, c: [2] },
    d: 2,
  }],
  ["removes what is null", MERGE, { a: { b: 1 }, c: 1 }, { a: { b: null }, c: null, x: null }, { a: {} }],
  ["drops nulls of maps that are new", MERGE, {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
  ["replaces what is no map", MERGE, { a: "text" }, { a: { b: 1 } }, { a: { b: 1 } }],
  ["adds to finalizers", STRATEGIC, { finalizers: ["a"] }, { finalizers: ["b", "a"] }, { finalizers: ["a", "b"] }],
  ["merges owners by uid", STRATEGIC, { ownerReferences: [{ uid: "1", name: "a" }] }, {
    ownerReferences: [{ uid: "2" }, { uid: "1", kind: "K" }],
  }, { ownerReferences: [{ uid: "1", name: "a", kind: "K" }, { uid: "2" }] }],
  ["removes an owner by directive", STRATEGIC, { ownerReferences: [{ uid: "1" }, { uid: "2" }] }, {
    ownerReferences: [{ $patch: "delete", uid: "1" }],
  }, { ownerReferences: [{ uid: "2" }] }],
  ["replaces a list by directive", STRATEGIC, { ownerReferences: [{ uid: "1" }] }, {
    ownerReferences: [{ $patch: "replace" }, { uid: "2" }],
  }, { ownerReferences: [{ uid: "2" }] }],
  ["replaces other lists", STRATEGIC, { items: [1] }, { items: [2] }, { items: [2] }],
  ["retains the keys it is told", STRATEGIC, { a: { b: 1, c: 2 } }, { a: { $retainKeys: ["c"], d: 3 } }, {
    a: { c: 2, d: 3 },
  }],
  ["empties a map by directive", STRATEGIC, { a: { b: 1 } }, { a: { $patch: "delete" } }, { a: {} }],
  ["inserts into and removes from lists", JSON_PATCH, { a: [1, 3] }, [
    { op: "add", path: "/a/1", value: 2 },
    { op: "add", path: "/a/-", value: 4 },
    { op: "remove", path: "/a/0" },
  ], { a: [2, 3, 4] }],
  ["reads ~1 and ~0", JSON_PATCH, { "a/b~c": 1 }, [{ op: "replace", path: "/a~1b~0c", value: 2 }], { "a/b~c": 2 }],
  ["replaces the whole", JSON_PATCH, { a: 1 }, [{ op: "replace", path: "", value: { b: 1 } }], { b: 1 }],
];
for (const [what, mediaType, target, patch, expected] of APPLIED) {
  Deno.test(`applyPatch() of ${mediaType} ${what}`, () => {
    const before = structuredClone(target);
    assert.deepEqual(applyPatch(mediaType, target, patch), expected);
    assert.deepEqual(target, before);
  });
}

const REFUSED: [mediaType: string, patch: unknown, code: number][] = [
  ["text/plain", {}, 415],
  ["application/apply-patch+yaml", {}, 415],
  [MERGE, [], 400],
  [STRATEGIC, "text", 400],
  [STRATEGIC, { a: { $patch: "unknown" } }, 400],
  [STRATEGIC, { "$setElementOrder/a": "b" }, 422],
  [JSON_PATCH, {}, 400],
  [JSON_PATCH, [{ op: "add" }], 400],
  [JSON_PATCH, [{ op: "leap", path: "/a" }], 422],
  [JSON_PATCH, [{ op: "add", path: "/x/y", value: 1 }], 422],
  [JSON_PATCH, [{ op: "add", path: "/a/9", value: 1 }], 422],
  [JSON_PATCH, [{ op: "remove", path: "/a/length" }], 422],
  [JSON_PATCH, [{ op: "test", path: "/a", value: [2] }], 422],
  [JSON_PATCH, [{ op: "add", path: "a", value: 1 }], 422],
];
for (const [mediaType, patch, code] of REFUSED) {
  Deno.test(`applyPatch() of ${mediaType} refuses ${JSON.stringify(patch)} with ${code}`, () => {
    assert.throws(
      () => applyPatch(mediaType, { a: [1] }, patch),
      (error) => error instanceof StatusError && error.status.code === code,
    );
  });
}
