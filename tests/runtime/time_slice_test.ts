import assert from "node:assert/strict";
import { TimeSlice } from "../../lib/runtime/time_slice.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("TimeSlice is over after 20 ms", async () => {
  const clock = new FakeClock();
  const slice = new TimeSlice(clock);
  slice.begin();
  assert.equal(slice.isOver, false);
  await clock.advance(0.02);
  assert.equal(slice.isOver, true);
});

Deno.test("TimeSlice gives all that pause one slice", async () => {
  const clock = new FakeClock();
  const slice = new TimeSlice(clock);
  const pauses = [slice.pause(), slice.pause()];
  assert.equal(clock.sleeping, 1);
  await clock.advance(0);
  await Promise.all(pauses);
  assert.equal(slice.isOver, false);
});
