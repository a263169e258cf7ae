import assert from "node:assert/strict";
import type { Source } from "../../lib/objects/source.ts";
import { keyOf, refOf } from "../../lib/objects/ref.ts";
import { TrackedObject } from "../../lib/reconcile/tracked_object.ts";

Deno.test("refOf() reads what keyOf() wrote", () => {
  for (const kind of ["ConfigMap", "Secret"] as const) {
    const ref = { kind, namespace: "team-a", name: "a.b-c" };
    assert.deepEqual(refOf(keyOf(ref)), ref);
  }
});

Deno.test("TrackedObject names its object from its key and its source", () => {
  const source: Source = { kind: "Secret", labelSelector: "app" };
  const key = keyOf({ kind: "Secret", namespace: "a", name: "b" });
  const { kind, namespace, name } = new TrackedObject(key, source, 0, "uid", 7, ["/data/b"], 1);
  assert.deepEqual({ kind, namespace, name }, { kind: "Secret", namespace: "a", name: "b" });
});
