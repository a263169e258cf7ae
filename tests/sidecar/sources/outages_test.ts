import assert from "node:assert/strict";
import { Outages } from "../../../lib/sidecar/sources/outages.ts";

Deno.test("Outages has one of several sources tell of the same failure", () => {
  const outages = new Outages();
  const [a, b] = [{}, {}];
  assert.deepEqual([outages.begin(a, "x"), outages.begin(b, "x"), outages.begin(a, "x")], [true, false, true]);
  assert.equal(outages.begin(a, "y"), true);
  assert.equal(outages.begin(b, "x"), true);
  outages.end(b);
  assert.equal(outages.begin(a, "x"), true);
});
