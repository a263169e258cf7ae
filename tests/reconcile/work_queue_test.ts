import assert from "node:assert/strict";
import { MAX_PROCESS_SECONDS, WorkQueue } from "../../lib/reconcile/work_queue.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A queue at work. `fail` holds the keys whose processing rejects; `block` those that wait for `unblock`. */
function working({ isRunning = true } = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const processed: string[] = [];
  const fail = new Set<string>();
  const blocked = new Map<string, PromiseWithResolvers<void>>();
  const beats: (number | "idle")[] = [];
  const state = { changes: 0 };
  const queue = new WorkQueue({
    async process(key) {
      processed.push(key);
      await blocked.get(key)?.promise;
      if (fail.has(key)) throw new Error(`${key} failed`);
    },
    firstBackoff: 1,
    heartbeat: { expectWithin: (seconds) => beats.push(seconds), idle: () => beats.push("idle") },
    onChange: () => void state.changes++,
    clock,
    random: () => 0,
  });
  const running = isRunning ? queue.run(stop.signal) : Promise.resolve();
  return {
    clock,
    queue,
    processed,
    fail,
    beats,
    state,
    block(key: string) {
      const waiting = Promise.withResolvers<void>();
      blocked.set(key, waiting);
      return () => {
        blocked.delete(key);
        waiting.resolve();
      };
    },
    /** Lets everything go on that waits for nothing outside. */
    settle: () => clock.advance(0),
    async [Symbol.asyncDispose]() {
      stop.abort();
      for (const { resolve } of blocked.values()) resolve();
      await running;
    },
  };
}

Deno.test("WorkQueue processes a key once, however often it was added", async () => {
  await using it = working();
  it.queue.add("a");
  it.queue.add("a");
  it.queue.add("b");
  await it.settle();
  assert.deepEqual(it.processed, ["a", "b"]);
  assert.equal(it.queue.size, 0);
});

Deno.test("WorkQueue processes a key again that was added meanwhile", async () => {
  await using it = working();
  const unblock = it.block("a");
  it.queue.add("a");
  await it.settle();
  it.queue.add("a");
  await it.settle();
  assert.deepEqual(it.processed, ["a"]);
  unblock();
  await it.settle();
  assert.deepEqual(it.processed, ["a", "a"]);
  assert.equal(it.queue.size, 0);
});

Deno.test("WorkQueue gives each key that fails a backoff of its own", async () => {
  await using it = working();
  it.fail.add("bad");
  it.queue.add("bad");
  await it.settle();
  for (const delay of [1, 2, 4, 8, 16, 30, 30]) {
    assert.equal(it.clock.nextDue, delay);
    await it.clock.advance(delay);
  }
  it.fail.add("new");
  it.queue.add("new");
  await it.settle();
  assert.equal(it.clock.nextDue, 1);
  it.fail.clear();
  await it.clock.advance(1);
  assert.equal(it.queue.has("new"), false);
  assert.equal(it.queue.failureOf("bad")?.message, "bad failed");
  await it.clock.advance(29);
  assert.equal(it.queue.size, 0);
});

Deno.test("WorkQueue begins with the first delay again after success", async () => {
  await using it = working();
  it.fail.add("a");
  it.queue.add("a");
  await it.clock.advance(3);
  it.fail.clear();
  await it.clock.advance(4);
  assert.equal(it.queue.size, 0);
  it.fail.add("a");
  it.queue.add("a");
  await it.settle();
  assert.equal(it.clock.nextDue, 1);
});

Deno.test("add() does not wait for the backoff", async () => {
  await using it = working();
  it.fail.add("a");
  it.queue.add("a");
  await it.settle();
  it.queue.add("a");
  await it.settle();
  assert.deepEqual(it.processed, ["a", "a"]);
});

Deno.test("WorkQueue processes four keys at one time, and the others after them", async () => {
  await using it = working();
  const unblock = ["a", "b", "c", "d"].map(it.block);
  for (const key of ["a", "b", "c", "d", "e"]) it.queue.add(key);
  await it.settle();
  assert.deepEqual(it.processed, ["a", "b", "c", "d"]);
  unblock[0]!();
  await it.settle();
  assert.deepEqual(it.processed, ["a", "b", "c", "d", "e"]);
});

Deno.test("forget() drops the outcome of the attempt under way", async () => {
  await using it = working();
  it.fail.add("a");
  const unblock = it.block("a");
  it.queue.add("a");
  await it.settle();
  it.queue.forget("a");
  unblock();
  await it.settle();
  assert.equal(it.queue.size, 0);
});

Deno.test("retry() counts for more than the attempt under way", async () => {
  await using it = working();
  const unblock = it.block("a");
  it.queue.add("a");
  await it.settle();
  it.queue.retry("a", new Error("found out elsewhere"));
  unblock();
  await it.settle();
  assert.equal(it.queue.failureOf("a")?.message, "found out elsewhere");
  assert.equal(it.clock.nextDue, 1);
});

Deno.test("onChange() is called when a key is done, has failed or is forgotten", async () => {
  await using it = working();
  it.queue.add("done");
  await it.settle();
  assert.equal(it.state.changes, 1);
  it.fail.add("bad");
  it.queue.add("bad");
  await it.settle();
  assert.equal(it.state.changes, 2);
  it.queue.forget("bad");
  assert.equal(it.state.changes, 3);
});

Deno.test("park() keeps a key and its failure, until it is added again", async () => {
  await using it = working();
  it.queue.park("a", new Error("in the way"));
  await it.clock.advance(100_000);
  assert.deepEqual(it.processed, []);
  assert.equal(it.queue.failureOf("a")?.message, "in the way");
  it.queue.add("a");
  await it.settle();
  assert.deepEqual(it.processed, ["a"]);
  assert.equal(it.queue.size, 0);
});

Deno.test("drain() processes what is due and what that adds, and retries nothing", async () => {
  await using it = working({ isRunning: false });
  it.fail.add("bad");
  for (const key of ["a", "bad", "b", "c", "d", "e"]) it.queue.add(key);
  await it.queue.drain(new AbortController().signal);
  assert.deepEqual(it.processed, ["a", "bad", "b", "c", "d", "e"]);
  assert.deepEqual([...it.queue.unsettled()].map(([key, error]) => [key, error?.message]), [["bad", "bad failed"]]);
});

Deno.test("WorkQueue expects each attempt to end in time, and nothing without one", async () => {
  await using it = working();
  const unblock = it.block("a");
  it.queue.add("a");
  await it.settle();
  assert.deepEqual(it.beats, [MAX_PROCESS_SECONDS]);
  await it.clock.advance(50);
  const unblockOther = it.block("b");
  it.queue.add("b");
  await it.settle();
  assert.equal(it.beats.at(-1), MAX_PROCESS_SECONDS - 50);
  unblock();
  await it.settle();
  assert.equal(it.beats.at(-1), MAX_PROCESS_SECONDS);
  unblockOther();
  await it.settle();
  assert.equal(it.beats.at(-1), "idle");
});
