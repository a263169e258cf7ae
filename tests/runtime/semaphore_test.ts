import assert from "node:assert/strict";
import { Semaphore } from "../../lib/runtime/semaphore.ts";

const { signal } = new AbortController();

/** Asks for a place, and notes the name when there is one. */
function enter(semaphore: Semaphore, name: string, entered: string[], by = signal): Promise<Disposable> {
  return semaphore.enter(by).then((place) => {
    entered.push(name);
    return place;
  });
}

Deno.test("Semaphore admits as many as it has places, and the others in order", async () => {
  const semaphore = new Semaphore(2);
  const entered: string[] = [];
  const [a, b] = await Promise.all([enter(semaphore, "a", entered), enter(semaphore, "b", entered)]);
  const c = enter(semaphore, "c", entered);
  const d = enter(semaphore, "d", entered);
  await Promise.resolve();
  assert.deepEqual(entered, ["a", "b"]);
  b[Symbol.dispose]();
  b[Symbol.dispose]();
  (await c)[Symbol.dispose]();
  a[Symbol.dispose]();
  await d;
  assert.deepEqual(entered, ["a", "b", "c", "d"]);
});

Deno.test("Semaphore forgets a task whose signal aborts", async () => {
  const semaphore = new Semaphore(1);
  const entered: string[] = [];
  const a = await enter(semaphore, "a", entered);
  const abort = new AbortController();
  const b = enter(semaphore, "b", entered, abort.signal);
  const c = enter(semaphore, "c", entered);
  abort.abort(new Error("stop"));
  await assert.rejects(b, /stop/);
  a[Symbol.dispose]();
  await c;
  assert.deepEqual(entered, ["a", "c"]);
  await assert.rejects(semaphore.enter(abort.signal), /stop/);
});

Deno.test("Semaphore with Infinity places admits everyone", async () => {
  const semaphore = new Semaphore(Infinity);
  for (let count = 0; count < 100; count++) await semaphore.enter(signal);
});
