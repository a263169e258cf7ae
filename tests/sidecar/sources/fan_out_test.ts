import assert from "node:assert/strict";
import { FanOut } from "../../../lib/sidecar/sources/fan_out.ts";
import type { ObjectSink } from "../../../lib/sidecar/sources/object_sink.ts";
import { objectAt } from "../../support/scripted_api.ts";

const NEVER = new AbortController().signal;

/** A receiver that keeps what it is told. */
function receiver(more: Partial<ObjectSink> = {}): ObjectSink & { told: string[] } {
  const told: string[] = [];
  return {
    told,
    beginList: () => void told.push("begin"),
    endList: () => void told.push("end"),
    apply: ({ metadata }) => void told.push(`apply ${metadata.name}`),
    delete: ({ metadata }) => void told.push(`delete ${metadata.name}`),
    ...more,
  };
}

Deno.test("FanOut tells every receiver that was there when the list began", async () => {
  const out = new FanOut();
  const [a, b] = [receiver(), receiver()];
  out.join(a);
  out.beginList();
  out.join(b);
  await out.apply(objectAt("x", "1"), true, NEVER);
  out.endList();
  out.delete(objectAt("x", "2"));
  const all = ["begin", "apply x", "end", "delete x"];
  assert.deepEqual([a.told, b.told], [all, all]);
  assert.equal(out.needsList, false);
});

Deno.test("FanOut tells a receiver that missed the beginning nothing before the next list", async () => {
  const out = new FanOut();
  const [a, b] = [receiver(), receiver()];
  out.join(a);
  out.beginList();
  await out.apply(objectAt("x", "1"), true, NEVER);
  out.join(b);
  assert.equal(out.needsList, true);
  out.endList();
  assert.deepEqual(b.told, []);
  out.beginList();
  out.endList();
  assert.deepEqual(b.told, ["begin", "end"]);
  assert.equal(out.needsList, false);
});

Deno.test("FanOut waits for a receiver that takes its time, and tells none that left", async () => {
  const out = new FanOut();
  const slow = Promise.withResolvers<void>();
  const [a, b] = [receiver({ apply: () => slow.promise }), receiver()];
  out.join(a);
  out.join(b);
  out.beginList();
  let isDone = false;
  const applied = Promise.resolve(out.apply(objectAt("x", "1"), false, NEVER)).then(() => isDone = true);
  await Promise.resolve();
  assert.deepEqual([isDone, b.told], [false, ["begin", "apply x"]]);
  slow.resolve();
  await applied;
  out.leave(b);
  out.endList();
  assert.deepEqual(b.told, ["begin", "apply x"]);
  out.leave(a);
  assert.equal(out.isEmpty, true);
});

Deno.test("forbidden() is true when no receiver needs the source", () => {
  const out = new FanOut();
  out.join(receiver({ forbidden: () => true }));
  assert.equal(out.forbidden(), true);
  out.join(receiver());
  assert.equal(out.forbidden(), false);
});
