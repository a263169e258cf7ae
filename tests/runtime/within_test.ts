import assert from "node:assert/strict";
import { within } from "../../lib/runtime/within.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("within() tells whether a promise resolved in time", async () => {
  const clock = new FakeClock();
  assert.equal(await within(5, Promise.resolve(), clock), true);
  const late = within(5, new Promise(() => {}), clock);
  await clock.advance(5);
  assert.equal(await late, false);
  assert.equal(clock.sleeping, 0);
});

Deno.test("within() rejects as the promise does, and with the signal's reason", async () => {
  const clock = new FakeClock();
  await assert.rejects(within(5, Promise.reject(new Error("failed")), clock), { message: "failed" });
  const stop = new AbortController();
  const waiting = within(5, new Promise(() => {}), clock, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(waiting, { message: "stopped" });
  assert.equal(clock.sleeping, 0);
});

Deno.test("within() leaves no rejection that nobody handles, also when the signal had aborted before", async () => {
  const clock = new FakeClock();
  const stray: unknown[] = [];
  const onStray = (event: PromiseRejectionEvent) => (event.preventDefault(), stray.push(event.reason));
  globalThis.addEventListener("unhandledrejection", onStray);
  try {
    const { promise, reject } = Promise.withResolvers<void>();
    const aborted = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(within(5, promise, clock, aborted), { message: "stopped" });
    reject(new Error("later"));
    // Such events come before the next macrotask
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(stray, []);
  } finally {
    globalThis.removeEventListener("unhandledrejection", onStray);
  }
});
