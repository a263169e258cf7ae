import assert from "node:assert/strict";
import { LastingWork } from "../../lib/runtime/lasting_work.ts";
import { countListeners } from "../support/counted_listeners.ts";

Deno.test("endedOr() resolves when the signal aborts, and at once if it has aborted", async () => {
  const work = new LastingWork(new Promise(() => {}));
  const stop = new AbortController();
  const waiting = work.endedOr(stop.signal);
  stop.abort();
  await waiting;
  await work.endedOr(stop.signal);
});

Deno.test("endedOr() resolves when the work has ended, and leaves no listener", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = new LastingWork(promise);
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const waiting = [work.endedOr(signal), work.endedOr(signal)];
  resolve();
  await Promise.all(waiting);
  await work.endedOr(signal);
  assert.equal(listeners.count, 0);
});

Deno.test("endedOr() rejects for all that wait, and for those that come later, if the work was rejected", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const work = new LastingWork(promise);
  const { signal } = new AbortController();
  const waiting = [work.endedOr(signal), work.endedOr(signal)];
  reject(new Error("broken"));
  for (const ended of waiting) await assert.rejects(ended, /broken/);
  await assert.rejects(work.endedOr(signal), /broken/);
});
