import assert from "node:assert/strict";
import { CORE_EVENTS, EVENTS, NAMESPACES } from "../../apiserver/resources.ts";
import { EventRecorder } from "../../../lib/kube/events/event_recorder.ts";
import type { RecordedEvent } from "../../../lib/kube/events/event_series.ts";
import { ApiGateway, keptLog, refusal } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/local_servers.ts";
import { START, WRITTEN } from "../../support/recorded_events.ts";

const NEVER = new AbortController().signal;
const REFUSED: RecordedEvent = { ...WRITTEN, type: "Warning", reason: "Refused", message: "not in an allowed folder" };
const EVENTS_V1 = "/apis/events.k8s.io/v1/namespaces/default/events";
const CORE_V1 = "/api/v1/namespaces/default/events";

/** A gateway and a recorder with its loop, which ends with the test. */
function start({ run = true } = {}) {
  const gateway = new ApiGateway();
  const clock = new FakeClock();
  const log = keptLog();
  const now = () => new Date(START + clock.now());
  const recorder = new EventRecorder({
    client: gateway.client,
    clock,
    random: () => 0,
    log,
    heartbeat: { expectWithin() {}, idle() {} },
    reportingInstance: "grafana-0",
    now,
  });
  const stop = new AbortController();
  const running = run ? recorder.run(stop.signal) : undefined;
  return {
    gateway,
    clock,
    log,
    recorder,
    /** What `kubectl get events` reads. */
    // deno-lint-ignore no-explicit-any
    events: (): any[] => gateway.server.registry.store.list(CORE_EVENTS.storage),
    warnings: () => log.lines.filter((line) => line.startsWith("warn")),
    /** Whatever is due has been answered: only then the loop, and nothing else, sleeps by this clock. */
    idle: () => until(() => clock.sleeping > 0),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await gateway[Symbol.asyncDispose]();
    },
  };
}

function about(name: string, event = WRITTEN): RecordedEvent {
  return { ...event, ref: { ...event.ref, name } };
}

Deno.test("EventRecorder.record() has an Event posted on the object", async () => {
  await using t = start();
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  const [{ metadata, involvedObject, message, reportingInstance }] = t.events();
  assert.equal(metadata.name, `dashboards.${START.toString(16)}-0-0`);
  assert.deepEqual([involvedObject.name, message, reportingInstance], ["dashboards", WRITTEN.message, "grafana-0"]);
  assert.deepEqual(t.gateway.seen, [`POST ${EVENTS_V1}`]);
});

Deno.test("EventRecorder.record() makes one Event of repeats, patched with their number", async () => {
  await using t = start();
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  await t.idle();
  await t.clock.advance(1);
  for (let time = 0; time < 1000; time++) t.recorder.record(WRITTEN);
  await t.clock.advance(10);
  await until(() => t.events()[0].series !== undefined);
  assert.deepEqual(t.events()[0].series, { count: 1001, lastObservedTime: "2026-01-02T03:04:06.678000Z" });
  assert.deepEqual(t.gateway.requests.map(({ method }) => method), ["POST", "PATCH"]);
});

Deno.test("EventRecorder.record() counts repeats that come before the first is posted", async () => {
  await using t = start();
  for (let time = 0; time < 3; time++) t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  await t.idle();
  assert.equal(t.events()[0].series.count, 3);
  assert.equal(t.gateway.requests.length, 1);
});

Deno.test("EventRecorder.run() makes no more than five requests a second after a burst", async () => {
  await using t = start();
  for (let index = 0; index < 100; index++) t.recorder.record(about(`a-${index}`));
  await until(() => t.events().length === 25);
  await t.idle();
  assert.equal(t.gateway.requests.length, 25);
  assert.equal(t.clock.nextDue, 0.2);
  for (let request = 0; request < 75; request++) {
    await until(() => t.clock.nextDue === 0.2);
    await t.clock.advance(0.2);
    await until(() => t.events().length === 26 + request);
  }
});

Deno.test("EventRecorder.run() posts by core/v1 for good when events.k8s.io/v1 is not served", async () => {
  await using t = start();
  t.gateway.intercept = ({ path }) =>
    path.startsWith("/apis/events.k8s.io/") ? new Response("404 page not found\n", { status: 404 }) : undefined;
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  await t.idle();
  await t.clock.advance(7);
  t.recorder.record(WRITTEN);
  await t.clock.advance(5);
  await until(() => t.events()[0].count === 2);
  assert.equal(t.events()[0].lastTimestamp, "2026-01-02T03:04:12Z");
  assert.deepEqual(t.gateway.seen.map((request) => request.replace(/dashboards\..*/, "NAME")), [
    `POST ${EVENTS_V1}`,
    "GET /apis/events.k8s.io/v1",
    `POST ${CORE_V1}`,
    `PATCH ${CORE_V1}/NAME`,
  ]);
});

Deno.test("EventRecorder.run() posts by core/v1 when the role allows only that", async () => {
  await using t = start();
  t.gateway.intercept = ({ path }) =>
    path.startsWith("/apis/") ? refusal(403, "Forbidden", "cannot create resource") : undefined;
  t.recorder.record(WRITTEN);
  t.recorder.record(REFUSED);
  await until(() => t.events().length === 2);
  assert.deepEqual(t.gateway.seen, [`POST ${EVENTS_V1}`, `POST ${CORE_V1}`, `POST ${CORE_V1}`]);
  assert.deepEqual(t.warnings(), []);
});

Deno.test("EventRecorder.run() drops an Event, and stays with events.k8s.io/v1, when the namespace is gone", async () => {
  await using t = start();
  t.recorder.record({ ...WRITTEN, ref: { ...WRITTEN.ref, namespace: "gone" } });
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  assert.equal(t.gateway.seen.at(-1), `POST ${EVENTS_V1}`);
  assert.deepEqual(t.warnings(), []);
  assert.equal(t.recorder.dropped, 1);
});

Deno.test("EventRecorder.run() drops an Event silently when the namespace is being deleted", async () => {
  await using t = start();
  const { registry } = t.gateway.server;
  registry.create(NAMESPACES, undefined, { metadata: { name: "team" } });
  t.gateway.intercept = ({ path }) =>
    path.includes("/team/")
      ? refusal(
        403,
        "Forbidden",
        'events "a" is forbidden: unable to create new content in namespace team because it ' +
          "is being terminated",
      )
      : undefined;
  t.recorder.record({ ...WRITTEN, ref: { ...WRITTEN.ref, namespace: "team" } });
  await until(() => t.recorder.dropped === 1);
  assert.deepEqual(t.warnings(), []);
});

Deno.test("EventRecorder.run() warns once when RBAC forbids Events, and tries again after a minute", async () => {
  await using t = start();
  let forbidden = true;
  t.gateway.intercept = () => forbidden ? refusal(403, "Forbidden", "cannot create resource") : undefined;
  for (let index = 0; index < 5; index++) t.recorder.record(about(`a-${index}`));
  await until(() => t.recorder.dropped === 5);
  assert.equal(t.gateway.requests.length, 2);
  t.recorder.record(WRITTEN);
  await t.idle();
  assert.equal(t.gateway.requests.length, 2);
  assert.deepEqual(t.warnings(), [
    'warn: Not allowed to create events in namespace "default": give the service account the verbs create and patch on ' +
    'events of the API groups "" and "events.k8s.io" there by RBAC',
  ]);
  await t.clock.advance(60);
  t.recorder.record(WRITTEN);
  await until(() => t.gateway.requests.length === 4);
  await t.idle();
  assert.equal(t.warnings().length, 1);
  forbidden = false;
  await t.clock.advance(60);
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
});

Deno.test("EventRecorder.run() goes on in other namespaces when RBAC forbids Events in one", async () => {
  await using t = start();
  t.gateway.server.registry.create(NAMESPACES, undefined, { metadata: { name: "team" } });
  t.gateway.intercept = ({ path }) => path.includes("/team/") ? refusal(403, "Forbidden", "cannot create") : undefined;
  for (let index = 0; index < 3; index++) {
    t.recorder.record(about(`a-${index}`, { ...WRITTEN, ref: { ...WRITTEN.ref, namespace: "team" } }));
    t.recorder.record(about(`a-${index}`));
  }
  await until(() => t.events().length === 3);
  assert.equal(t.gateway.seen.filter((request) => request.includes("/team/")).length, 2);
});

Deno.test("EventRecorder.run() goes on posting when RBAC forbids to patch only", async () => {
  await using t = start();
  t.gateway.intercept = ({ method }) => method === "PATCH" ? refusal(403, "Forbidden", "cannot patch") : undefined;
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  await t.idle();
  t.recorder.record(WRITTEN);
  await t.clock.advance(5);
  await until(() => t.warnings().length === 1);
  assert.match(t.warnings()[0]!, /Not allowed to patch events in namespace "default"/);
  t.recorder.record(REFUSED);
  await until(() => t.events().length === 2);
});

Deno.test("EventRecorder.run() repeats what failed with backoff, and gives it up after five attempts", async () => {
  await using t = start();
  t.gateway.intercept = () => refusal(500, "InternalError", "etcd is not there");
  t.recorder.record(WRITTEN);
  for (const delay of [1, 2, 4, 8]) {
    await until(() => t.clock.nextDue === delay);
    await t.clock.advance(delay);
  }
  await until(() => t.recorder.dropped === 1);
  assert.equal(t.gateway.requests.length, 5);
  t.gateway.intercept = () => undefined;
  t.recorder.record(REFUSED);
  await until(() => t.clock.nextDue === 16);
  await t.clock.advance(16);
  await until(() => t.events().length === 1);
  assert.deepEqual(t.warnings(), []);
});

Deno.test("EventRecorder.run() waits as long as a busy API server asks", async () => {
  await using t = start();
  t.gateway.intercept = () => new Response("", { status: 429, headers: { "retry-after": "17" } });
  t.recorder.record(WRITTEN);
  await until(() => t.clock.nextDue === 17);
});

Deno.test("EventRecorder.run() drops an Event that the API server finds invalid, at once", async () => {
  await using t = start();
  t.gateway.intercept = () => refusal(422, "Invalid", "Event is invalid");
  t.recorder.record(WRITTEN);
  await until(() => t.recorder.dropped === 1);
  assert.equal(t.gateway.requests.length, 1);
  assert.deepEqual(t.warnings(), []);
});

Deno.test("EventRecorder.run() posts an Event once when the answer was lost", async () => {
  await using t = start();
  let lost = false;
  t.gateway.intercept = ({ body }) => {
    if (lost) return undefined;
    lost = true;
    t.gateway.server.registry.create(EVENTS, "default", body);
    return refusal(504, "Timeout", "request did not complete within the allotted timeout");
  };
  t.recorder.record(WRITTEN);
  await until(() => t.clock.nextDue === 1);
  await t.clock.advance(1);
  await until(() => t.gateway.requests.length === 2);
  await t.idle();
  assert.equal(t.events().length, 1);
  assert.equal(t.recorder.dropped, 0);
});

Deno.test("EventRecorder.run() posts a series anew when the API server has forgotten its Event", async () => {
  await using t = start();
  t.recorder.record(WRITTEN);
  await until(() => t.events().length === 1);
  await t.idle();
  t.gateway.server.registry.delete(CORE_EVENTS, "default", t.events()[0].metadata.name);
  t.recorder.record(WRITTEN);
  await t.clock.advance(5);
  await until(() => t.events().length === 1);
  assert.equal(t.events()[0].series.count, 2);
  await t.idle();
  t.recorder.record(WRITTEN);
  await t.clock.advance(20);
  await until(() => t.events()[0].series.count === 3);
});

Deno.test("EventRecorder.flush() posts what was recorded and gives up at the first failure of the API server", async () => {
  await using t = start({ run: false });
  t.recorder.record(WRITTEN);
  t.recorder.record(REFUSED);
  await t.recorder.flush(NEVER);
  assert.equal(t.events().length, 2);
  t.gateway.intercept = () => refusal(503, "ServiceUnavailable", "stopping");
  t.recorder.record(about("a"));
  t.recorder.record(about("b"));
  await t.recorder.flush(NEVER);
  assert.equal(t.gateway.requests.length, 3);
});

Deno.test("EventRecorder.run() ends at once when the signal aborts in the middle of a request", async () => {
  await using t = start({ run: false });
  const goOn = Promise.withResolvers<Response>();
  t.gateway.intercept = () => goOn.promise;
  const stop = new AbortController();
  const running = t.recorder.run(stop.signal);
  t.recorder.record(WRITTEN);
  await until(() => t.gateway.requests.length === 1);
  stop.abort();
  await running;
  goOn.resolve(refusal(503, "ServiceUnavailable", "too late"));
});
