import assert from "node:assert/strict";
import { SECRETS } from "../../apiserver/resources.ts";
import { ApiError } from "../../../lib/kube/client/errors.ts";
import { Finalizers } from "../../../lib/kube/finalizers/finalizers.ts";
import { TransportError } from "../../../lib/http/transport.ts";
import { ApiGateway, keptLog, refusal } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/local_servers.ts";
import {
  asSeen,
  create,
  current,
  NEVER,
  OURS,
  RBAC_REFUSAL,
  REF,
  remove,
  start,
} from "../../support/finalizers_at_work.ts";

Deno.test("Finalizers.add() adds the finalizer and keeps those of others", async () => {
  await using t = start();
  assert.equal(await t.finalizers.add("ConfigMap", t.create(["x.io/other"]), NEVER), "added");
  assert.deepEqual(t.on()?.toSorted(), [OURS, "x.io/other"]);
  assert.equal(current(t.gateway)?.data?.k, "v");
});

Deno.test("Finalizers.add() adds it to Secrets, too", async () => {
  await using t = start();
  const { registry } = t.gateway.server;
  const secret = asSeen(registry.create(SECRETS, "default", { metadata: { name: "a" } }));
  assert.equal(await t.finalizers.add("Secret", secret, NEVER), "added");
  assert.deepEqual(registry.get(SECRETS, "default", "a").metadata.finalizers, [OURS]);
});

Deno.test("Finalizers.add() makes no request when the object carries the finalizer", async () => {
  await using t = start();
  assert.equal(await t.finalizers.add("ConfigMap", t.create([OURS]), NEVER), "added");
  assert.deepEqual(t.gateway.seen, []);
});

Deno.test("Finalizers.add() leaves an object alone that is being deleted", async () => {
  await using t = start();
  t.create(["x.io/other"]);
  remove(t.gateway);
  assert.equal(await t.finalizers.add("ConfigMap", current(t.gateway)!, NEVER), "deleting");
  assert.deepEqual(t.gateway.seen, []);
});

Deno.test("Finalizers.add() says deleting when the object is being deleted and we were not told yet", async () => {
  await using t = start();
  const seen = t.create(["x.io/other"]);
  remove(t.gateway);
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "deleting");
  assert.deepEqual(t.on(), ["x.io/other"]);
});

Deno.test("Finalizers.add() says deleting when the object that is being deleted carries it already", async () => {
  await using t = start();
  const seen = t.create();
  await t.finalizers.add("ConfigMap", seen, NEVER);
  remove(t.gateway);
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "deleting");
});

Deno.test("Finalizers.add() says gone when the object is", async () => {
  await using t = start();
  const seen = t.create();
  remove(t.gateway);
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "gone");
});

Deno.test("Finalizers.add() says gone, and leaves the other alone, when another object has the name by now", async () => {
  await using t = start();
  const seen = t.create();
  remove(t.gateway);
  t.create();
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "gone");
  assert.deepEqual(t.on(), []);
});

Deno.test("Finalizers.add() says gone when a server answers 422 to the uid of another object", async () => {
  await using t = start();
  const seen = t.create();
  remove(t.gateway);
  t.create();
  t.gateway.intercept = ({ method }) =>
    method === "PATCH" ? refusal(422, "Invalid", "metadata.uid: Invalid value: field is immutable") : undefined;
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "gone");
});

Deno.test("Finalizers.add() says forbidden, and names the RBAC rule once, when it may not patch", async () => {
  await using t = start();
  const seen = t.create();
  t.gateway.intercept = RBAC_REFUSAL;
  for (let time = 0; time < 3; time++) {
    assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "forbidden");
  }
  const errors = t.log.lines.filter((line) => line.startsWith("error"));
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /verbs get and patch on configmaps and secrets by RBAC/);
  t.gateway.intercept = () => undefined;
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "added");
  assert.equal(t.log.lines.at(-1), "info: Finalizers can be set again");
});

Deno.test("Finalizers.add() says forbidden and why when the API server will not have the change", async () => {
  await using t = start("bare");
  assert.equal(await t.finalizers.add("ConfigMap", t.create(), NEVER), "forbidden");
  assert.match(t.log.lines.join("\n"), /error: ConfigMap default\/a does not get the finalizer: .*fully qualified/);
});

Deno.test("Finalizers.add() tries again when the object changed in between", async () => {
  await using t = start();
  const seen = t.create();
  let conflicts = 2;
  t.gateway.intercept = ({ method }) =>
    method === "PATCH" && conflicts-- > 0 ? refusal(409, "Conflict", "the object has been modified") : undefined;
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "added");
  assert.deepEqual(t.on(), [OURS]);
});

Deno.test("Finalizers.add() throws when conflicts do not end", async () => {
  await using t = start();
  const seen = t.create();
  t.gateway.intercept = ({ method }) => method === "PATCH" ? refusal(409, "Conflict", "modified") : undefined;
  await assert.rejects(t.finalizers.add("ConfigMap", seen, NEVER), ApiError);
  assert.ok(t.gateway.requests.length < 10);
});

Deno.test("Finalizers.add() throws what a later attempt may better", async () => {
  const gateway = new ApiGateway();
  const finalizers = new Finalizers({
    client: gateway.client,
    name: OURS,
    clock: new FakeClock(),
    random: () => 0,
    heartbeat: { expectWithin() {}, idle() {} },
    log: keptLog(),
  });
  const seen = create(gateway, []);
  for (const [code, reason] of [[500, "InternalError"], [429, "TooManyRequests"], [401, "Unauthorized"]] as const) {
    gateway.intercept = () => refusal(code, reason, "not now");
    await assert.rejects(finalizers.add("ConfigMap", seen, NEVER), (error) => (error as ApiError).status === code);
  }
  await gateway[Symbol.asyncDispose]();
  await assert.rejects(finalizers.add("ConfigMap", seen, NEVER), TransportError);
  gateway.client.close();
});

Deno.test("Finalizers.add() keeps the finalizer of an object that was selected again", async () => {
  await using t = start();
  const seen = t.create([OURS]);
  t.finalizers.release(REF);
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "added");
  assert.equal(await t.finalizers.flush(NEVER), 0);
  assert.deepEqual(t.on(), [OURS]);
  assert.deepEqual(t.gateway.seen, []);
});

Deno.test("Finalizers.add() cancels a release, but not that of an object that is being deleted", async () => {
  await using t = start();
  const seen = t.create([OURS]);
  t.finalizers.release(REF);
  assert.equal(await t.finalizers.add("ConfigMap", seen, NEVER), "added");
  assert.equal(t.finalizers.pending, 0);
  remove(t.gateway);
  t.finalizers.release(REF);
  assert.equal(await t.finalizers.add("ConfigMap", current(t.gateway)!, NEVER), "deleting");
  assert.equal(t.finalizers.pending, 1);
});

Deno.test("Finalizers.add() puts back what a release under way takes off", async () => {
  await using t = start();
  const seen = t.create([OURS]);
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<undefined>();
  t.gateway.intercept = ({ body }) => {
    if (!JSON.stringify(body).includes("$deleteFromPrimitiveList")) return undefined;
    asked.resolve();
    return goOn.promise;
  };
  t.run();
  t.finalizers.release(REF);
  await asked.promise;
  const added = t.finalizers.add("ConfigMap", seen, NEVER);
  goOn.resolve(undefined);
  assert.equal(await added, "added");
  assert.deepEqual(t.on(), [OURS]);
  assert.equal(t.finalizers.pending, 0);
});

Deno.test("Finalizers.add() gives up after a minute in which nothing is answered", async () => {
  await using t = start();
  const goOn = Promise.withResolvers<Response>();
  t.gateway.intercept = () => goOn.promise;
  const outcome = t.finalizers.add("ConfigMap", t.create(), NEVER).catch((error) => error);
  await until(() => t.gateway.requests.length === 1);
  await t.clock.advance(60);
  const error = await outcome;
  assert.ok(error instanceof TransportError, `${error}`);
  assert.equal(error.message, "ConfigMap default/a has no finalizer after 60 s");
  goOn.resolve(refusal(503, "ServiceUnavailable", "too late"));
});
