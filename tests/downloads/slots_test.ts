import assert from "node:assert/strict";
import { Slots } from "../../lib/downloads/slots.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("run() gives the slot of a slow download to the next", async () => {
  const clock = new FakeClock();
  const slots = new Slots(clock, 10);
  const ends = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const slow: number[] = [];
  const runs = ends.map(({ promise }, index) =>
    slots.run(() => {
      started.push(index);
      return promise;
    }, () => slow.push(index))
  );
  await clock.advance(0);
  assert.deepEqual(started, [0, 1, 2, 3]);
  ends[0]!.resolve();
  await clock.advance(9);
  assert.deepEqual([started, slow], [[0, 1, 2, 3, 4], []]);
  await clock.advance(1);
  assert.deepEqual([started, slow], [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4]]);
  for (const { resolve } of ends) resolve();
  await Promise.all(runs);
  assert.equal(clock.sleeping, 0);
});

Deno.test("run() gives the slot of a failed download to the next", async () => {
  const clock = new FakeClock();
  const slots = new Slots(clock, 10);
  const fail = () => Promise.reject(new Error("failed"));
  const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => slots.run(fail, () => {})));
  assert.ok(outcomes.every(({ status }) => status === "rejected"));
  await slots.run(() => Promise.resolve(), () => {});
  assert.equal(clock.sleeping, 0);
});
