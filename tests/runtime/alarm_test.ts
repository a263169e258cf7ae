import assert from "node:assert/strict";
import { Alarm } from "../../lib/runtime/alarm.ts";
import { FakeClock } from "../support/fake_clock.ts";

const NEVER = new AbortController().signal;

Deno.test("Alarm.sleepUntil() resolves at the time", async () => {
  const clock = new FakeClock();
  let awake = false;
  const sleep = new Alarm(clock).sleepUntil(5_000, NEVER).then(() => awake = true);
  await clock.advance(4.9);
  assert.equal(awake, false);
  await clock.advance(0.1);
  await sleep;
});

Deno.test("Alarm.sleepUntil() resolves at a ring and at an abort", async () => {
  const clock = new FakeClock();
  const alarm = new Alarm(clock);
  const stop = new AbortController();
  for (const end of [() => alarm.ring(), () => stop.abort()]) {
    const sleep = alarm.sleepUntil(Infinity, stop.signal);
    assert.equal(clock.sleeping, 1);
    end();
    await sleep;
    assert.equal(clock.sleeping, 0);
  }
  await alarm.sleepUntil(Infinity, stop.signal);
});
