import assert from "node:assert/strict";
import { Finalizers } from "../../../lib/kube/finalizers/finalizers.ts";
import { ApiGateway, keptLog, refusal } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/local_servers.ts";
import { create, current, NEVER, OURS, RBAC_REFUSAL, REF, remove, start } from "../../support/finalizers_at_work.ts";

Deno.test("Finalizers.release() lets an object go that is being deleted", async () => {
  await using t = start();
  t.create([OURS]);
  remove(t.gateway);
  assert.deepEqual(t.on(), [OURS]);
  t.run();
  t.finalizers.release(REF);
  await until(() => t.finalizers.pending === 0);
  assert.equal(current(t.gateway), undefined);
});

Deno.test("Finalizers.release() is done when the object is gone or carries no finalizer of ours", async () => {
  await using t = start();
  t.create(["x.io/other"]);
  const version = current(t.gateway)?.metadata.resourceVersion;
  t.finalizers.release(REF);
  t.finalizers.release({ ...REF, name: "gone" });
  assert.equal(await t.finalizers.flush(NEVER), 0);
  assert.equal(current(t.gateway)?.metadata.resourceVersion, version);
  assert.deepEqual(t.log.lines, []);
});

Deno.test("Finalizers.release() asks once when it is called twice", async () => {
  await using t = start();
  t.create([OURS]);
  t.finalizers.release(REF);
  t.finalizers.release({ ...REF });
  t.run();
  await until(() => t.finalizers.pending === 0);
  assert.equal(t.gateway.requests.length, 1);
});

Deno.test("Finalizers.release() is repeated with backoff until it works", async () => {
  await using t = start();
  t.create([OURS]);
  let isDown = true;
  t.gateway.intercept = () => isDown ? refusal(500, "InternalError", "etcd is not there") : undefined;
  t.run();
  t.finalizers.release(REF);
  for (const delay of [1, 2, 4]) {
    await until(() => t.clock.nextDue === delay);
    await t.clock.advance(delay);
  }
  await until(() => t.clock.nextDue === 8);
  assert.equal(t.gateway.requests.length, 4);
  assert.equal(t.log.lines.filter((line) => line.startsWith("warn")).length, 1);
  isDown = false;
  await t.clock.advance(8);
  await until(() => t.finalizers.pending === 0);
  assert.deepEqual(t.on(), []);
  assert.equal(t.log.lines.at(-1), "info: ConfigMap default/a does not carry the finalizer any more");
  assert.deepEqual(t.log.properties.at(-1), { object: "default/configmap/a" });
});

Deno.test("Finalizers.release() of one object does not wait for another that is refused", async () => {
  await using t = start();
  t.create([OURS]);
  t.gateway.intercept = ({ path }) => path.endsWith("/stuck") ? RBAC_REFUSAL() : undefined;
  t.run();
  t.finalizers.release({ ...REF, name: "stuck" });
  t.finalizers.release(REF);
  await until(() => t.finalizers.pending === 1);
  assert.deepEqual(t.on(), []);
});

Deno.test("Finalizers.release() waits for a server that is down with one request at a time", async () => {
  await using t = start();
  t.gateway.intercept = () => refusal(503, "ServiceUnavailable", "starting");
  t.run();
  for (let index = 0; index < 10; index++) t.finalizers.release({ ...REF, name: `a-${index}` });
  await until(() => t.clock.nextDue === 1);
  assert.equal(t.gateway.requests.length, 1);
  await t.clock.advance(1);
  await until(() => t.gateway.requests.length === 2 && t.clock.nextDue === 1);
});

Deno.test("Finalizers.release() does not overtake an addition under way", async () => {
  await using t = start();
  const seen = t.create();
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<undefined>();
  t.gateway.intercept = ({ body }) => {
    if (body?.metadata?.finalizers === undefined) return undefined;
    asked.resolve();
    return goOn.promise;
  };
  t.run();
  const added = t.finalizers.add("ConfigMap", seen, NEVER);
  await asked.promise;
  t.finalizers.release(REF);
  goOn.resolve(undefined);
  await added;
  await until(() => t.finalizers.pending === 0);
  assert.deepEqual(t.on(), []);
});

Deno.test("Finalizers.run() ends at once when the signal aborts in the middle of a request", async () => {
  await using gateway = new ApiGateway();
  create(gateway, [OURS]);
  const finalizers = new Finalizers({
    client: gateway.client,
    name: OURS,
    clock: new FakeClock(),
    random: () => 0,
    heartbeat: { expectWithin() {}, idle() {} },
    log: keptLog(),
  });
  const goOn = Promise.withResolvers<Response>();
  gateway.intercept = () => goOn.promise;
  const stop = new AbortController();
  const running = finalizers.run(stop.signal);
  finalizers.release(REF);
  await until(() => gateway.requests.length === 1);
  stop.abort();
  await running;
  goOn.resolve(refusal(503, "ServiceUnavailable", "too late"));
  assert.equal(finalizers.pending, 1);
});

Deno.test("Finalizers.run() is overdue when a release hangs, not while it waits", async () => {
  await using t = start();
  t.create([OURS]);
  t.run();
  await t.clock.advance(1e6);
  assert.equal(t.heartbeat.overdue, undefined, "there is nothing to do");
  const goOn = Promise.withResolvers<Response>();
  t.gateway.intercept = () => goOn.promise;
  t.finalizers.release(REF);
  await until(() => t.gateway.requests.length === 1);
  await t.clock.advance(180);
  assert.equal(t.heartbeat.overdue, undefined);
  await t.clock.advance(1);
  assert.match(t.heartbeat.overdue ?? "", /^finalizers is stuck/);
  goOn.resolve(refusal(503, "ServiceUnavailable", "too late"));
  await until(() => t.heartbeat.overdue === undefined);
});
