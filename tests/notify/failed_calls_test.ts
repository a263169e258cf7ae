import assert from "node:assert/strict";
import { FailedCalls, type RecordedFailure } from "../../lib/notify/failed_calls.ts";

/** Calls that failed, by a clock that the test sets, in seconds. */
function make(recorded?: RecordedFailure) {
  const state = { now: 0, saved: recorded };
  const record = { load: () => recorded, save: (failure?: RecordedFailure) => void (state.saved = failure) };
  return { state, calls: new FailedCalls(record, () => state.now * 1000) };
}

Deno.test("failed() counts failures of a kind in a row", () => {
  const { calls, state } = make();
  const after = (type: "failed" | "unavailable") => calls.failed({ type }, "").after;
  assert.deepEqual([after("failed"), after("failed"), after("unavailable"), after("failed")], [10, 20, 1, 10]);
  assert.deepEqual(state.saved, { type: "failed", attempts: 1, endedAt: 0, delay: 10 });
  calls.succeeded();
  assert.deepEqual([state.saved, calls.last, after("failed")], [undefined, undefined, 10]);
});

Deno.test("unanswered() is on record until the call ends", () => {
  const { calls, state } = make();
  calls.unanswered();
  assert.deepEqual(state.saved, { type: "unanswered", attempts: 1, endedAt: 0, delay: 300 });
  assert.equal(calls.last, undefined);
  calls.succeeded();
  assert.equal(state.saved, undefined);
});

Deno.test("next is the time that is left of a recorded failure", () => {
  const { calls, state } = make({ type: "refused", attempts: 2, endedAt: 0, delay: 300 });
  state.now = 100;
  assert.deepEqual(calls.next, { after: 200, orOnChange: true });
  state.now = 1000;
  assert.deepEqual(calls.next, { after: 0, orOnChange: true });
  state.now = -1e6;
  assert.deepEqual(calls.next, { after: 300, orOnChange: true });
  assert.equal(make({ type: "refused", attempts: 1, endedAt: 1e12, delay: 1e9 }).calls.next?.after, 1800);
  assert.equal(make({ type: "of a later version", attempts: 1, endedAt: 0, delay: 60 }).calls.next, undefined);
});

Deno.test("isOutdated() compares with what failed, by its fingerprint after a restart", async () => {
  const { calls, state } = make();
  calls.failed({ type: "refused" }, "old password");
  assert.deepEqual([await calls.isOutdated("old password"), await calls.isOutdated("new password")], [false, true]);
  await calls.recordFingerprint();
  assert.doesNotMatch(JSON.stringify(state.saved), /password/);
  for (const [password, isOutdated] of [["new password", true], ["old password", false]] as const) {
    assert.equal(await make(state.saved).calls.isOutdated(password), isOutdated);
  }
});
