import assert from "node:assert/strict";
import process from "node:process";
import { systemClock } from "../../lib/runtime/clock.ts";

Deno.test("systemClock.sleep() lasts at least as long as asked", async () => {
  const before = systemClock.now();
  await systemClock.sleep(0.02);
  // A timer's milliseconds are whole
  assert.ok(systemClock.now() - before >= 19, `${systemClock.now() - before} ms`);
});

Deno.test("systemClock.sleep() rejects with the signal's reason at once", async () => {
  const abort = new AbortController();
  const reason = new Error("stop");
  const sleep = systemClock.sleep(3600, abort.signal);
  abort.abort(reason);
  await assert.rejects(sleep, reason);
  await assert.rejects(systemClock.sleep(3600, abort.signal), reason);
});

Deno.test("systemClock.sleep() leaves nothing on a signal that lives longer", async () => {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...[type, listener]: Parameters<typeof addEventListener>) => {
    listeners.add(listener);
    addEventListener.call(signal, type, listener);
  };
  signal.removeEventListener = (...[type, listener]: Parameters<typeof removeEventListener>) => {
    listeners.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  const sleep = systemClock.sleep(0, signal);
  assert.equal(listeners.size, 1);
  await sleep;
  assert.equal(listeners.size, 0);
});

Deno.test("systemClock.sleep() ends each of many sleeps at its own time", async () => {
  const abort = new AbortController();
  let isLongOver = false;
  const long = systemClock.sleep(3600, abort.signal).finally(() => isLongOver = true);
  const began = systemClock.now();
  const lasted = await Promise.all([50, 10, 40, 20, 30].map(async (milliseconds) => {
    await systemClock.sleep(milliseconds / 1000);
    return [milliseconds, systemClock.now() - began] as const;
  }));
  for (const [asked, was] of lasted) assert.ok(was >= asked - 1 && was < 60_000, `${was} ms in place of ${asked}`);
  assert.equal(isLongOver, false);
  abort.abort(new Error("stop"));
  await assert.rejects(long, /stop/);
});

Deno.test("systemClock.sleep() may be longer than a timer holds", async () => {
  for (const seconds of [1e9, Infinity]) {
    const abort = new AbortController();
    const long = systemClock.sleep(seconds, abort.signal);
    const first = await Promise.race([long.then(() => "long"), systemClock.sleep(0.02).then(() => "short")]);
    assert.equal(first, "short");
    abort.abort();
    await assert.rejects(long);
  }
});

Deno.test("systemClock.sleep() of no time ends at once without a warning", async () => {
  const warnings: Error[] = [];
  const keep = (warning: Error) => void warnings.push(warning);
  process.on("warning", keep);
  await systemClock.sleep(-0.001);
  await systemClock.sleep(0.001);
  process.off("warning", keep);
  assert.deepEqual(warnings, []);
});

Deno.test("systemClock.now() does not follow the wall clock", () => {
  const before = systemClock.now();
  assert.ok(Math.abs(before - Date.now()) > 1e9);
  assert.ok(systemClock.now() >= before);
});
