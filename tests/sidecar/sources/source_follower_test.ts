import assert from "node:assert/strict";
import { AnswerError, ApiError } from "../../../lib/kube/client/errors.ts";
import type { KubeObject } from "../../../lib/objects/object.ts";
import type { Source } from "../../../lib/objects/source.ts";
import type { WatcherEvent } from "../../../lib/kube/watch/watcher.ts";
import { Outages } from "../../../lib/sidecar/sources/outages.ts";
import { SourceFollower } from "../../../lib/sidecar/sources/source_follower.ts";
import { TransportError } from "../../../lib/http/transport.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { objectAt } from "../../support/scripted_api.ts";

const SOURCE: Source = { kind: "Secret", namespace: "a" };
const A: KubeObject = objectAt("a", "1");
const B: KubeObject = objectAt("b", "2");

const BUG: KubeObject = objectAt("bug", "3");

const INIT = { type: "init" } as const;
const INIT_DONE = { type: "initDone" } as const;

function failed(error: unknown, { failures = 1, retryIn = 1 } = {}): WatcherEvent {
  return { type: "failed", error, failures, retryIn };
}

const forbidden = (verb: string) =>
  new ApiError("GET /", 403, {
    message: `secrets is forbidden: User "x" cannot ${verb} resource`,
    reason: "Forbidden",
  });
const unavailable = () => new ApiError("GET /", 503, { message: "starting" });
const expired = () => new ApiError("GET /", 410, { message: "too old", reason: "Expired" });

/** A follower of a watcher that yields these events and ends. */
function following(events: readonly WatcherEvent[], outages = new Outages()) {
  const calls: string[] = [];
  const log = keptLog();
  let taken = 0;
  const name = (object: KubeObject) => object.metadata.name;
  const follower = new SourceFollower({
    source: SOURCE,
    watcher: {
      async *run() {
        for (const event of events) {
          taken++;
          yield event;
        }
      },
    },
    sink: {
      beginList: () => void calls.push("beginList"),
      endList: () => void calls.push("endList"),
      async apply(object, listed) {
        await Promise.resolve();
        if (object === BUG) throw new TypeError("a bug");
        calls.push(`apply ${name(object)}${listed ? " listed" : ""}`);
      },
      delete: (object) => void calls.push(`delete ${name(object)}`),
    },
    outages,
    clock: new FakeClock(),
    log,
  });
  const run = (once = false) => follower.run(new AbortController().signal, { once });
  return { follower, calls, lines: log.lines, run, taken: () => taken };
}

Deno.test("run() hands everything that the watcher yields to the reconciler, in order", async () => {
  const { calls, run, lines } = following([
    INIT,
    { type: "initApply", objects: [A] },
    INIT_DONE,
    { type: "apply", object: B },
    { type: "delete", object: A },
  ]);
  await run();
  assert.deepEqual(calls, ["beginList", "apply a listed", "endList", "apply b", "delete a"]);
  assert.deepEqual(lines, []);
});

Deno.test("run() logs the first of equal failures and a change, and says when it works again", async () => {
  const { follower, lines, run } = following([
    failed(unavailable()),
    failed(unavailable(), { failures: 2, retryIn: 2 }),
    failed(new AnswerError("not JSON"), { failures: 3, retryIn: 4.04 }),
    INIT,
    { type: "initApply", objects: [A] },
    INIT_DONE,
    { type: "apply", object: A },
  ]);
  await run();
  assert.deepEqual(lines, [
    "warn: GET /: starting; retrying in 1.0 s",
    "debug: GET /: starting; retrying in 2.0 s",
    "warn: not JSON; retrying in 4.0 s",
    'info: following secrets in namespace "a" again',
  ]);
  assert.equal(follower.failure, undefined);
});

Deno.test("run() works again when its watch has resumed, though nothing was brought yet", async () => {
  const { follower, calls, lines, run } = following([
    failed(unavailable()),
    { type: "resumed" },
    failed(unavailable()),
  ]);
  await run();
  assert.deepEqual(lines, [
    "warn: GET /: starting; retrying in 1.0 s",
    'info: following secrets in namespace "a" again',
    "warn: GET /: starting; retrying in 1.0 s",
  ]);
  assert.deepEqual([calls, follower.failure], [[], "GET /: starting"]);
});

Deno.test("run() names verb, kind and namespace when it is forbidden, at error level, once", async () => {
  const { follower, lines, run } = following([failed(forbidden("watch")), failed(forbidden("list"))]);
  await run();
  const [first, ...rest] = lines;
  assert.match(
    first ?? "",
    /^error: not allowed to watch secrets in namespace "a": .*RBAC, or ask for less with NAMESPACE or RESOURCE; retrying in 1\.0 s$/,
  );
  assert.ok(rest.every((line) => line.startsWith("debug: ")), rest.join("\n"));
  assert.match(follower.failure ?? "", /^not allowed to list secrets in namespace "a"/);
});

Deno.test("run() only whispers of an expired version, for which the list comes at once", async () => {
  const { follower, lines, run } = following([failed(expired(), { retryIn: 0 })]);
  await run();
  assert.deepEqual(lines, ['debug: listing secrets in namespace "a" again: GET /: too old']);
  assert.equal(follower.failure, undefined);
});

Deno.test("run() once does not promise another attempt where there is none", async () => {
  const { follower, lines, run } = following([failed(forbidden("list"))]);
  await run(true);
  assert.match(follower.failure ?? "", /^not allowed to list secrets/);
  assert.deepEqual(lines.filter((line) => !line.startsWith("debug: ")), []);
});

Deno.test("run() tells once of credentials that the server refuses for several sources", async () => {
  const outages = new Outages();
  const refused = () => failed(new ApiError("https://a refuses the credentials (401 Unauthorized)", 401, undefined));
  const first = following([refused(), INIT, INIT_DONE], outages);
  const second = following([refused()], outages);
  await second.run();
  await first.run();
  const told = [second, first].map(({ lines }) => lines.filter((line) => !line.startsWith("debug: ")));
  assert.deepEqual(told.map((lines) => lines.length), [1, 0]);
  assert.match(told[0]![0]!, /^warn: .*refuses the credentials/);
});

Deno.test("run() tells once of a server that is away for several sources", async () => {
  const outages = new Outages();
  const away = () => failed(new TransportError("connect", "cannot connect to a:443: refused"));
  const first = following([away(), away()], outages);
  const second = following([away(), away(), INIT, INIT_DONE], outages);
  const third = following([away(), INIT, INIT_DONE], outages);
  for (const { run } of [first, second, third]) await run();
  const told = [first, second, third].map(({ lines }) => lines.filter((line) => !line.startsWith("debug: ")));
  assert.deepEqual(told, [["warn: cannot connect to a:443: refused; retrying in 1.0 s"], [], []]);
});

Deno.test("run() tells of a server that is away once the source that told works again", async () => {
  const outages = new Outages();
  const away = () => failed(new TransportError("connect", "refused"));
  const first = following([away(), INIT, INIT_DONE], outages);
  const second = following([away()], outages);
  await first.run();
  await second.run();
  assert.deepEqual(second.lines, ["warn: refused; retrying in 1.0 s"]);
  assert.equal(first.lines.at(-1), 'info: following secrets in namespace "a" again');
});

Deno.test("run() once ends with the first complete list", async () => {
  const { calls, run, taken } = following([
    failed(unavailable()),
    INIT,
    INIT_DONE,
    { type: "apply", object: A },
  ]);
  await run(true);
  assert.deepEqual([calls, taken()], [["beginList", "endList"], 3]);
});

Deno.test("run() once gives up at once when it is refused, and at the third failure otherwise", async () => {
  const cases: [events: WatcherEvent[], taken: number][] = [
    [[failed(forbidden("list"))], 1],
    [[failed(new ApiError("GET /", 404, undefined))], 1],
    [[1, 2, 3].map((failures) => failed(unavailable(), { failures })), 3],
    ...[401, 408, 429].map((status): [WatcherEvent[], number] => [
      [1, 2, 3].map((failures) => failed(new ApiError("GET /", status, undefined), { failures })),
      3,
    ]),
    [[1, 2, 3].map((failures) => failed(expired(), { failures, retryIn: failures - 1 })), 3],
  ];
  for (const [events, expected] of cases) {
    const { follower, run, taken } = following([...events, INIT, INIT_DONE]);
    await run(true);
    assert.equal(taken(), expected);
    assert.notEqual(follower.failure, undefined);
  }
});

Deno.test("run() throws what is no failure of the API server", async () => {
  const { run } = following([INIT, { type: "apply", object: BUG }]);
  await assert.rejects(run(), { message: "a bug" });
});

Deno.test("state has a failure until the API server has answered again", async () => {
  const clock = new FakeClock();
  const events = [INIT, INIT_DONE, failed(unavailable()), failed(unavailable())];
  const follower = new SourceFollower({
    source: SOURCE,
    watcher: {
      async *run() {
        for (const event of events) {
          yield event;
          await clock.advance(1);
        }
      },
    },
    sink: { beginList() {}, endList() {}, apply() {}, delete() {} },
    outages: new Outages(),
    clock,
    log: keptLog(),
  });
  follower.restarted({ request: "watch", reason: "server_error" });
  // Nothing went wrong
  follower.restarted({ request: "watch", reason: "ended" });
  for (const reason of ["resync", "streaming_list"] as const) follower.restarted({ request: "list", reason });
  await follower.run(new AbortController().signal, { once: false });
  const { failure, ...state } = follower.state;
  const reason = "GET /: starting";
  assert.deepEqual([failure?.reason, failure?.cause], [reason, "server_error"]);
  assert.ok(failure!.since < failure!.at);
  assert.deepEqual(state, { isListing: false, restarts: 1, relists: 0, lastFailure: reason });
  follower.contacted();
  assert.equal(follower.state.failure, undefined);
  assert.equal(follower.state.lastFailure, reason);
});
