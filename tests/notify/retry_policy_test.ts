import assert from "node:assert/strict";
import { nextAttempt, type Outcome, outcomeOf } from "../../lib/notify/retry_policy.ts";

const ROWS: { outcome: Outcome; delays: number[]; orOnChange: boolean }[] = [
  { outcome: { type: "unavailable" }, delays: [1, 2, 4, 8, 16, 32, 60, 60], orOnChange: false },
  { outcome: { type: "failed" }, delays: [10, 20, 40, 80, 160, 300, 300], orOnChange: false },
  { outcome: { type: "unanswered" }, delays: [300, 600, 1200, 1800, 1800], orOnChange: true },
  { outcome: { type: "refused" }, delays: [60, 300, 600, 1200, 1800, 1800], orOnChange: true },
];

for (const { outcome, delays, orOnChange } of ROWS) {
  Deno.test(`nextAttempt() after ${outcome.type} waits ${delays.join(", ")} s`, () => {
    const next = delays.map((_, index) => nextAttempt(outcome, index + 1));
    assert.deepEqual(next, delays.map((after) => ({ after, orOnChange })));
  });
}

Deno.test("nextAttempt() after success is none", () => {
  assert.equal(nextAttempt({ type: "delivered" }, 1), undefined);
});

Deno.test("nextAttempt() keeps Retry-After, up to half an hour", () => {
  const after = (retryAfter: number, attempts: number) =>
    nextAttempt({ type: "unavailable", retryAfter }, attempts)?.after;
  assert.deepEqual([after(20, 1), after(20, 7), after(86_400, 1)], [20, 60, 1800]);
});

Deno.test("outcomeOf() tells what an answer means by its status", () => {
  const types: Record<Outcome["type"], number[]> = {
    delivered: [200, 201, 202, 204],
    unavailable: [408, 429, 502, 503, 504],
    failed: [500, 501, 505, 599],
    refused: [301, 304, 400, 401, 403, 404, 405, 410, 422, 499],
    unanswered: [],
  };
  for (const [type, statuses] of Object.entries(types)) {
    for (const status of statuses) assert.equal(outcomeOf(status).type, type, String(status));
  }
  assert.deepEqual(outcomeOf(503, 7), { type: "unavailable", retryAfter: 7 });
});
