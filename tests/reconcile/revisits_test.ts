import assert from "node:assert/strict";
import { Revisits } from "../../lib/reconcile/revisits.ts";
import { FakeClock } from "../support/fake_clock.ts";

function open() {
  const clock = new FakeClock();
  const revisits = new Revisits({ firstBackoff: 1, clock, random: () => 0 });
  const abort = new AbortController();
  return {
    clock,
    revisits,
    abort,
    due: () => [...revisits.due],
    /** Waits until something is due; `state` says how that went so far. */
    wait() {
      const waiting = { state: "waiting" };
      revisits.whenDue(abort.signal).then(() => waiting.state = "due", () => waiting.state = "aborted");
      return waiting;
    },
    /** What fails is tried again after this many seconds. */
    async retryDelay(): Promise<number> {
      const waiting = this.wait();
      await clock.advance(0);
      const delay = clock.nextDue ?? NaN;
      await clock.advance(delay);
      assert.equal(waiting.state, "due");
      return delay;
    },
  };
}

const FAILURE = new Error("disk full");

Deno.test("whenDue() resolves at once for what is due already, and as soon as something is", async () => {
  const { revisits, wait, clock, due } = open();
  const waiting = wait();
  await clock.advance(1_000_000);
  assert.equal(waiting.state, "waiting");
  revisits.now("a");
  await clock.advance(0);
  assert.equal(waiting.state, "due");
  const again = wait();
  await clock.advance(0);
  assert.equal(again.state, "due");
  assert.deepEqual(due(), ["a"]);
  assert.equal(clock.sleeping, 0);
});

Deno.test("later() has what failed due after a delay that doubles while it fails", async () => {
  const it = open();
  const delays = [];
  for (let turn = 0; turn < 6; turn++) {
    it.revisits.later("a", FAILURE);
    assert.deepEqual(it.due(), []);
    delays.push(await it.retryDelay());
    assert.deepEqual(it.due(), ["a"]);
  }
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 30]);
});

Deno.test("later() has all that failed wait for one common delay", async () => {
  const { revisits, wait, clock, due } = open();
  revisits.later("a", FAILURE);
  const waiting = wait();
  await clock.advance(0.9);
  revisits.later("b", FAILURE);
  await clock.advance(0.1);
  assert.equal(waiting.state, "due");
  assert.deepEqual(due(), ["a", "b"]);
});

Deno.test("now() does not have to wait for what failed, and does not put that off", async () => {
  const { revisits, wait, clock, due } = open();
  revisits.later("a", FAILURE);
  const first = wait();
  await clock.advance(0.6);
  revisits.now("b");
  await clock.advance(0);
  assert.equal(first.state, "due");
  assert.deepEqual(due(), ["b"]);
  revisits.done("b");
  const second = wait();
  await clock.advance(0.4);
  assert.equal(second.state, "due");
  assert.deepEqual(due(), ["a"]);
});

Deno.test("done() forgets a failure, and the next one starts from the first delay once none is left", async () => {
  const it = open();
  for (const key of ["a", "b"]) it.revisits.later(key, FAILURE);
  assert.equal(await it.retryDelay(), 1);
  it.revisits.done("a");
  assert.equal(it.revisits.has("a"), false);
  it.revisits.later("b", FAILURE);
  assert.equal(await it.retryDelay(), 2);
  it.revisits.done("b");
  it.revisits.later("a", FAILURE);
  assert.equal(await it.retryDelay(), 1);
});

Deno.test("done() while what failed waits ends the waiting for it", async () => {
  const { revisits, wait, clock } = open();
  revisits.later("a", FAILURE);
  const waiting = wait();
  await clock.advance(0.5);
  revisits.done("a");
  await clock.advance(1000);
  assert.equal(waiting.state, "waiting");
});

Deno.test("has() knows what is due and what failed, and failed says why", () => {
  const { revisits } = open();
  revisits.now("due");
  revisits.later("failed", FAILURE);
  assert.deepEqual(["due", "failed", "other"].map((key) => revisits.has(key)), [true, true, false]);
  assert.deepEqual([...revisits.failed], [["failed", FAILURE]]);
});

Deno.test("whenDue() rejects when the signal aborts, before and while it waits, and sleeps no longer", async () => {
  const { abort, wait, clock, revisits } = open();
  const waiting = wait();
  await clock.advance(0);
  abort.abort();
  await clock.advance(0);
  assert.equal(waiting.state, "aborted");
  revisits.later("a", FAILURE);
  const late = wait();
  await clock.advance(0);
  assert.equal(late.state, "aborted");
  assert.equal(clock.sleeping, 0);
});
