import assert from "node:assert/strict";
import type { RecordedFailure } from "../../lib/notify/failed_calls.ts";
import type { Failed, Outcome } from "../../lib/notify/retry_policy.ts";
import { NotificationRunner, type NotificationRunnerOptions } from "../../lib/notify/runner.ts";
import type { CallOptions } from "../../lib/notify/webhook.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { until } from "../support/local_servers.ts";

/** A notification under way, which the test ends. */
interface Running {
  kind: "script" | "webhook";
  files: string[];
  succeed(): void;
  fail(): void;
}

type Given = Partial<NotificationRunnerOptions> & { pendingBefore?: string[]; failureBefore?: RecordedFailure };

/** The wall clock at the start, in ms. */
const START = 1_764_000_000_000;

/** A runner whose script and webhook, unless left out, end when the test says so, or succeed at once with `instant`. */
function makeRunner(
  { pendingBefore, failureBefore, ...options }: Given = {},
  { instant = true, only = ["script", "webhook"] } = {},
) {
  const clock = new FakeClock();
  /** What was told, in order. */
  const told: string[] = [];
  const running: Running[] = [];
  const expected: (number | "idle")[] = [];
  /** Paths that were recorded as delivered, one list each time. */
  const deliveries: string[][] = [];
  const recorded: string[] = [];
  const state = { outcome: { type: "unavailable" } as Failed, identity: "first", failure: failureBefore };
  let onUnanswered = () => {};
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
  const call = async (options: CallOptions): Promise<Outcome> => {
    options.expectWithin(100);
    onUnanswered = options.onUnanswered;
    try {
      await tell("webhook", [], options.signal);
      return { type: "delivered" };
    } catch {
      options.signal.throwIfAborted();
      return state.outcome;
    }
  };
  const runner = new NotificationRunner({
    quietPeriod: 0.25,
    maxWait: 5,
    script: only.includes("script")
      ? { maxSeconds: 60, run: (files, signal) => tell("script", files, signal) }
      : undefined,
    webhook: only.includes("webhook") ? { identity: () => Promise.resolve(state.identity), call } : undefined,
    skipInit: false,
    pending: {
      load: () => pendingBefore,
      add: (paths) => void recorded.push(...paths),
      delivered: (paths) => void deliveries.push([...paths].sort()),
      failure: () => state.failure,
      failed: (failure) => void (state.failure = failure),
    },
    heartbeat: { expectWithin: (seconds) => void expected.push(seconds), idle: () => void expected.push("idle") },
    clock,
    wallClock: () => START + clock.now(),
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
    deliveries,
    recorded,
    /** How the webhook fails, what it calls, and the failure on record. */
    state,
    /** The webhook's request has no answer yet, and stays open. */
    leaveOpen: () => onUnanswered(),
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
  assert.deepEqual(it.deliveries, [["/d/a", "/d/b", "/d/c"]]);
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
  assert.deepEqual([it.news(), it.deliveries], [["script /d/b /d/c"], [["/d/a"]]]);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  assert.deepEqual([it.deliveries, it.runner.isPending], [[["/d/a"], ["/d/b", "/d/c"]], false]);
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
  assert.deepEqual([it.deliveries, it.runner.isPending, it.warnings], [[], true, []]);
  it.failing.clear();
  await it.clock.advance(60);
  assert.deepEqual([it.news(), it.deliveries, it.runner.isPending], [["webhook"], [["/d/a"]], false]);

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
  assert.deepEqual(it.deliveries, [["/d/a", "/d/b"]]);
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
  assert.deepEqual(it.deliveries, [["/d/a"]]);
  assert.deepEqual([it.news(), it.runner.isPending], [["script /d/a", "webhook"], false]);
  await stop(it, run);
});

Deno.test("run() first delivers what was pending before the restart, also with skipInit", async () => {
  const it = makeRunner({ pendingBefore: ["/d/old"], skipInit: true });
  assert.equal(it.runner.isPending, true);
  const run = it.start();
  it.changed(["/d/a"], { initial: true });
  await it.clock.advance(0.25);
  assert.deepEqual(it.news(), ["script /d/old /d/a", "webhook"]);
  assert.deepEqual(it.deliveries, [["/d/a", "/d/old"]]);
  await stop(it, run);
});

Deno.test("run() delivers a pending notification without files", async () => {
  const it = makeRunner({ pendingBefore: [] });
  const run = it.start();
  await it.clock.advance(0.25);
  assert.deepEqual([it.news(), it.deliveries], [["script", "webhook"], [[]]]);
  await stop(it, run);
});

Deno.test("changed() with skipInit tells only the script about the first sync", async () => {
  const it = makeRunner({ skipInit: true });
  const run = it.start();
  it.changed(["/d/a"], { initial: true });
  await it.clock.advance(0.25);
  assert.deepEqual([it.news(), it.deliveries], [["script /d/a"], [["/d/a"]]]);
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
  for (const it of cases) assert.deepEqual([it.runner.isPending, it.recorded], [false, []]);
  cases[2]!.changed(["/d/a"]);
  assert.deepEqual([cases[2]!.runner.isPending, cases[2]!.recorded], [true, ["/d/a"]]);
});

Deno.test("run() goes on when a delivery cannot be recorded", async () => {
  const fail = () => {
    throw new Error("No space left on device");
  };
  const it = makeRunner({
    pending: { load: () => undefined, add() {}, delivered: fail, failure: () => undefined, failed: fail },
  });
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
  assert.deepEqual([it.told, it.runner.isPending, it.deliveries, it.results], [["script /d/a"], true, [], []]);
});

Deno.test("flush() notifies at once, and only once", async () => {
  const it = makeRunner();
  const { signal } = new AbortController();
  assert.equal(await it.runner.flush(signal), true);
  it.changed(["/d/a"]);
  assert.equal(await it.runner.flush(signal), true);
  assert.deepEqual([it.news(), it.deliveries.length], [["script /d/a", "webhook"], 1]);
  it.failing.add("webhook");
  it.changed(["/d/b"]);
  assert.equal(await it.runner.flush(signal), false);
  assert.deepEqual([it.news(), it.deliveries.length], [["script /d/b", "webhook"], 1]);
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
  assert.deepEqual(it.expected.splice(0), [30.25], "the quiet period and grace");
  it.failing.clear();
  it.failing.add("script");
  await it.clock.advance(0.05);
  assert.deepEqual(it.expected.splice(0), [90, 130, 31], "script, webhook, then the delay before the retry");
  it.failing.clear();
  await it.clock.advance(1);
  assert.deepEqual(it.expected.splice(0), [90, 130, "idle"]);
  await stop(it, run);
});

for (
  const [type, delays] of Object.entries({
    unavailable: [1, 2, 4, 8, 16, 32, 60],
    failed: [10, 20, 40, 80, 160, 300],
    unanswered: [300, 600, 1200, 1800],
    refused: [60, 300, 600, 1200, 1800],
  })
) {
  Deno.test(`run() calls again after ${type} in ${delays.join(", ")} s`, async () => {
    const it = makeRunner({}, { only: ["webhook"] });
    it.state.outcome = { type } as Failed;
    it.failing.add("webhook");
    const run = it.start();
    it.changed(["/d/a"]);
    await it.clock.advance(0.25);
    for (const [index, delay] of delays.entries()) {
      assert.deepEqual(it.news(), ["webhook"]);
      await until(() => it.clock.nextDue !== undefined);
      assert.deepEqual([it.state.failure?.type, it.state.failure?.attempts], [type, index + 1]);
      await it.clock.advance(delay - 0.1);
      assert.deepEqual(it.news(), [], `before ${delay}`);
      await it.clock.advance(0.1);
    }
    assert.deepEqual(it.news(), ["webhook"]);
    await until(() => it.clock.nextDue !== undefined);
    await stop(it, run);
  });
}

for (const [type, hurries] of Object.entries({ unavailable: false, failed: false, unanswered: true, refused: true })) {
  Deno.test(`run() after ${type} ${hurries ? "calls at once" : "does not call sooner"} when files change`, async () => {
    const it = makeRunner({}, { only: ["webhook"] });
    it.state.outcome = { type } as Failed;
    it.failing.add("webhook");
    const run = it.start();
    it.changed(["/d/a"]);
    await it.clock.advance(0.25);
    await until(() => it.clock.nextDue !== undefined);
    it.news();
    it.changed(["/d/b"]);
    await it.clock.advance(0.25);
    assert.deepEqual(it.news(), hurries ? ["webhook"] : []);
    await until(() => it.clock.nextDue !== undefined);
    it.failing.clear();
    await it.clock.advance(1800);
    assert.deepEqual(it.deliveries, [["/d/a", "/d/b"]]);
    assert.equal(it.state.failure, undefined);
    await stop(it, run);
  });
}

Deno.test("run() keeps Retry-After", async () => {
  const it = makeRunner({}, { only: ["webhook"] });
  it.state.outcome = { type: "unavailable", retryAfter: 20 };
  it.failing.add("webhook");
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  await it.clock.advance(19);
  assert.deepEqual(it.news(), ["webhook"]);
  await it.clock.advance(1);
  assert.deepEqual(it.news(), ["webhook"]);
  await stop(it, run);
});

Deno.test("run() calls within seconds once the credentials have changed", async () => {
  const it = makeRunner({}, { only: ["webhook"] });
  it.state.outcome = { type: "refused" };
  it.failing.add("webhook");
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  await until(() => it.clock.nextDue !== undefined);
  await it.clock.advance(20);
  assert.deepEqual(it.news(), ["webhook"]);
  it.state.identity = "second";
  await it.clock.advance(5);
  assert.deepEqual(it.news(), ["webhook"]);
  await until(() => it.clock.nextDue !== undefined);
  await it.clock.advance(20);
  assert.deepEqual(it.news(), [], "the new ones were refused, too");
  await stop(it, run);
});

Deno.test("run() makes no second call, nor runs the script, while a request is open", async () => {
  const it = makeRunner({}, { instant: false });
  const run = it.start();
  it.changed(["/d/a"]);
  await it.clock.advance(0.25);
  it.running.pop()!.succeed();
  await it.clock.advance(10);
  it.leaveOpen();
  it.changed(["/d/b"]);
  await it.clock.advance(280);
  assert.deepEqual(it.news(), ["script /d/a", "webhook"]);
  assert.deepEqual([it.state.failure?.type, it.state.failure?.attempts], ["unanswered", 1]);
  it.running.pop()!.succeed();
  await it.clock.advance(0);
  assert.deepEqual([it.news(), it.deliveries, it.state.failure], [["script /d/b"], [["/d/a"]], undefined]);
  await stop(it, run);
});

/** A failure that an earlier run recorded ten seconds ago. */
async function refusedBefore({ endedAt = START - 10_000, identity = "first" } = {}): Promise<RecordedFailure> {
  const { fingerprintOf } = await import("../../lib/notify/fingerprint.ts");
  return { type: "refused", attempts: 1, endedAt, delay: 60, fingerprint: await fingerprintOf(identity) };
}

Deno.test("run() waits after a restart for what is left, and says so once", async () => {
  const it = makeRunner({ pendingBefore: ["/d/a"], failureBefore: await refusedBefore() }, { only: ["webhook"] });
  const run = it.start();
  await until(() => it.clock.nextDue !== undefined);
  await it.clock.advance(5);
  await until(() => it.clock.nextDue !== undefined);
  await it.clock.advance(44);
  assert.deepEqual(it.news(), []);
  assert.match(it.warnings.join("\n"), /^The webhook refused a notification of an earlier run, .* else in 50 s$/);
  await it.clock.advance(1);
  assert.deepEqual([it.news(), it.deliveries], [["webhook"], [["/d/a"]]]);
  await stop(it, run);
});

for (const [what, endedAt] of Object.entries({ behind: START + 1e9, ahead: START - 1e9 })) {
  Deno.test(`run() after a restart waits no longer than recorded when the clock is ${what}`, async () => {
    const failureBefore = await refusedBefore({ endedAt });
    const it = makeRunner({ pendingBefore: ["/d/a"], failureBefore }, { only: ["webhook"] });
    const run = it.start();
    await it.clock.advance(5);
    await until(() => it.clock.nextDue !== undefined || it.told.length > 0);
    await it.clock.advance(55);
    assert.deepEqual(it.news(), ["webhook"]);
    await stop(it, run);
  });
}

Deno.test("run() calls at once after a restart when files changed meanwhile", async () => {
  const it = makeRunner({ pendingBefore: ["/d/a"], failureBefore: await refusedBefore() }, { only: ["webhook"] });
  const run = it.start();
  it.changed(["/d/b"], { initial: true });
  await until(() => it.clock.nextDue !== undefined);
  await it.clock.advance(0.25);
  assert.deepEqual([it.news(), it.deliveries], [["webhook"], [["/d/a", "/d/b"]]]);
  await stop(it, run);
});

Deno.test("run() calls at once after a restart with other credentials, and does not say that it waits", async () => {
  const failureBefore = await refusedBefore({ identity: "another" });
  const it = makeRunner({ pendingBefore: ["/d/a"], failureBefore }, { only: ["webhook"] });
  const run = it.start();
  await until(() => it.told.length > 0);
  assert.deepEqual(it.warnings, []);
  await stop(it, run);
});

Deno.test("flush() does not repeat what was refused before, unless credentials changed", async () => {
  const { signal } = new AbortController();
  const given = { pendingBefore: ["/d/a"], failureBefore: await refusedBefore() };
  const same = makeRunner(given, { only: ["webhook"] });
  assert.deepEqual([await same.runner.flush(signal), same.told, same.warnings.length], [false, [], 1]);
  const changed = makeRunner(given, { only: ["webhook"] });
  changed.state.identity = "second";
  assert.deepEqual([await changed.runner.flush(signal), changed.told, changed.warnings], [true, ["webhook"], []]);
});

Deno.test("flush() calls at once though the application was unavailable before", async () => {
  const failureBefore = { type: "unavailable", attempts: 9, endedAt: START, delay: 60 };
  const it = makeRunner({ pendingBefore: ["/d/a"], failureBefore }, { only: ["webhook"] });
  assert.deepEqual([await it.runner.flush(it.abort.signal), it.told], [true, ["webhook"]]);
});

Deno.test("pendingSince is the first change that was not notified, also while it is retried", async () => {
  const it = makeRunner({}, { only: ["webhook"] });
  const running = it.start();
  assert.equal(it.runner.pendingSince, undefined);
  await it.clock.advance(10);
  it.failing.add("webhook");
  it.changed(["/d/a"]);
  await it.clock.advance(1);
  it.changed(["/d/b"]);
  await it.clock.advance(1);
  assert.deepEqual([it.runner.isPending, it.runner.pendingSince], [true, 10_000]);
  it.failing.clear();
  await it.clock.advance(60);
  assert.deepEqual([it.runner.isPending, it.runner.pendingSince], [false, undefined]);
  await stop(it, running);
});
