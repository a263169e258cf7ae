import assert from "node:assert/strict";
import { ApiError } from "../../../lib/kube/client/errors.ts";
import type { KubeClient } from "../../../lib/kube/client/client.ts";
import { TransportError } from "../../../lib/http/transport.ts";
import { encode, until } from "../../support/local_servers.ts";
import { ScriptedApi, WatchStream } from "../../support/scripted_api.ts";
import { ALL, listAll, never, watch } from "../../support/client_reads.ts";

Deno.test("a request that has no answer after 30 seconds ends with a TransportError", async () => {
  await using api = new ScriptedApi();
  const told: number[] = [];
  const client = api.makeClient({ onRequest: ({ status, seconds }) => told.push(status, seconds) });
  const reads: [name: string, read: () => Promise<unknown>][] = [
    ["list", () => listAll(client)],
    ["watch", () => Array.fromAsync(watch(client))],
    ["request", () => client.request("GET", "/x", never())],
  ];
  for (const [name, read] of reads) {
    const before = api.requests.length;
    const outcome = read().then(() => "an answer", (error) => error);
    await until(() => api.requests.length === before + 1);
    await api.clock.advance(29.9);
    assert.equal(await Promise.race([outcome, Promise.resolve("none yet")]), "none yet", name);
    await api.clock.advance(0.1);
    const error = await outcome;
    assert.ok(error instanceof TransportError, `${name}: ${error}`);
    assert.equal(error.message, `${api.url} did not answer within 30 s`);
  }
  assert.deepEqual(told, [0, 30, 0, 30, 0, 30]);
  assert.equal(api.clock.sleeping, 0, "no timer is left");
});

Deno.test("a watch that was answered may be silent for longer than 30 seconds", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream);
  let answered = false;
  const events = watch(api.makeClient(), never(), () => answered = true);
  const first = events.next();
  await until(() => answered);
  await api.clock.advance(3600);
  await stream.send("ADDED", "a@2");
  assert.equal((await first).value?.type, "ADDED");
  const end = events.next();
  await stream.end();
  await end;
});

/** An answer whose head and first bytes come, and then nothing. */
function stalled(text: string, status = 200): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.enqueue(encode(text)) }), { status });
}

const halves: [name: string, read: (client: KubeClient) => Promise<unknown>][] = [
  ["list()", (client) => listAll(client)],
  ["read()", (client) => client.read(ALL, { kind: "ConfigMap", namespace: "a", name: "n" }, never())],
  ["request()", (client) => client.request("PATCH", "/x", never(), { type: "application/json", value: {} })],
];

for (const [name, read] of halves) {
  Deno.test(`${name} gives up 30 seconds after the last byte of half an answer`, async () => {
    await using api = new ScriptedApi();
    api.script(stalled('{"metadata":{"reso'));
    const outcome = read(api.makeClient()).then(() => "an answer", (error) => error);
    await until(() => api.requests.length === 1);
    await api.caughtUp();
    await api.clock.advance(29.9);
    assert.equal(await Promise.race([outcome, Promise.resolve("none yet")]), "none yet");
    await api.clock.advance(0.1);
    const error = await outcome;
    assert.ok(error instanceof TransportError, `${error}`);
    assert.equal(error.message, `${api.url} sent nothing for 30 s in the middle of an answer`);
    assert.equal(api.clock.sleeping, 0, "no timer is left");
  });

  const seconds = name === "list()" ? 600 : 60;
  Deno.test(`${name} gives up after ${seconds} seconds though bytes trickle in`, async () => {
    await using api = new ScriptedApi();
    const stream = new WatchStream();
    api.script(stream);
    let over = false;
    const outcome = read(api.makeClient()).catch((error) => error).finally(() => over = true);
    await stream.sendText('{"metadata":{},"items":[');
    for (let waited = 0; waited < seconds; waited += 20) {
      assert.ok(!over, `given up after ${waited} s`);
      await stream.sendText(" ");
      await api.caughtUp();
      await api.clock.advance(20);
    }
    const error = await outcome;
    assert.ok(error instanceof TransportError, `${error}`);
    assert.equal(error.message, `${api.url} took longer than ${seconds} s in the middle of an answer`);
    await stream.gone;
  });
}

Deno.test("list() does not count the time that its consumer takes", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream);
  const page = api.makeClient().list(ALL, {}, never());
  const first = page.next();
  const whole = JSON.stringify({
    metadata: { resourceVersion: "7" },
    items: ["a", "b"].map((name) => ({ metadata: { name, namespace: "a" }, data: { x: "x".repeat(40_000) } })),
  });
  const sent = stream.sendText(whole.slice(0, 70_000));
  assert.equal((await first).done, false);
  await api.clock.advance(3600);
  await sent;
  const rest = stream.sendText(whole.slice(70_000)).then(() => stream.end());
  assert.equal((await page.next()).done, false);
  assert.deepEqual(await page.next(), { done: true, value: { resourceVersion: "7" } });
  await rest;
});

Deno.test("an error answer whose body stalls is an ApiError all the same", async () => {
  await using api = new ScriptedApi();
  api.script(stalled('{"kind":"Sta', 503));
  const outcome = listAll(api.makeClient()).catch((error) => error);
  await until(() => api.requests.length === 1);
  await api.caughtUp();
  await api.clock.advance(10);
  const error = await outcome;
  assert.ok(error instanceof ApiError && error.status === 503, `${error}`);
});

Deno.test("an abort ends a request at once while credentials are being read", async () => {
  await using api = new ScriptedApi();
  const held = Promise.withResolvers<never>();
  const client = api.makeClient({ credentials: { maxAge: 60, load: () => held.promise } });
  const abort = new AbortController();
  const outcome = listAll(client, ALL, {}, abort.signal).catch((error) => error);
  await api.clock.advance(1);
  abort.abort(new Error("stop"));
  assert.equal((await outcome).message, "stop");
  held.reject(new Error("the test is over"));
});
