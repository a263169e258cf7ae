import assert from "node:assert/strict";
import { keyOf, type ObjectRef } from "../../lib/objects/ref.ts";
import { Releases } from "../../lib/reconcile/releases.ts";

const A: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
const B: ObjectRef = { kind: "Secret", namespace: "default", name: "b" };

function releases(owners: Record<string, string>) {
  const released: ObjectRef[] = [];
  const it = new Releases({
    journal: {
      files: () => Object.entries(owners).map(([path, owner]): [string, { owner: string }] => [path, { owner }]),
    },
    onReleased: (ref) => void released.push(ref),
  });
  return { it, owners, released };
}

Deno.test("check() releases an object once no file holds its content", () => {
  const { it, owners, released } = releases({ "/1": keyOf(A), "/2": keyOf(B) });
  it.add(A);
  it.add(B);
  it.check();
  assert.deepEqual(released, []);
  // Another object has the path by now
  owners["/1"] = keyOf(B);
  it.check();
  assert.deepEqual(released, [A]);
  delete owners["/1"];
  delete owners["/2"];
  it.check();
  it.check();
  assert.deepEqual(released, [A, B]);
});

Deno.test("cancel() keeps an object that is selected again", () => {
  const { it, released } = releases({});
  it.add(A);
  it.cancel(keyOf(A));
  it.check();
  assert.deepEqual(released, []);
});
