import assert from "node:assert/strict";
import { Deadline, DeadlineError } from "../../lib/runtime/deadline.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("Deadline aborts with a DeadlineError when nothing comes", async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 10, new AbortController().signal);
  await clock.advance(9.9);
  assert.equal(deadline.signal.aborted, false);
  await clock.advance(0.1);
  assert.deepEqual(deadline.signal.reason, new DeadlineError("nothing came within 10 s"));
});

Deno.test("extend() starts the time again", async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 10, new AbortController().signal);
  await clock.advance(9);
  deadline.extend();
  await clock.advance(9);
  assert.equal(deadline.signal.aborted, false);
  await clock.advance(1);
  assert.deepEqual(deadline.signal.reason, new DeadlineError("nothing came within 10 s"));
});

Deno.test("extend() takes a new time, shorter, longer or without an end", async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 10, new AbortController().signal);
  deadline.extend(Infinity);
  await clock.advance(1000);
  assert.equal(deadline.passed, false);
  deadline.extend(20);
  deadline.extend(5);
  await clock.advance(4.9);
  assert.equal(deadline.passed, false);
  await clock.advance(0.1);
  assert.equal(deadline.passed, true);
  assert.match(deadline.signal.reason.message, /within 5 s/);
});

Deno.test("Deadline passes an outer abort on, and sleeps no longer once disposed", async () => {
  const clock = new FakeClock();
  const outer = new AbortController();
  {
    using deadline = new Deadline(clock, 10, outer.signal);
    const reason = new Error("stop");
    outer.abort(reason);
    assert.equal(deadline.signal.reason, reason);
    assert.equal(deadline.passed, false);
    using late = new Deadline(clock, 10, outer.signal);
    assert.equal(late.signal.reason, reason);
  }
  await clock.advance(0);
  assert.equal(clock.sleeping, 0);
});

Deno.test("Deadline of a signal that aborted before does not sleep, whatever comes", async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 10, AbortSignal.abort());
  deadline.extend();
  assert.equal(deadline.signal.aborted, true);
  await clock.advance(0);
  assert.equal(clock.sleeping, 0);
});

Deno.test("Deadline that is disposed takes no notice of time or of the outer signal", async () => {
  const clock = new FakeClock();
  const outer = new AbortController();
  const deadline = new Deadline(clock, 10, outer.signal);
  deadline[Symbol.dispose]();
  await clock.advance(100);
  outer.abort();
  assert.equal(deadline.signal.aborted, false);
});

Deno.test("extend() sleeps once, however often it is called", async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 10, new AbortController().signal);
  for (let turn = 0; turn < 1000; turn++) {
    await clock.advance(0.05);
    deadline.extend();
    assert.equal(clock.sleeping, 1);
  }
  await clock.advance(9.9);
  assert.equal(deadline.passed, false);
  await clock.advance(0.1);
  assert.equal(deadline.passed, true);
});

Deno.test("extend() after the deadline passed changes nothing", async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 1, new AbortController().signal);
  await clock.advance(1);
  deadline.extend(100);
  assert.equal(deadline.passed, true);
  assert.equal(clock.sleeping, 0);
});

Deno.test("end() is the end of the time, and leaves no timer", () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 10, new AbortController().signal);
  deadline.end();
  assert.deepEqual([deadline.passed, clock.sleeping], [true, 0]);
});
