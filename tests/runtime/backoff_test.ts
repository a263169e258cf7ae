import assert from "node:assert/strict";
import { Backoff } from "../../lib/runtime/backoff.ts";

const delays = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

Deno.test("next() doubles from the first delay up to the longest", () => {
  assert.deepEqual(delays(new Backoff({ first: 1, random: () => 0 }), 7), [1, 2, 4, 8, 16, 30, 30]);
  assert.deepEqual(delays(new Backoff({ first: 0.5, longest: 2, random: () => 0 }), 4), [0.5, 1, 2, 2]);
});

Deno.test("next() has a first delay above the maximum", () => {
  assert.deepEqual(delays(new Backoff({ first: 60, random: () => 0 }), 3), [60, 60, 60]);
  assert.deepEqual(delays(new Backoff({ first: 60, longest: 10, random: () => 0 }), 2), [60, 60]);
});

Deno.test("next() lets chance take a quarter at most", () => {
  assert.deepEqual(delays(new Backoff({ first: 4, random: () => 0.5 }), 2), [3.5, 7]);
  const [delay = 0] = delays(new Backoff({ first: 4, random: () => 1 - Number.EPSILON }), 1);
  assert.ok(delay >= 3 && delay < 3.001);
});

Deno.test("next() waits as long as a server asks for", () => {
  const backoff = new Backoff({ first: 1, random: () => 0 });
  assert.equal(backoff.next(120), 120);
  assert.equal(backoff.next(0.5), 2);
  assert.equal(backoff.failures, 2);
});

Deno.test("next() stays at the longest delay after any number of failures", () => {
  const backoff = new Backoff({ first: 1, random: () => 0 });
  for (let failure = 0; failure < 5000; failure++) backoff.next();
  assert.equal(backoff.next(), 30);
});

Deno.test("next() of a first delay of 0 does not wait", () => {
  assert.deepEqual(delays(new Backoff({ first: 0, random: () => 0 }), 3), [0, 0, 0]);
});

Deno.test("reset() starts from the first delay again", () => {
  const backoff = new Backoff({ first: 1, random: () => 0 });
  delays(backoff, 3);
  backoff.reset();
  assert.equal(backoff.failures, 0);
  assert.deepEqual(delays(backoff, 2), [1, 2]);
});
