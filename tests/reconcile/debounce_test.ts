import assert from "node:assert/strict";
import type { Source } from "../../lib/objects/source.ts";
import { keyOf } from "../../lib/objects/ref.ts";
import { Debounce } from "../../lib/reconcile/debounce.ts";
import { Propagation } from "../../lib/reconcile/propagation.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { configMap } from "../support/objects.ts";

const SOURCE: Source = { kind: "ConfigMap" };

function open() {
  const clock = new FakeClock();
  const abort = new AbortController();
  const calls: string[] = [];
  const publishing = new Set<string>();
  const seconds: number[] = [];
  const propagation = new Propagation({ onWritten: (time) => void seconds.push(time), clock });
  const it = new Debounce(
    {
      beginList: () => void calls.push("beginList"),
      endList: () => void calls.push("endList"),
      apply(_source, { metadata, data }, listed) {
        calls.push(`${metadata.name}=${data?.["x"]}${listed ? " listed" : ""}`);
        const key = keyOf({ kind: "ConfigMap", namespace: metadata.namespace, name: metadata.name });
        if (!publishing.has(key) && data?.["x"] !== "unchanged") propagation.written(key);
      },
      delete: (_source, { metadata }) => void calls.push(`delete ${metadata.name}`),
      retire: (_source, { metadata }) => void calls.push(`retire ${metadata.name}`),
      isPublishing: (key) => publishing.has(key),
    },
    clock,
    propagation,
  );
  const running = it.run(abort.signal);
  return {
    it,
    clock,
    calls,
    publishing,
    propagation,
    seconds,
    apply: (name: string, x: string, listed = false) => it.apply(SOURCE, configMap(name, { x }), listed),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await running;
    },
  };
}

Deno.test("Debounce applies the first change at once, then the last one within 100 ms", async () => {
  await using at = open();
  for (const x of ["1", "2", "3"]) at.apply("a", x);
  at.apply("b", "1");
  assert.deepEqual(at.calls, ["a=1", "b=1"]);
  await at.clock.advance(0.099);
  assert.deepEqual(at.calls, ["a=1", "b=1"]);
  await at.clock.advance(0.001);
  assert.deepEqual(at.calls, ["a=1", "b=1", "a=3"]);
  await at.clock.advance(1);
  at.apply("a", "4");
  assert.deepEqual(at.calls, ["a=1", "b=1", "a=3", "a=4"]);
});

Deno.test("Debounce drops what waits when the object is deleted or listed", async () => {
  await using at = open();
  for (const name of ["a", "b", "c"]) {
    at.apply(name, "1");
    at.apply(name, "2");
  }
  at.it.delete(SOURCE, configMap("a"));
  at.it.retire(SOURCE, configMap("b"));
  at.apply("c", "3", true);
  await at.clock.advance(1);
  assert.deepEqual(at.calls.slice(3), ["delete a", "retire b", "c=3 listed"]);
});

Deno.test("Debounce applies what waits before a list begins", async () => {
  await using at = open();
  at.apply("a", "1");
  at.apply("a", "2");
  at.it.beginList(SOURCE);
  assert.deepEqual(at.calls, ["a=1", "a=2", "beginList"]);
});

Deno.test("Debounce waits until the object's files are published", async () => {
  await using at = open();
  at.publishing.add("ConfigMap/default/a");
  at.apply("a", "1");
  await at.clock.advance(1);
  assert.deepEqual(at.calls, []);
  at.publishing.clear();
  await at.clock.advance(0.1);
  assert.deepEqual(at.calls, ["a=1"]);
});

Deno.test("Debounce measures a change from its event until it is written", async () => {
  await using at = open();
  at.apply("a", "1");
  at.apply("listed", "1", true);
  assert.deepEqual(at.seconds, [0]);
  at.apply("a", "2");
  await at.clock.advance(0.04);
  at.apply("a", "3");
  await at.clock.advance(0.06);
  // The second one was never written
  assert.deepEqual(at.seconds, [0, 0.06]);
});

Deno.test("Debounce measures a large change to its end, and none that needs no file or is deleted", async () => {
  await using at = open();
  const key = keyOf({ kind: "ConfigMap", namespace: "default", name: "large" });
  at.apply("large", "1");
  at.seconds.length = 0;
  await at.clock.advance(1);
  at.apply("unchanged", "unchanged");
  at.propagation.written(keyOf({ kind: "ConfigMap", namespace: "default", name: "unchanged" }));
  assert.deepEqual(at.seconds, []);

  at.publishing.add(key);
  at.apply("large", "2");
  await at.clock.advance(3);
  at.propagation.written(key);
  assert.deepEqual(at.seconds, [3]);

  at.apply("large", "3");
  at.it.delete(SOURCE, configMap("large"));
  at.propagation.written(key);
  assert.deepEqual(at.seconds, [3]);
});
