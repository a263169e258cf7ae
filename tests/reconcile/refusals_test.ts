import assert from "node:assert/strict";
import type { Projection } from "../../lib/files/projection.ts";
import { Refusals } from "../../lib/reconcile/refusals.ts";

const ACCEPTED = { files: [], refusals: [], isRefused: false };
const PARTLY = { files: [], refusals: ["key"], isRefused: false };
const REFUSED: Projection = { files: [], refusals: ["object"], isRefused: true, refusedFor: "too_many_keys" };

Deno.test("keepsFiles() is true of objects that are refused as a whole", () => {
  const refusals = new Refusals();
  refusals.set("a", REFUSED);
  refusals.set("b", PARTLY);
  refusals.set("c", ACCEPTED);
  assert.deepEqual(["a", "b", "c"].map((key) => refusals.keepsFiles(key)), [true, false, false]);
  assert.deepEqual([...refusals.reasons()], [["a", "too_many_keys"], ["b", "key"]]);
});

Deno.test("set() and delete() say when an object no longer keeps its files", () => {
  const refusals = new Refusals();
  const steps = [REFUSED, REFUSED, PARTLY, ACCEPTED].map((projection) => refusals.set("a", projection));
  assert.deepEqual(steps, [false, false, true, false]);
  refusals.set("a", REFUSED);
  assert.deepEqual([refusals.delete("a"), refusals.delete("a"), [...refusals.reasons()]], [true, false, []]);
});

Deno.test("all() says what is wrong, and of how many keys", () => {
  const refusals = new Refusals();
  refusals.set("a", REFUSED);
  refusals.set("b", { ...PARTLY, refusals: ["first", "second", "third"] });
  refusals.set("c", ACCEPTED);
  assert.deepEqual([...refusals.all()], [
    ["a", { reason: "too_many_keys", text: "object", more: 0 }],
    ["b", { reason: "key", text: "first", more: 2 }],
  ]);
});
