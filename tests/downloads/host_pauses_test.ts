import assert from "node:assert/strict";
import { BusyHostError, FetchError } from "../../lib/downloads/fetch_error.ts";
import { SharedDownloads } from "../../lib/downloads/shared_downloads.ts";
import { keptLog } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";

const NEVER = new AbortController().signal;

const ignored = () => {};

/** Downloads of hosts that answer what the test says: `served`, seconds of a Retry-After, or an error. */
function open() {
  const clock = new FakeClock();
  const log = keptLog();
  const shared = new SharedDownloads({ clock, random: () => 0, log });
  const turns = shared.join(4);
  const asked: string[] = [];
  const answers: Record<string, "served" | number | "busy" | Error> = {};
  const add = (namespace: string, origin: string, signal = NEVER): Promise<void> => {
    const id = `${namespace} ${origin}`;
    const place = { namespace, origin, isRetry: false };
    const run = turns.run(place, signal, async () => {
      asked.push(id);
      await Promise.resolve();
      const answer = answers[origin] ?? "served";
      if (answer instanceof Error) throw answer;
      if (answer === "served") return;
      throw new BusyHostError("answered 429", answer === "busy" ? undefined : answer);
    });
    // As the scheduler does: it stands in line again
    run.catch((error) => {
      if (error instanceof BusyHostError && !signal.aborted) add(namespace, origin, signal).catch(ignored);
    });
    return run;
  };
  return {
    ...{ clock, log, answers, add, turns },
    /** Those that were asked since the last call, after some seconds. */
    async asked(seconds = 0) {
      await clock.advance(seconds);
      return asked.splice(0);
    },
  };
}

Deno.test("run() pauses a host, and one download asks first", async () => {
  const it = open();
  it.answers["https://x"] = 120;
  it.add("a", "https://x").catch(ignored);
  assert.deepEqual(await it.asked(), ["a https://x"]);
  for (const namespace of ["b", "c", "d"]) it.add(namespace, "https://x").catch(ignored);
  it.add("b", "https://y");
  assert.deepEqual(await it.asked(119), ["b https://y"]);
  assert.deepEqual(await it.asked(1), ["a https://x"]);
  it.answers["https://x"] = "served";
  assert.deepEqual(await it.asked(119), []);
  assert.deepEqual(await it.asked(1), ["b https://x", "c https://x", "d https://x", "a https://x"]);
  assert.equal(it.clock.sleeping, 0);
  assert.deepEqual(it.log.lines, [
    "warn: downloads from https://x are paused for 120 s, then one of them is tried first: answered 429",
    "info: downloads from https://x are no longer paused",
  ]);
});

Deno.test("run() doubles the pauses of a host that does not say how long", async () => {
  const it = open();
  it.answers.x = "busy";
  it.add("a", "x").catch(ignored);
  assert.equal((await it.asked()).length, 1);
  for (const seconds of [5, 10, 20, 40, 80, 160, 300, 300]) {
    assert.equal(it.clock.nextDue, seconds);
    assert.equal((await it.asked(seconds)).length, 1);
  }
  it.answers.x = "served";
  await it.asked(300);
  it.answers.x = "busy";
  it.add("a", "x").catch(ignored);
  await it.asked();
  assert.equal(it.clock.nextDue, 5);
});

Deno.test("run() keeps a pause between a second and an hour, whatever the host asks for", async () => {
  for (const [asked, seconds] of [[0, 1], [1e12, 3600]] as const) {
    const it = open();
    it.answers.x = asked;
    it.add("a", "x").catch(ignored);
    await it.asked();
    assert.equal(it.clock.nextDue, seconds);
  }
});

Deno.test("run() ends a pause when the host answers with an error of its own", async () => {
  const it = open();
  it.answers.x = "busy";
  for (const namespace of ["a", "b"]) it.add(namespace, "x").catch(ignored);
  // Both were sent before the pause, which counts once
  assert.deepEqual(await it.asked(), ["a x", "b x"]);
  assert.equal(it.clock.nextDue, 5);
  it.answers.x = new FetchError("answered 404", { hasAnswered: true });
  assert.deepEqual(await it.asked(5), ["a x", "b x"]);
});

Deno.test("run() lets another one ask when the first gets no answer", async () => {
  const it = open();
  it.answers.x = "busy";
  for (const namespace of ["a", "b"]) it.add(namespace, "x").catch(ignored);
  await it.asked();
  it.answers.x = new FetchError("cannot connect");
  assert.deepEqual(await it.asked(5), ["a x", "b x"]);
  const stop = new AbortController();
  const aborted = it.add("c", "x", stop.signal);
  it.answers.x = "served";
  stop.abort(new Error("gone"));
  await assert.rejects(aborted, /gone/);
  it.add("d", "x");
  assert.deepEqual(await it.asked(), ["d x"]);
  assert.equal(it.log.lines.length, 2);
});

Deno.test("run() lets namespaces take turns to ask", async () => {
  const it = open();
  it.answers.x = 10;
  for (let index = 0; index < 20; index++) it.add("many", "x").catch(ignored);
  await it.asked();
  it.add("few", "x").catch(ignored);
  assert.deepEqual([await it.asked(10), await it.asked(10), await it.asked(10)], [["many x"], ["few x"], ["many x"]]);
});

Deno.test("run() of a paused host holds no place of the queue", async () => {
  const it = open();
  it.answers.x = 1000;
  for (let index = 0; index < 20; index++) it.add(`${index}`, "x").catch(ignored);
  assert.equal((await it.asked()).length, 4);
  for (let index = 0; index < 20; index++) it.add(`${index}`, "y");
  assert.equal((await it.asked()).length, 20);
});

Deno.test("run() that nobody waits for any more leaves no timer", async () => {
  const it = open();
  const stop = new AbortController();
  it.answers.x = 10;
  it.add("a", "x", stop.signal).catch(ignored);
  await it.asked();
  assert.equal(it.clock.sleeping, 1);
  stop.abort();
  await it.asked();
  assert.equal(it.clock.sleeping, 0);
  it.add("b", "x").catch(ignored);
  assert.deepEqual(await it.asked(9), []);
  assert.deepEqual(await it.asked(1), ["b x"]);
});
