import assert from "node:assert/strict";
import { NotificationRunner, type NotificationRunnerOptions } from "../../lib/notify/runner.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A notification under way, which the test ends. */
interface Running {
  kind: "script" | "webhook";
  files: string[];
  succeed(): void;
  fail(): void;
}

type Given = Partial<NotificationRunnerOptions> & { pendingBefore?: string[] };

/** A runner whose script and webhook, unless left out, end when the test says so, or succeed at once with `instant`. */
function makeRunner({ pendingBefore, ...options }: Given = {}, { instant = true, only = ["script", "webhook"] } = {}) {
  const clock = new FakeClock();
  /** What was told, in order. */
  const told: string[] = [];
  const running: Running[] = [];
  const expected: (number | "idle")[] = [];
  let deliveries = 0;
  const results: string[] = [];
  const warnings: string[] = [];
  const failing = new Set<string>();
  const tell = (kind: Running["kind"], files: string[], signal: AbortSignal): Promise<void> => {
    told.push([kind, ...files].join(" "));
    if (failing.has(kind)) return Promise.reject(new Error("refused"));
    if (instant) return Promise.resolve();
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      running.push({ kind, files, succeed: resolve, fail: () => reject(new Error("failed")) });
    });
  };
  const runner = new NotificationRunner({
    quietPeriod: 0.25,
    maxWait: 5,
    script: only.includes("script")
      ? { maxSeconds: 60, run: (files, signal) => tell("script", files, signal) }
      : undefined,
    webhook: only.includes("webhook") ? { maxSeconds: 100, call: (signal) => tell("webhook", [], signal) } : undefined,
    skipInit: false,
    pending: { load: () => pendingBefore, delivered: () => void deliveries++ },
    heartbeat: { expectWithin: (seconds) => void expected.push(seconds), idle: () => void expected.push("idle") },
    clock,
    random: () => 0,
    log: { debug() {}, warn: (message) => warnings.push(message) },
    onResult: (kind, ok, seconds) => results.push(`${kind} ${ok ? "ok" : "failed"} ${seconds}`),
    ...options,
  });
  const abort = new AbortController();
  return {
    runner,
    clock,
    told,
    running,
    expected,
    results,
    warnings,
    failing,
    abort,
    start: () => runner.run(abort.signal),
    changed: (files: string[], { initial = false } = {}) => runner.changed(files, { initial }),
    /** How often everything was recorded as delivered. */
    deliveries: () => deliveries,
    /** What was told since the last time this was asked. */
    news: () => told.splice(0),
  };
}

async function stop({ abort, clock }: ReturnType<typeof makeRunner>, running: Promise<void>): Promise<void> {
  abort.abort(new Error("stop"));
  await running;
  assert.equal(clock.sleeping, 0);
}

Deno.test("run() tells script, then webhook, once a burst has been quiet", async () => {
  const it = makeRunner();
  const run = it.start();
  it.changed(["/d/a", "/d/b"]);
  await it.clock.advance(0.2);
  it.changed(["/d/a", "/d/c"]);
  await it.clock.advance(0.2);
  assert.deepEqual([it.told, it.runner.isPending], [[], true]);
  await it.clock.advance(0.05);
  assert.deepEqual([it.news(), it.runner.isPending], [["script /d/a /d/b /d/c", "webhook"], false]);
  assert.equal(it.deliveries(), 1);
  assert.deepEqual(it.results, ["script ok 0", "webhook ok 0"]);
  await it.clock.advance(100);
  assert.deepEqual(it.news(), []);
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  assert.deepEqual(it.news(), ["script /d/a", "webhook"]);
  await stop(it, run);
});

Deno.test("run() waits no longer than maxWait for changes that never end", async () => {
  const it = makeRunner({}, { only: ["webhook"] });
  const run = it.start();
  for (let tenths = 0; tenths < 49; tenths++) {
    it.changed(["/d/a"]);
    await it.clock.advance(0.1);
  }
  assert.deepEqual(it.news(), []);
  it.changed(["/d/a"]);
  await it.clock.advance(0.1);
  assert.deepEqual(it.news(), ["webhook"]);
  await stop(it, run);
});

Deno.test("run() makes changes during a notification part of the next", async () => {
  const it = makeRunner({}, { instant: false });
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(1);
  it.changed(["/d/b"]);
  await it.clock.advance(10);
  it.changed(["/d/c"]);
  assert.deepEqual(it.news(), ["script /d/a"]);
  it.running.pop()!.succeed();
  await it.clock.advance(10);
  assert.deepEqual(it.news(), ["webhook"]);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  assert.deepEqual([it.news(), it.deliveries()], [["script /d/b /d/c"], 0]);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  assert.deepEqual([it.deliveries(), it.runner.isPending], [1, false]);
  await stop(it, run);
});

Deno.test("run() retries only the webhook when only it failed", async () => {
  const it = makeRunner();
  it.failing.add("webhook");
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  assert.deepEqual(it.news(), ["script /d/a", "webhook"]);
  for (const delay of [1, 2, 4, 8, 16, 32, 60, 60]) {
    await it.clock.advance(delay - 0.1);
    assert.deepEqual(it.news(), [], `before ${delay}`);
    await it.clock.advance(0.1);
    assert.deepEqual(it.news(), ["webhook"], `after ${delay}`);
  }
  assert.deepEqual([it.deliveries(), it.runner.isPending, it.warnings.length], [0, true, 9]);
  it.failing.clear();
  await it.clock.advance(60);
  assert.deepEqual([it.news(), it.deliveries(), it.runner.isPending], [["webhook"], 1, false]);

  it.failing.add("webhook");
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  it.news();
  await it.clock.advance(1);
  assert.deepEqual(it.news(), ["webhook"], "a success starts the delays from the first again");
  await stop(it, run);
});

Deno.test("run() tells a retry what changed since, too", async () => {
  const it = makeRunner();
  it.failing.add("script").add("webhook");
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  it.changed(["/d/b"]);
  it.failing.clear();
  it.news();
  await it.clock.advance(1);
  assert.deepEqual(it.news(), ["script /d/a /d/b", "webhook"]);
  assert.equal(it.deliveries(), 1);
  await stop(it, run);
});

Deno.test("run() calls the webhook after a failed script, and again later", async () => {
  const it = makeRunner();
  it.failing.add("script");
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  assert.deepEqual(it.news(), ["script /d/a", "webhook"]);
  await it.clock.advance(1);
  assert.deepEqual([it.news(), it.runner.isPending], [["script /d/a"], true]);
  it.failing.clear();
  await it.clock.advance(2);
  assert.deepEqual([it.news(), it.runner.isPending, it.deliveries()], [["script /d/a", "webhook"], false, 1]);
  await stop(it, run);
});

Deno.test("run() first delivers what was pending before the restart, also with skipInit", async () => {
  const it = makeRunner({ pendingBefore: ["/d/old"], skipInit: true });
  assert.equal(it.runner.isPending, true);
  const run = it.start();
  it.changed(["/d/a"], { initial: true });
  await it.clock.advance(0.25);
  assert.deepEqual(it.news(), ["script /d/old /d/a", "webhook"]);
  assert.equal(it.deliveries(), 1);
  await stop(it, run);
});

Deno.test("run() delivers a pending notification without files", async () => {
  const it = makeRunner({ pendingBefore: [] });
  const run = it.start();
  await it.clock.advance(0.25);
  assert.deepEqual([it.news(), it.deliveries()], [["script", "webhook"], 1]);
  await stop(it, run);
});

Deno.test("changed() with skipInit tells only the script about the first sync", async () => {
  const it = makeRunner({ skipInit: true });
  const run = it.start();
  it.changed(["/d/a"], { initial: true });
  await it.clock.advance(0.25);
  assert.deepEqual([it.news(), it.deliveries()], [["script /d/a"], 1]);
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  assert.deepEqual(it.news(), ["script /d/a", "webhook"]);
  await stop(it, run);
});

Deno.test("changed() leaves nothing pending when there is nothing or nobody to notify", () => {
  const cases = [makeRunner({}, { only: [] }), makeRunner({ skipInit: true }, { only: ["webhook"] }), makeRunner()];
  cases[0]!.changed(["/d/a"]);
  cases[1]!.changed(["/d/a"], { initial: true });
  cases[2]!.changed([]);
  for (const it of cases) assert.equal(it.runner.isPending, false);
});

Deno.test("run() records as delivered what was pending when it began to tell", async () => {
  const pending: string[] = ["/d/a"];
  const delivered: string[][] = [];
  const it = makeRunner({
    pending: {
      load: () => pending.length > 0 ? [...pending] : undefined,
      delivered: (files) => delivered.push([...files]),
    },
  }, { instant: false, only: ["webhook"] });
  const run = it.start();
  await it.clock.advance(0.25);
  pending.push("/d/b");
  it.running[0]!.succeed();
  await it.clock.advance(0);
  assert.deepEqual(delivered, [["/d/a"]]);
  await stop(it, run);
});

Deno.test("run() goes on when a delivery cannot be recorded", async () => {
  const fail = () => {
    throw new Error("No space left on device");
  };
  const it = makeRunner({ pending: { load: () => undefined, delivered: fail } });
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  assert.deepEqual([it.news(), it.warnings.length], [["script /d/a", "webhook"], 1]);
  await stop(it, run);
});

Deno.test("run() resolves when stopped in the middle; the notification stays pending", async () => {
  const it = makeRunner({}, { instant: false });
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  await stop(it, run);
  assert.deepEqual([it.told, it.runner.isPending, it.deliveries(), it.results], [["script /d/a"], true, 0, []]);
});

Deno.test("flush() notifies at once, and only once", async () => {
  const it = makeRunner();
  const { signal } = new AbortController();
  assert.equal(await it.runner.flush(signal), true);
  it.changed(["/d/a"]);
  assert.equal(await it.runner.flush(signal), true);
  assert.deepEqual([it.news(), it.deliveries()], [["script /d/a", "webhook"], 1]);
  it.failing.add("webhook");
  it.changed(["/d/b"]);
  assert.equal(await it.runner.flush(signal), false);
  assert.deepEqual([it.news(), it.deliveries()], [["script /d/b", "webhook"], 1]);
});

Deno.test("flush() waits for the notification under way", async () => {
  const it = makeRunner({}, { instant: false, only: ["webhook"] });
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  const flushed = it.runner.flush(it.abort.signal);
  it.changed(["/d/b"]);
  await it.clock.advance(0);
  assert.equal(it.running.length, 1);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  it.running.pop()!.succeed();
  assert.equal(await flushed, true);
  assert.deepEqual(it.told, ["webhook", "webhook"]);
  await stop(it, run);
});

Deno.test("run() tells its heartbeat how long each step may take", async () => {
  const it = makeRunner();
  it.failing.add("webhook");
  const run = it.start();
  await it.clock.advance(0);
  assert.deepEqual(it.expected.splice(0), ["idle"]);
  it.changed(["/d/a"]);
  await it.clock.advance(0.2);
  assert.deepEqual(it.expected.splice(0), [35], "maxWait and grace");
  it.failing.clear();
  it.failing.add("script");
  await it.clock.advance(0.05);
  assert.deepEqual(it.expected.splice(0), [90, 130, 31], "script, webhook, then the delay before the retry");
  it.failing.clear();
  await it.clock.advance(1);
  assert.deepEqual(it.expected.splice(0), [35, 90, 130, "idle"]);
  await stop(it, run);
});
