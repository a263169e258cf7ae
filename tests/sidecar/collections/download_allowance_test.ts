import assert from "node:assert/strict";
import { DownloadAllowance } from "../../../lib/sidecar/collections/download_allowance.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("isOver() is true ten seconds after the first call", async () => {
  const clock = new FakeClock();
  let told = 0;
  const allowance = new DownloadAllowance(clock, () => told++);
  await clock.advance(100);
  assert.equal(allowance.isOver(), false);
  await clock.advance(6);
  assert.equal(allowance.isOver(), false);
  await clock.advance(4);
  assert.deepEqual([allowance.isOver(), told], [true, 1]);
  await clock.advance(100);
  assert.deepEqual([allowance.isOver(), told], [true, 1]);
});

Deno.test("close() leaves no timer, before and after the first call", async () => {
  const clock = new FakeClock();
  const allowances = [1, 2].map(() => new DownloadAllowance(clock, () => assert.fail("told")));
  allowances[0]!.isOver();
  for (const allowance of allowances) allowance.close();
  await clock.advance(0);
  assert.equal(clock.sleeping, 0);
  assert.equal(allowances[1]!.isOver(), false);
  await clock.advance(20);
});
