import assert from "node:assert/strict";
import { Readiness } from "../../lib/sidecar/readiness.ts";

Deno.test("check() says what is lacking, and is ready for good once nothing is", () => {
  let lacking: string | undefined = "secrets";
  let calls = 0;
  const readiness = new Readiness({ lacks: () => lacking, onReady: () => void calls++ });
  assert.equal(readiness.check(), "not synced yet: secrets");
  assert.deepEqual([readiness.isReady, calls], [false, 0]);
  lacking = undefined;
  assert.equal(readiness.check(), undefined);
  lacking = "secrets";
  assert.equal(readiness.check(), undefined);
  assert.deepEqual([readiness.isReady, calls], [true, 1]);
});
