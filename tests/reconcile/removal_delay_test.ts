import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { RemovalDelay } from "../../lib/reconcile/removal_delay.ts";
import { FakeClock } from "../support/fake_clock.ts";

function delay(removeDelay: number) {
  const clock = new FakeClock();
  const due: string[][] = [];
  const it = new RemovalDelay({ removeDelay, onDue: (owners) => due.push([...owners]), clock });
  const stop = new AbortController();
  const running = it.run(stop.signal);
  return {
    it,
    due,
    async later(seconds: number) {
      await clock.advance(seconds);
      await setImmediate();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

Deno.test("RemovalDelay has owners due together that were gone together", async () => {
  await using at = delay(10);
  assert.deepEqual(["a", "b"].map((owner) => at.it.begin(owner)), [true, true]);
  await at.later(5);
  at.it.begin("a");
  at.it.begin("c");
  await at.later(5);
  assert.deepEqual(at.due, [["a", "b"]]);
  assert.deepEqual(["a", "c"].map((owner) => at.it.has(owner)), [false, true]);
  await at.later(5);
  assert.deepEqual(at.due, [["a", "b"], ["c"]]);
});

Deno.test("RemovalDelay forgets an owner that is there again, and begins anew when it goes again", async () => {
  await using at = delay(10);
  at.it.begin("a");
  await at.later(9);
  assert.deepEqual([at.it.end("a"), at.it.end("a")], [true, false]);
  at.it.begin("a");
  await at.later(9);
  assert.deepEqual(at.due, []);
  await at.later(1);
  assert.deepEqual(at.due, [["a"]]);
});

Deno.test("RemovalDelay of 0 delays nothing", async () => {
  await using at = delay(0);
  assert.deepEqual([at.it.begin("a"), at.it.has("a"), at.it.end("a")], [false, false, false]);
});
