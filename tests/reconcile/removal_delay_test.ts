import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { RemovalDelay } from "../../lib/reconcile/removal_delay.ts";
import { FakeClock } from "../support/fake_clock.ts";

function delay(removeDelay: number) {
  const clock = new FakeClock();
  const due: string[][] = [];
  const unselected = new Map<string, Promise<boolean>>();
  const it = new RemovalDelay({
    removeDelay,
    onDue: (owners) => due.push([...owners]),
    isUnselected: (owner) => unselected.get(owner) ?? Promise.resolve(false),
    clock,
  });
  const stop = new AbortController();
  const running = it.run(stop.signal);
  return {
    it,
    due,
    unselected,
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

Deno.test("RemovalDelay ends at once for an owner that is only no longer selected", async () => {
  await using at = delay(10);
  at.unselected.set("a", Promise.resolve(true));
  at.unselected.set("b", Promise.reject(new Error("no answer")));
  for (const owner of ["b", "a"]) at.it.begin(owner);
  await at.later(0);
  assert.deepEqual([at.due, at.it.has("a"), at.it.has("b")], [[["a"]], false, true]);
  await at.later(10);
  assert.deepEqual(at.due, [["a"], ["b"]]);
});

Deno.test("RemovalDelay goes on when the owner came and went while it was looked for", async () => {
  await using at = delay(10);
  const answer = Promise.withResolvers<boolean>();
  at.unselected.set("a", answer.promise);
  at.it.begin("a");
  await at.later(1);
  at.it.end("a");
  at.it.begin("a");
  at.unselected.delete("a");
  answer.resolve(true);
  await at.later(9);
  assert.deepEqual(at.due, []);
  await at.later(1);
  assert.deepEqual(at.due, [["a"]]);
});
