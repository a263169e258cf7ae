import assert from "node:assert/strict";
import { keptLog } from "../support/api_gateway.ts";
import { authorizationFrom } from "../../lib/http/authorization.ts";
import { credentialsFrom } from "../../lib/http/basic_auth.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import { TransportError } from "../../lib/http/transport.ts";
import { payloadBody } from "../../lib/notify/webhook.ts";
import { describeRequest, encode, listen, serve, until } from "../support/local_servers.ts";
import { makeWebhook } from "../support/webhook_at_work.ts";

const NO_RETRY = { total: 0, connect: 0, read: 0, backoffFactor: 1 };

const basic = (source: Parameters<typeof credentialsFrom>[0]) =>
  authorizationFrom({ credentials: credentialsFrom(source, keptLog()), encoding: "latin1" });

/** A server whose answers the test gives one by one. */
function slowServer() {
  const waiting: ((answer: Response) => void)[] = [];
  const server = serve(() => new Promise<Response>((resolve) => waiting.push(resolve)));
  return {
    url: `http://127.0.0.1:${server.port}/`,
    waiting,
    async [Symbol.asyncDispose]() {
      for (const answer of waiting) answer(new Response());
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("call() sends a GET and logs one line without query values", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    return new Response("a body nobody logs");
  });
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/reload?token=geheim`, payload: '"unused"' });
  assert.deepEqual(await it.call(), { type: "delivered" });
  assert.deepEqual(seen, ["GET /reload?token=geheim - - -"]);
  assert.deepEqual(it.entries, [{
    level: "info",
    message: `GET http://127.0.0.1:${server.port}/reload?token=*** answered 200 OK`,
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

Deno.test("call() sends its headers, which take precedence", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(`${request.headers.get("x-scope-orgid")} ${await describeRequest(request)}`);
    return new Response();
  });
  using it = makeWebhook({
    url: `http://127.0.0.1:${server.port}/`,
    method: "POST",
    payload: "1",
    headers: { "X-Scope-OrgID": "1", "Authorization": "Token geheim", "Content-Type": "text/plain" },
    authorizationFor: basic({ username: "u", password: "p" }),
  });
  await it.call();
  assert.deepEqual(seen, ["1 POST / Token geheim text/plain 1"]);
  assert.doesNotMatch(JSON.stringify(it.entries), /geheim/);
});

Deno.test("call() sends credentials or the URL's user info, unlogged", async () => {
  const seen: (string | null)[] = [];
  await using server = serve((request) => {
    seen.push(request.headers.get("authorization"));
    return new Response();
  });
  const url = `http://from%40url:p%C3%A4ss@127.0.0.1:${server.port}/`;
  using given = makeWebhook({ url, authorizationFor: basic({ username: "u", password: "geheim" }) });
  await given.call();
  using inUrl = makeWebhook({ url, authorizationFor: authorizationFrom({ encoding: "utf-8" }) });
  await inUrl.call();
  assert.deepEqual(seen, [`Basic ${btoa("u:geheim")}`, `Basic ${encode("from@url:päss").toBase64()}`]);
  assert.doesNotMatch(JSON.stringify([given.entries, inUrl.entries]), /geheim|from|Basic/);
});

for (const [status, hint] of [[401, /REQ_USERNAME and REQ_PASSWORD/], [403, /REQ_USERNAME/], [404, /path/]] as const) {
  Deno.test(`call() is refused at once by ${status}, with a hint what to check`, async () => {
    let requests = 0;
    await using server = serve(() => {
      requests++;
      return new Response("geheim", { status });
    });
    using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
    assert.deepEqual([await it.call(), requests], [{ type: "refused" }, 1]);
    const [{ level, message, properties }] = it.entries as [typeof it.entries[0] & object];
    assert.match(message, new RegExp(`^GET http://127.0.0.1:${server.port}/ failed: answered ${status} `));
    assert.match(message, hint);
    assert.deepEqual([level, properties["status"], it.entries.length], ["error", status, 1]);
    await it.call();
    assert.deepEqual(it.entries.map((entry) => entry.level), ["error", "debug"], "each state is one line");
  });
}

Deno.test("call() ends at once after 500", async () => {
  let requests = 0;
  await using server = serve(() => new Response(null, { status: ++requests < 3 ? 500 : 200 }));
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  assert.deepEqual([await it.call(), await it.call(), requests], [{ type: "failed" }, { type: "failed" }, 2]);
  await it.call();
  assert.deepEqual(it.entries.map(({ level }) => level), ["error", "debug", "info"]);
  assert.match(it.logged("info")[0]!.message, /works again: answered 200/);
});

Deno.test("call() retries 503 with growing delays until success", async () => {
  let requests = 0;
  await using server = serve(() => new Response(null, { status: ++requests < 3 ? 503 : 200 }));
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const call = it.call();
  for (const delay of [1.1, 2.2]) {
    await until(() => it.clock.nextDue === delay);
    assert.equal(it.logged("warn").length, 1, "said at the first failure, and once");
    await it.clock.advance(delay);
  }
  await call;
  assert.equal(requests, 3);
  assert.equal(it.logged("info")[0]?.properties["durationMs"], 3300);
  assert.match(it.logged("info")[0]!.message, /works again: answered 200/);
  assert.deepEqual(it.steps, [10, 1.1, 10, 2.2, 10]);
});

Deno.test("call() keeps Retry-After between retries, and ends when it is long", async () => {
  let after = "7";
  await using server = serve(() => new Response(null, { status: 429, headers: { "retry-after": after } }));
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const call = it.call();
  await until(() => it.clock.nextDue === 7);
  after = "600";
  await it.clock.advance(7);
  assert.deepEqual(await call, { type: "unavailable", retryAfter: 600 });
});

Deno.test("call() is unavailable after its last retry, told once", async () => {
  await using server = listen((connection) => Promise.resolve(connection.close()));
  using it = makeWebhook({
    url: `http://127.0.0.1:${server.port}/`,
    retry: { total: 9, connect: 9, read: 2, backoffFactor: 1 },
  });
  const call = it.call();
  for (const delay of [1, 2]) {
    await until(() => it.clock.nextDue === delay);
    await it.clock.advance(delay);
  }
  assert.deepEqual(await call, { type: "unavailable" });
  assert.deepEqual(it.entries.filter(({ level }) => level !== "debug").map(({ level }) => level), ["warn"]);
  assert.match(it.entries.at(-1)!.message, /did not answer: .* \(after 3 attempts\)/);
});

Deno.test("call() counts a refused connection against connect", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  using it = makeWebhook({
    url: `http://127.0.0.1:${port}/`,
    retry: { total: 5, connect: 1, read: 5, backoffFactor: 1 },
  });
  const call = it.call();
  await until(() => it.clock.nextDue === 1);
  await it.clock.advance(1);
  assert.deepEqual(await call, { type: "unavailable" });
  assert.match(it.entries.at(-1)!.message, /cannot connect .*\(after 2 attempts\)/);
});

Deno.test("call() waits for a late answer, and it counts", async () => {
  await using server = slowServer();
  using it = makeWebhook({ url: server.url });
  for (const round of [1, 2]) {
    const call = it.call();
    await until(() => server.waiting.length === round);
    await it.clock.advance(10);
    assert.equal(it.unanswered(), round);
    await it.clock.advance(200);
    server.waiting.at(-1)!(new Response());
    assert.deepEqual(await call, { type: "delivered" });
  }
  assert.equal(server.waiting.length, 2, "no request is repeated");
  assert.deepEqual(it.steps, [10, 300, 10, 300]);
  const [warning, ...others] = it.logged("warn");
  assert.match(warning!.message, /was not answered within 10 s \(REQ_TIMEOUT\)/);
  assert.deepEqual(others, []);
  assert.match(it.logged("info")[0]!.message, /answered 200 OK after 210\.0 s, later than REQ_TIMEOUT \(10 s\)$/);
});

for (const [status, type] of [[401, "refused"], [503, "unavailable"], [500, "failed"]] as const) {
  Deno.test(`call() is ${type} by a late ${status}, without a retry`, async () => {
    await using server = slowServer();
    using it = makeWebhook({ url: server.url });
    const call = it.call();
    await until(() => server.waiting.length === 1);
    await it.clock.advance(20);
    server.waiting[0]!(new Response(null, { status }));
    assert.equal((await call).type, type);
    assert.equal(server.waiting.length, 1);
    assert.match(it.entries.at(-1)!.message, new RegExp(`answered ${status} .* after 20.0 s, later than REQ_TIMEOUT`));
  });
}

Deno.test("call() is unanswered after five minutes", async () => {
  await using server = slowServer();
  using it = makeWebhook({ url: server.url });
  const call = it.call();
  await until(() => server.waiting.length === 1);
  await it.clock.advance(299);
  assert.equal(it.entries.length, 1);
  await it.clock.advance(1);
  assert.deepEqual([await call, it.clock.sleeping], [{ type: "unanswered" }, 0]);
  assert.deepEqual(it.entries.map(({ level }) => level), ["warn", "debug"]);
});

Deno.test("call() is unanswered when the connection breaks late", async () => {
  let breakOff = () => {};
  await using server = listen((connection) => {
    breakOff = () => connection.close();
    return Promise.resolve();
  });
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const call = it.call();
  await until(() => server.open.size === 1);
  await it.clock.advance(10);
  breakOff();
  assert.deepEqual(await call, { type: "unanswered" });
});

for (
  const [why, hint] of [
    ["invalid peer certificate: UnknownIssuer", "; check REQ_CA_FILE"],
    ["unable to verify the first certificate", "; check REQ_CA_FILE"],
    ['invalid peer certificate: certificate not valid for name "a"', "; check the host in REQ_URL"],
    ["Hostname/IP does not match certificate's altnames: Host: a.", "; check the host in REQ_URL"],
    ["certificate has expired", ""],
  ] as const
) {
  Deno.test(`call() says what to check after: ${why}`, async () => {
    const fetch = () => Promise.reject(new TransportError("connect", `cannot connect to a: ${why}`));
    using it = makeWebhook({ url: "https://a/", retry: NO_RETRY, transport: { fetch, close() {} } });
    assert.deepEqual(await it.call(), { type: "unavailable" });
    assert.equal(it.logged("warn")[0]!.message, `GET https://a/ failed: cannot connect to a: ${why}${hint}; retrying`);
  });
}

Deno.test("call() is unavailable when nobody accepts the connection in time", async () => {
  await using server = slowServer();
  using it = makeWebhook({ url: server.url, retry: NO_RETRY, isReachable: () => Promise.resolve(false) });
  const call = it.call();
  await until(() => server.waiting.length === 1);
  await it.clock.advance(10);
  assert.deepEqual([await call, it.unanswered()], [{ type: "unavailable" }, 0]);
  assert.match(it.logged("warn")[0]!.message, /cannot connect to 127\.0\.0\.1:\d+ within 10 s/);
});

Deno.test("call() as the last waits no longer than REQ_TIMEOUT, and says once how it ended", async () => {
  await using server = slowServer();
  using it = makeWebhook({ url: server.url });
  const call = it.call({ isLast: true });
  await until(() => server.waiting.length === 1);
  await it.clock.advance(10);
  assert.deepEqual(await call, { type: "unanswered" });
  assert.deepEqual(it.entries.map(({ level }) => level), ["error"]);
  assert.match(it.entries[0]!.message, /no answer came within 10 s.* stays pending for the next start$/);
});

Deno.test("call() succeeds though the answer's body never ends", async () => {
  const answers = Promise.withResolvers<void>();
  await using server = listen(async (connection) => {
    await answers.promise;
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
  });
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const call = it.call();
  await until(() => server.open.size === 1);
  await it.clock.advance(1);
  answers.resolve();
  // The time for the body has begun
  await until(() => it.clock.nextDue === 10);
  await it.clock.advance(10);
  await call;
  assert.deepEqual(it.entries.map(({ level }) => level), ["info"]);
  assert.equal(it.logged("info")[0]?.properties["status"], 200);
});

Deno.test("call() gives up on a redirect whose body never ends", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 100\r\n\r\nhalf"));
  });
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/`, retry: NO_RETRY });
  const call = it.call();
  await until(() => server.open.size === 1);
  await it.clock.advance(300);
  assert.deepEqual(await call, { type: "unanswered" });
});

Deno.test("call() follows redirects within the origin, five at most", async () => {
  const seen: string[] = [];
  let redirects = 5;
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    if (redirects-- === 0) return new Response();
    return new Response(null, { status: 307, headers: { location: `/${redirects}` } });
  });
  using it = makeWebhook({ url: `http://u:p@127.0.0.1:${server.port}/`, method: "POST", payload: "1" });
  assert.deepEqual(await it.call(), { type: "delivered" });
  assert.equal(seen.at(-1), `POST /0 Basic ${btoa("u:p")} application/json 1`);
  redirects = 6;
  assert.deepEqual(await it.call(), { type: "refused" });
  assert.match(it.logged("error")[0]!.message, /more than 5 redirects/);
});

for (const status of [302, 307]) {
  Deno.test(`call() is refused by a ${status} to another origin, which gets nothing`, async () => {
    let calls = 0;
    await using other = serve(() => {
      calls++;
      return new Response();
    });
    const location = `http://evil:user@127.0.0.1:${other.port}/x?token=geheim`;
    await using server = serve(() => new Response(null, { status, headers: { location } }));
    using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/`, method: "POST", payload: "1" });
    assert.deepEqual([await it.call(), await it.call(), calls], [{ type: "refused" }, { type: "refused" }, 0]);
    assert.deepEqual(it.entries.map(({ level }) => level), ["error", "debug"]);
    assert.match(
      it.entries[0]!.message,
      new RegExp(`a redirect to another origin \\(http://127.0.0.1:${other.port}/x\\?token=\\*\\*\\*\\)`),
    );
  });
}

Deno.test("call() is refused while a credentials file cannot be read, and names it", async () => {
  let calls = 0;
  await using server = serve(() => {
    calls++;
    return new Response();
  });
  using it = makeWebhook({
    url: `http://127.0.0.1:${server.port}/`,
    authorizationFor: authorizationFrom({ tokenFile: "/no/such/file", encoding: "latin1" }),
  });
  assert.deepEqual([await it.call(), calls], [{ type: "refused" }, 0]);
  assert.match(it.logged("error")[0]!.message, /token file \/no\/such\/file cannot be read/);
});

Deno.test("call() names its settings as they were set", async () => {
  await using server = serve(() => new Response(null, { status: 401 }));
  const nameOf = (setting: string) => setting === "REQ_USERNAME" ? "notify.webhook.basicAuth.username" : setting;
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/REQ_USERNAME`, nameOf });
  await it.call();
  const [{ message } = { message: "" }] = it.logged("error");
  assert.match(message, /REQ_USERNAME failed: .* check notify\.webhook\.basicAuth\.username and REQ_PASSWORD/);
});

Deno.test("call() leaves no rejection that nobody handles when the signal aborted before it", async () => {
  await using server = serve(() => new Response());
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  it.abort.abort(new Error("stop"));
  await assert.rejects(it.call(), { message: "stop" });
  // The test runner fails on such a rejection, which comes when the request notices the signal
  await new Promise((resolve) => setTimeout(resolve));
});

Deno.test("call() rejects with the signal's reason and logs nothing", async () => {
  await using server = listen(() => Promise.resolve());
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/` });
  const outcome = assert.rejects(it.call(), /stop/);
  await until(() => server.open.size === 1);
  it.abort.abort(new Error("stop"));
  await outcome;
  assert.deepEqual([it.entries, it.clock.sleeping], [[], 0]);
});

Deno.test("call() works over an unverified transport", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    return new Response("body");
  });
  const transport = openTransport({ skipTlsVerify: true });
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/`, method: "POST", payload: "1", transport });
  await it.call();
  assert.deepEqual(seen, ["POST / - application/json 1"]);
});

Deno.test("identity() changes with URL, headers and credentials", async () => {
  let authorization: string | undefined = undefined;
  const url = "http://127.0.0.1:9/";
  const authorizationFor = () => Promise.resolve(authorization);
  using it = makeWebhook({ url, authorizationFor });
  using other = makeWebhook({ url: `${url}x`, authorizationFor });
  using third = makeWebhook({ url, authorizationFor, headers: { a: "b" } });
  const before = await it.webhook.identity();
  assert.equal(await it.webhook.identity(), before);
  authorization = "Basic x";
  const all = [before, ...await Promise.all([it, other, third].map(({ webhook }) => webhook.identity()))];
  assert.equal(new Set(all).size, 4);
});

Deno.test("call() and identity() ask for headers from files each time", async () => {
  const seen: (string | null)[] = [];
  await using server = serve((request) => {
    seen.push(request.headers.get("x-api-key"));
    return new Response();
  });
  let reads = 0;
  const headersFromFiles = () => Promise.resolve({ "X-Api-Key": `key ${++reads}` });
  using it = makeWebhook({ url: `http://127.0.0.1:${server.port}/`, headers: { a: "b" }, headersFromFiles });
  await it.call();
  await it.call();
  assert.deepEqual(seen, ["key 1", "key 2"]);
  assert.notEqual(await it.webhook.identity(), await it.webhook.identity());
});

Deno.test("payloadBody() leaves JSON alone and quotes anything else", () => {
  assert.equal(payloadBody(' {"a": 1} '), ' {"a": 1} ');
  assert.equal(payloadBody("reload now"), '"reload now"');
});
