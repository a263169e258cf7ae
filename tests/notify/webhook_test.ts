import assert from "node:assert/strict";
import { credentialsFrom } from "../../lib/http/basic_auth.ts";
import { payloadBody, Webhook, WebhookError, type WebhookOptions } from "../../lib/notify/webhook.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import type { Transport } from "../../lib/http/transport.ts";
import { keptLog } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { describeRequest, encode, listen, serve, until } from "../support/local_servers.ts";

interface Entry {
  level: string;
  message: string;
  properties: Record<string, unknown>;
}

/** A webhook over real connections, with a clock that the test moves. */
function makeWebhook(options: Pick<WebhookOptions, "url"> & Partial<WebhookOptions>) {
  const entries: Entry[] = [];
  const record = (level: string) => (message: string, properties: Record<string, unknown> = {}) => {
    entries.push({ level, message, properties });
  };
  const transport = options.transport ?? openTransport();
  const clock = new FakeClock();
  const webhook = new Webhook({
    method: "GET",
    credentials: credentialsFrom({}, keptLog()),
    encoding: "latin1",
    retry: { total: 5, connect: 10, read: 5, backoffFactor: 1.1 },
    timeout: 10,
    transport,
    clock,
    log: { debug: record("debug"), info: record("info"), error: record("error") },
    ...options,
  });
  const logged = (level: string) => entries.filter((entry) => entry.level === level);
  const abort = new AbortController();
  return {
    clock,
    entries,
    logged,
    abort,
    maxSeconds: webhook.maxSeconds,
    call: () => webhook.call(abort.signal),
    [Symbol.dispose]: () => transport.close(),
  };
}

async function webhookError(promise: Promise<unknown>): Promise<WebhookError> {
  const error = await promise.then(() => assert.fail("did not reject"), (error) => error);
  assert.ok(error instanceof WebhookError, String(error));
  return error;
}

Deno.test("call() sends a GET and logs one line without query values", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    return new Response("a body nobody logs");
  });
  using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/reload?token=geheim`, payload: '"unused"' });
  await webhook.call();
  assert.deepEqual(seen, ["GET /reload?token=geheim - - -"]);
  assert.deepEqual(webhook.entries, [{
    level: "info",
    message: `GET http://127.0.0.1:${server.port}/reload?token=*** answered 200`,
    properties: { method: "GET", url: `http://127.0.0.1:${server.port}/reload?token=***`, status: 200, durationMs: 0 },
  }]);
});

Deno.test("call() sends a POST with its payload as JSON", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    return new Response(null, { status: 204 });
  });
  const url = `http://127.0.0.1:${server.port}/`;
  using withPayload = makeWebhook({ url, method: "POST", payload: '{"a":1}' });
  await withPayload.call();
  using without = makeWebhook({ url, method: "POST" });
  await without.call();
  assert.deepEqual(seen, ['POST / - application/json {"a":1}', "POST / - - -"]);
});

Deno.test("call() sends credentials or the URL's user info, unlogged", async () => {
  const seen: (string | null)[] = [];
  await using server = serve((request) => {
    seen.push(request.headers.get("authorization"));
    return new Response();
  });
  const url = `http://from%40url:p%C3%A4ss@127.0.0.1:${server.port}/`;
  using given = makeWebhook({ url, credentials: credentialsFrom({ username: "u", password: "geheim" }, keptLog()) });
  await given.call();
  using inUrl = makeWebhook({ url, encoding: "utf-8" });
  await inUrl.call();
  assert.deepEqual(seen, [`Basic ${btoa("u:geheim")}`, `Basic ${encode("from@url:päss").toBase64()}`]);
  assert.doesNotMatch(JSON.stringify([given.entries, inUrl.entries]), /geheim|from|Basic/);
});

for (const [status, hint] of [[401, /REQ_USERNAME and REQ_PASSWORD/], [403, /REQ_USERNAME/], [404, /path/]] as const) {
  Deno.test(`call() fails at once on ${status}, with a hint what to check`, async () => {
    let requests = 0;
    await using server = serve(() => {
      requests++;
      return new Response("geheim", { status });
    });
    using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
    const error = await webhookError(webhook.call());
    assert.match(error.message, new RegExp(`^GET http://127.0.0.1:${server.port}/ failed: answered ${status} `));
    assert.match(error.message, hint);
    assert.equal(requests, 1);
    assert.deepEqual(webhook.entries.map(({ level, message }) => [level, message]), [["error", error.message]]);
    assert.equal(webhook.entries[0]?.properties["status"], status);
  });
}

Deno.test("call() retries 503 with growing delays until success", async () => {
  let requests = 0;
  await using server = serve(() => new Response(null, { status: ++requests < 3 ? 503 : 200 }));
  using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const call = webhook.call();
  for (const delay of [1.1, 2.2]) {
    await until(() => webhook.clock.nextDue === delay);
    await webhook.clock.advance(delay);
  }
  await call;
  assert.equal(requests, 3);
  assert.equal(webhook.logged("info")[0]?.properties["durationMs"], 3300);
});

Deno.test("call() says after how many attempts it gave up", async () => {
  await using server = listen((connection) => Promise.resolve(connection.close()));
  using webhook = makeWebhook({
    url: `http://127.0.0.1:${server.port}/`,
    retry: { total: 9, connect: 9, read: 2, backoffFactor: 1 },
  });
  const outcome = webhookError(webhook.call());
  for (const delay of [1, 2]) {
    await until(() => webhook.clock.nextDue === delay);
    await webhook.clock.advance(delay);
  }
  assert.match((await outcome).message, /did not answer: .* \(after 3 attempts\)$/);
  assert.equal(webhook.logged("error").length, 1);
});

Deno.test("call() counts a refused connection against connect", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  using webhook = makeWebhook({
    url: `http://127.0.0.1:${port}/`,
    retry: { total: 5, connect: 1, read: 5, backoffFactor: 1 },
  });
  const outcome = webhookError(webhook.call());
  await until(() => webhook.clock.nextDue === 1);
  await webhook.clock.advance(1);
  assert.match((await outcome).message, /cannot connect .*\(after 2 attempts\)/);
});

Deno.test("call() retries when no answer comes within the timeout", async () => {
  let connections = 0;
  await using server = listen(async (connection) => {
    if (++connections > 1) await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  });
  using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const call = webhook.call();
  await until(() => connections === 1);
  await webhook.clock.advance(10);
  await until(() => webhook.clock.nextDue === 1.1);
  assert.match(webhook.logged("debug")[0]!.message, /nothing came within 10 s; retrying in 1\.1 s/);
  await webhook.clock.advance(1.1);
  await call;
  assert.equal(connections, 2);
});

Deno.test("call() succeeds though the answer's body never ends", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
  });
  const transport = openTransport();
  const answered = Promise.withResolvers<void>();
  const observed: Transport = {
    close: () => transport.close(),
    async fetch(url, init) {
      const answer = await transport.fetch(url, init);
      answered.resolve();
      return answer;
    },
  };
  using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/`, transport: observed });
  const call = webhook.call();
  await answered.promise;
  await webhook.clock.advance(10);
  await call;
  assert.equal(webhook.logged("info")[0]?.properties["status"], 200);
});

Deno.test("call() gives up on a redirect whose body never ends", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 100\r\n\r\nhalf"));
  });
  using webhook = makeWebhook({
    url: `http://127.0.0.1:${server.port}/`,
    retry: { total: 0, connect: 0, read: 0, backoffFactor: 1 },
  });
  const outcome = webhookError(webhook.call());
  await until(() => server.open.size === 1);
  await webhook.clock.advance(10);
  assert.match((await outcome).message, /nothing came within 10 s/);
});

Deno.test("maxSeconds covers every attempt and the delays between them", () => {
  using webhook = makeWebhook({
    url: "http://127.0.0.1:9/",
    retry: { total: 8, connect: 1, read: 1, backoffFactor: 1 },
  });
  assert.equal(webhook.maxSeconds, 9 * 10 + (1 + 2 + 4 + 8 + 16 + 32 + 64 + 120));
});

Deno.test("call() follows to another origin without the credentials", async () => {
  const seen: string[] = [];
  await using other = serve(async (request) => {
    seen.push(await describeRequest(request));
    return new Response();
  });
  await using server = serve(() => Response.redirect(`http://evil:user@127.0.0.1:${other.port}/x`, 307));
  using webhook = makeWebhook({
    url: `http://127.0.0.1:${server.port}/`,
    credentials: credentialsFrom({ username: "u", password: "p" }, keptLog()),
  });
  await webhook.call();
  assert.deepEqual(seen, ["GET /x - - -"]);
});

Deno.test("call() names a credentials file that cannot be read", async () => {
  using webhook = makeWebhook({
    url: "http://127.0.0.1:9/",
    credentials: credentialsFrom({ username: "u", passwordFile: "/no/such/file" }, keptLog()),
  });
  assert.match((await webhookError(webhook.call())).message, /credentials file \/no\/such\/file cannot be read/);
});

Deno.test("call() rejects with the signal's reason and logs nothing", async () => {
  await using server = listen(() => Promise.resolve());
  using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const outcome = assert.rejects(webhook.call(), /stop/);
  await until(() => server.open.size === 1);
  webhook.abort.abort(new Error("stop"));
  await outcome;
  assert.deepEqual(webhook.entries, []);
});

Deno.test("call() works over an unverified transport", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    return new Response("body");
  });
  const transport = openTransport({ skipTlsVerify: true });
  using webhook = makeWebhook({ url: `http://127.0.0.1:${server.port}/`, method: "POST", payload: "1", transport });
  await webhook.call();
  assert.deepEqual(seen, ["POST / - application/json 1"]);
});

Deno.test("payloadBody() leaves JSON alone and quotes anything else", () => {
  assert.equal(payloadBody(' {"a": 1} '), ' {"a": 1} ');
  assert.equal(payloadBody("reload now"), '"reload now"');
});
