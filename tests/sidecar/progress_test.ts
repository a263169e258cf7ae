import assert from "node:assert/strict";
import { Progress } from "../../lib/sidecar/progress.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("Progress is stuck only after longer than allowed without a sign, and a pause on purpose does not count", async () => {
  const clock = new FakeClock();
  const progress = new Progress("secrets in all namespaces", 70, clock);
  await clock.advance(70);
  assert.deepEqual([progress.stuck, progress.silence], [undefined, 70]);
  await clock.advance(1);
  assert.equal(
    progress.stuck,
    "no sign of the API server for 71 s (allowed: 70 s) while watching secrets in all namespaces",
  );
  progress.made();
  assert.deepEqual([progress.stuck, progress.silence], [undefined, 0]);
  progress.made(600);
  await clock.advance(670);
  assert.equal(progress.stuck, undefined);
  await clock.advance(1);
  assert.match(progress.stuck ?? "", /^no sign of the API server for 71 s /);
});
