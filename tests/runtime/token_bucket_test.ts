import assert from "node:assert/strict";
import { TokenBucket } from "../../lib/runtime/token_bucket.ts";

Deno.test("TokenBucket.take() allows the burst, then one at each refill", () => {
  const bucket = new TokenBucket({ burst: 3, refill: 10 }, 0);
  const taken = (now: number) => [1, 2, 3, 4].filter(() => bucket.take(now)).length;
  assert.equal(taken(0), 3);
  assert.equal(taken(9_999), 0);
  assert.equal(taken(10_000), 1);
  assert.equal(taken(35_000), 2);
  assert.equal(taken(1_000_000), 3);
});

Deno.test("TokenBucket.availableAt() names a time at which there is a token", () => {
  const bucket = new TokenBucket({ burst: 2, refill: 0.2 }, 50);
  for (let now = 50, count = 0; count < 100; count++) {
    now = bucket.availableAt(now);
    assert.ok(bucket.take(now), `at ${now}`);
  }
});
