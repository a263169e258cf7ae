import assert from "node:assert/strict";
import { DeadlineError } from "../../lib/runtime/deadline.ts";
import { StatusError } from "../../lib/http/redirects.ts";
import { failureOf, MAX_RETRY_DELAY_SECONDS, retry, RetryBudget } from "../../lib/http/retry.ts";
import { TransportError } from "../../lib/http/transport.ts";
import { FakeClock } from "../support/fake_clock.ts";

const kiwigrid = { total: 5, connect: 10, read: 5, backoffFactor: 1.1 };

function spendAll(budget: RetryBudget, failure: "connect" | "read" | "status"): number[] {
  const delays: number[] = [];
  for (let delay = budget.spend(failure); delay !== undefined; delay = budget.spend(failure)) delays.push(delay);
  return delays;
}

Deno.test("spend() ends with the total, and doubles the delays", () => {
  const delays = spendAll(new RetryBudget(kiwigrid), "connect");
  assert.deepEqual(delays.map((delay) => delay.toFixed(1)), ["1.1", "2.2", "4.4", "8.8", "17.6"]);
});

Deno.test("spend() ends with the limit for the kind of failure", () => {
  assert.equal(spendAll(new RetryBudget({ ...kiwigrid, connect: 2 }), "connect").length, 2);
  assert.equal(spendAll(new RetryBudget({ ...kiwigrid, read: 1 }), "read").length, 1);
  assert.equal(spendAll(new RetryBudget({ ...kiwigrid, read: 0, connect: 0 }), "status").length, 5);
  assert.equal(spendAll(new RetryBudget({ ...kiwigrid, total: 0 }), "status").length, 0);
});

Deno.test("spend() charges kinds that take turns to the one total", () => {
  const budget = new RetryBudget({ total: 3, connect: 3, read: 1, backoffFactor: 1 });
  assert.deepEqual([budget.spend("read"), budget.spend("connect"), budget.spend("read")], [1, 2, undefined]);
  assert.equal(budget.allows("connect"), true);
  assert.deepEqual([budget.spend("status"), budget.spend("status")], [4, undefined]);
});

Deno.test("spend() never waits longer than urllib3 would", () => {
  const delays = spendAll(new RetryBudget({ total: 20, connect: 20, read: 20, backoffFactor: 1.1 }), "connect");
  assert.equal(Math.max(...delays), MAX_RETRY_DELAY_SECONDS);
});

Deno.test("failureOf() knows what is worth a retry", () => {
  assert.equal(failureOf(new TransportError("connect", "")), "connect");
  assert.equal(failureOf(new TransportError("read", "")), "read");
  assert.equal(failureOf(new DeadlineError()), "read");
  for (const status of [500, 502, 503, 504]) assert.equal(failureOf(new StatusError(status, "")), "status");
  for (const status of [301, 400, 401, 404, 429, 501]) assert.equal(failureOf(new StatusError(status, "")), undefined);
  assert.equal(failureOf(new TypeError()), undefined);
});

Deno.test("retry() repeats after each delay and returns the first success", async () => {
  const clock = new FakeClock();
  let attempts = 0;
  const told: number[] = [];
  const result = retry(() => {
    if (++attempts < 3) throw new TransportError("connect", "refused");
    return Promise.resolve("done");
  }, { limits: kiwigrid, clock, signal: new AbortController().signal, onRetry: (_error, delay) => told.push(delay) });
  await clock.advance(1);
  assert.equal(attempts, 1);
  await clock.advance(0.1);
  assert.equal(attempts, 2);
  await clock.advance(2.2);
  assert.equal(await result, "done");
  assert.deepEqual(told, [1.1, 2.2]);
});

Deno.test("retry() throws the last error, and others at once", async () => {
  const clock = new FakeClock();
  const options = { limits: { ...kiwigrid, total: 1 }, clock, signal: new AbortController().signal, onRetry() {} };
  let attempts = 0;
  const used = retry(() => Promise.reject(new TransportError("read", `attempt ${++attempts}`)), options);
  const outcome = assert.rejects(used, { message: "attempt 2" });
  await clock.advance(10);
  await outcome;
  await assert.rejects(retry(() => Promise.reject(new StatusError(404, "Not Found")), options), StatusError);
  assert.equal(clock.sleeping, 0);
});

Deno.test("retry() rejects with the signal's reason while it waits", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const failing = () => Promise.reject(new TransportError("read", "lost"));
  const outcome = assert.rejects(
    retry(failing, { limits: kiwigrid, clock, signal: abort.signal, onRetry() {} }),
    /stop/,
  );
  await clock.advance(1);
  abort.abort(new Error("stop"));
  await outcome;
});
