import assert from "node:assert/strict";
import { DownloadQueue, type Place } from "../../lib/downloads/download_queue.ts";

const NEVER = new AbortController().signal;

/** A queue whose downloads end when the test says so. */
function open(maxOpen: number) {
  const queue = new DownloadQueue().join(maxOpen);
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const started: string[] = [];
  return {
    queue,
    /** Begins a download, `namespace/origin/name`; with `!` at its end a retry. */
    add(id: string, signal = NEVER) {
      const [namespace = "", origin = ""] = id.split("/");
      const place: Place = { namespace, origin, isRetry: id.endsWith("!") };
      ends.set(id, Promise.withResolvers());
      return queue.run(place, signal, () => {
        started.push(id);
        return ends.get(id)!.promise;
      });
    },
    end: (id: string) => void ends.get(id)?.resolve(),
    /** Those that started since the last call. */
    async started() {
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
      return started.splice(0);
    },
  };
}

Deno.test("run() serves namespaces round robin, and their origins", async () => {
  const it = open(1);
  const all = ["z/z/z", "a/x/0", "a/x/1", "a/x/2", "a/x/3", "a/y/4", "b/x/5", "b/x/6", "c/z/7"];
  const runs = all.map((id) => it.add(id));
  const order: string[] = [];
  for (let [next] = await it.started(); next !== undefined; [next] = await it.started()) {
    order.push(next);
    it.end(next);
  }
  assert.deepEqual(order, ["z/z/z", "a/x/0", "b/x/5", "c/z/7", "a/y/4", "b/x/6", "a/x/1", "a/x/2", "a/x/3"]);
  await Promise.all(runs);
});

Deno.test("run() starts first attempts before retries", async () => {
  const it = open(1);
  const runs = ["a/x/0", "a/x/1!", "b/x/2!", "a/x/3", "a/x/4"].map((id) => it.add(id));
  const order: string[] = [];
  for (let [next] = await it.started(); next !== undefined; [next] = await it.started()) {
    order.push(next);
    it.end(next);
  }
  assert.deepEqual(order.slice(0, 3), ["a/x/0", "a/x/3", "a/x/4"]);
  assert.deepEqual(order.length, 5);
  await Promise.all(runs);
});

Deno.test("run() keeps one place from a namespace that never answers", async () => {
  const it = open(4);
  const dead = Array.from({ length: 200 }, (_, index) => `dead/${index}/key`);
  const runs = dead.map((id) => it.add(id));
  assert.deepEqual(await it.started(), dead.slice(0, 3));
  for (const id of ["b/x/1", "b/x/2"]) {
    const run = it.add(id);
    assert.deepEqual(await it.started(), [id]);
    it.end(id);
    await run;
  }
  for (const id of dead) it.end(id);
  await Promise.all(runs);
});

Deno.test("run() of one place serves one namespace at all", async () => {
  const it = open(1);
  const run = it.add("a/x/1");
  assert.deepEqual(await it.started(), ["a/x/1"]);
  it.end("a/x/1");
  await run;
});

Deno.test("run() forgets a waiting download that is aborted", async () => {
  const it = open(1);
  const stop = new AbortController();
  const first = it.add("a/x/1");
  const second = it.add("a/x/2", stop.signal);
  const third = it.add("a/x/3");
  stop.abort(new Error("no longer wanted"));
  await assert.rejects(second, /no longer wanted/);
  await assert.rejects(it.add("a/x/4", stop.signal), /no longer wanted/);
  it.end("a/x/1");
  it.end("a/x/3");
  await Promise.all([first, third]);
  assert.deepEqual(await it.started(), ["a/x/1", "a/x/3"]);
});

Deno.test("run() gives the place of a failed download to the next", async () => {
  const { queue } = open(4);
  const place = { namespace: "a", origin: "x", isRetry: false };
  const fail = () => Promise.reject(new Error("failed"));
  const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => queue.run(place, NEVER, fail)));
  assert.ok(outcomes.every(({ status }) => status === "rejected"));
  assert.equal(await queue.run(place, NEVER, () => Promise.resolve("done")), "done");
});

Deno.test("join() holds each collection to its own maximum, and all to the largest", async () => {
  const queue = new DownloadQueue();
  const lines = { small: queue.join(1), large: queue.join(3) };
  const open: string[] = [];
  const ends = new Map<string, () => void>();
  const runs: Promise<void>[] = [];
  const add = (collection: keyof typeof lines, namespace: string) => {
    const id = `${collection} ${namespace}`;
    const place = { namespace, origin: "x", isRetry: false };
    runs.push(lines[collection].run(place, NEVER, () => {
      open.push(id);
      return new Promise((resolve) => ends.set(id, () => resolve()));
    }));
  };
  for (const namespace of ["a", "b"]) add("small", namespace);
  for (const namespace of ["c", "d", "e"]) add("large", namespace);
  const settle = async () => {
    for (let tick = 0; tick < 10; tick++) await Promise.resolve();
    return open.splice(0);
  };
  assert.deepEqual(await settle(), ["small a", "large c", "large d"]);
  ends.get("large c")!();
  // Its collection has no room for b
  assert.deepEqual(await settle(), ["large e"]);
  ends.get("small a")!();
  assert.deepEqual(await settle(), ["small b"]);
  for (const end of ends.values()) end();
  await Promise.all(runs);
});

Deno.test("join() has the namespaces of all collections take turns", async () => {
  const queue = new DownloadQueue();
  const lines = [queue.join(1), queue.join(1)];
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const run = (line: number, namespace: string, name: string) =>
    lines[line]!.run({ namespace, origin: "x", isRetry: false }, NEVER, async () => {
      order.push(name);
      await gate.promise;
    });
  const runs = [run(0, "z", "z"), run(0, "a", "a0"), run(0, "a", "a1"), run(1, "a", "a2"), run(1, "b", "b")];
  gate.resolve();
  await Promise.all(runs);
  assert.deepEqual(order, ["z", "a0", "b", "a2", "a1"]);
});
