import assert from "node:assert/strict";
import { Changes } from "../../lib/runtime/changes.ts";

Deno.test("until() resolves at the change that makes its condition true", async () => {
  const changes = new Changes();
  const state = { count: 0, isDone: false };
  const waiting = changes.until(() => state.count === 2, new AbortController().signal).then(() => state.isDone = true);
  for (const isDone of [false, true]) {
    state.count++;
    changes.notify();
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(state.isDone, isDone);
  }
  await waiting;
});

Deno.test("until() resolves at once when its condition holds, or when the signal aborts", async () => {
  const changes = new Changes();
  const stop = new AbortController();
  await changes.until(() => true, stop.signal);
  const waiting = changes.until(() => false, stop.signal);
  stop.abort();
  await waiting;
  await changes.until(() => false, stop.signal);
});
