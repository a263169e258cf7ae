import assert from "node:assert/strict";
import { Heartbeat } from "../../lib/runtime/heartbeat.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("Heartbeat is not overdue before anything is expected", async () => {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("the loop", clock);
  await clock.advance(1e6);
  assert.equal(heartbeat.overdue, undefined);
});

Deno.test("overdue says which loop is stuck, and for how long", async () => {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("the watch of secrets", clock);
  await clock.advance(100);
  heartbeat.expectWithin(30);
  await clock.advance(30);
  assert.equal(heartbeat.overdue, undefined);
  await clock.advance(12);
  const sentence = "the watch of secrets is stuck: its last step has taken 42 s, and 30 s are allowed";
  assert.equal(heartbeat.overdue, sentence);
});

Deno.test("expectWithin() starts the time again, shorter or longer", async () => {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("the loop", clock);
  heartbeat.expectWithin(10);
  await clock.advance(11);
  heartbeat.expectWithin(600);
  assert.equal(heartbeat.overdue, undefined, "a loop that goes on is not stuck any more");
  await clock.advance(599);
  assert.equal(heartbeat.overdue, undefined);
  heartbeat.expectWithin(1);
  await clock.advance(2);
  assert.notEqual(heartbeat.overdue, undefined);
});

Deno.test("idle() expects nothing", async () => {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("the loop", clock);
  heartbeat.expectWithin(10);
  heartbeat.idle();
  await clock.advance(1e6);
  assert.equal(heartbeat.overdue, undefined);
});
