import assert from "node:assert/strict";
import { AnswerError, ApiError } from "../../../lib/kube/client/errors.ts";
import type { Source } from "../../../lib/objects/source.ts";
import { TransportError } from "../../../lib/http/transport.ts";
import { refusal } from "../../support/api_gateway.ts";
import { encode, listen, until } from "../../support/local_servers.ts";
import { listAt, objectAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";
import { ALL, listAll, never, watch } from "../../support/client_reads.ts";

const LABELLED: Source = { kind: "Secret", namespace: "a", labelSelector: "app in (x,y),!z" };

Deno.test("list() asks for one page and gives its objects, its version and where it goes on", async () => {
  await using api = new ScriptedApi();
  api.script(listAt("7", ["a@1", "b@2"], "more"), listAt("8"));
  const client = api.makeClient();
  assert.deepEqual(await listAll(client, LABELLED, { limit: 2 }), {
    names: ["a", "b"],
    result: { resourceVersion: "7", continue: "more" },
  });
  assert.deepEqual(await listAll(client, LABELLED, { limit: 2, continue: "more" }), {
    names: [],
    result: { resourceVersion: "8" },
  });
  const labelSelector = "app in (x,y),!z";
  assert.deepEqual(api.requests.map(({ path, query }) => ({ path, query })), [
    { path: "/api/v1/namespaces/a/secrets", query: { labelSelector, limit: "2" } },
    { path: "/api/v1/namespaces/a/secrets", query: { labelSelector, limit: "2", continue: "more" } },
  ]);
  assert.equal(api.requests[0]?.headers.get("user-agent"), "test");
  assert.equal(api.requests[0]?.headers.get("accept"), "application/json");
});

Deno.test("list() takes an empty continue for the end, as the API server writes it", async () => {
  await using api = new ScriptedApi();
  api.script(listAt("7", [], ""));
  assert.deepEqual((await listAll(api.makeClient())).result, { resourceVersion: "7" });
});

Deno.test("watch() asks to go on at a version, or for a streaming list", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  for (const query of [{ resourceVersion: "7" }, { sendInitialEvents: true }]) {
    api.script(new Response(""));
    await Array.fromAsync(client.watch(ALL, { timeoutSeconds: 60, ...query }, never(), () => {}));
  }
  const common = { watch: "true", allowWatchBookmarks: "true", timeoutSeconds: "60" };
  assert.deepEqual(api.requests.map(({ path, query }) => ({ path, query })), [
    { path: "/api/v1/configmaps", query: { ...common, resourceVersion: "7" } },
    {
      path: "/api/v1/configmaps",
      query: { ...common, sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" },
    },
  ]);
});

Deno.test("watch() tells when the server has accepted, yields events as they come, and returns when it ends", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream);
  let answered = false;
  const events = watch(api.makeClient(), never(), () => answered = true);
  const first = events.next();
  await until(() => answered);
  await stream.send("ADDED", "a@2");
  assert.deepEqual([(await first).value?.type, (await first).value?.object.metadata.name], ["ADDED", "a"]);
  const second = events.next();
  await stream.bookmark("3");
  assert.equal((await second).value?.type, "BOOKMARK");
  const end = events.next();
  await stream.end();
  assert.equal((await end).done, true);
});

const NAMED = { kind: "Secret", namespace: "a", name: "n" } as const;
const SELECTED: Source = { kind: "Secret", labelSelector: "app" };

Deno.test("read() gets one object, or nothing when it is gone or no longer selected", async () => {
  await using api = new ScriptedApi();
  const labelled = (labels: Record<string, string>) => {
    const { metadata, ...object } = objectAt("n", "1");
    return Response.json({ ...object, metadata: { ...metadata, labels } });
  };
  const gone = Response.json({ kind: "Status", reason: "NotFound" }, { status: 404 });
  api.script(labelled({ app: "" }), labelled({ other: "" }), gone);
  const client = api.makeClient();
  assert.equal((await client.read(SELECTED, NAMED, never()))?.metadata.name, "n");
  assert.equal(await client.read(SELECTED, NAMED, never()), undefined);
  assert.equal(await client.read(SELECTED, NAMED, never()), undefined);
  assert.deepEqual(
    api.requests.map(({ path, query }) => [path, query]),
    Array(3).fill([
      "/api/v1/namespaces/a/secrets/n",
      {},
    ]),
  );
});

Deno.test("read() takes no other 404 for an object that is gone", async () => {
  await using api = new ScriptedApi();
  api.script(new Response("<html>", { status: 404 }));
  await assert.rejects(api.makeClient().read(SELECTED, NAMED, never()), { name: "ApiError", status: 404 });
});

Deno.test("read() lists one object where it may not get it, and says so once", async () => {
  await using api = new ScriptedApi();
  const forbidden = Response.json({ kind: "Status", reason: "Forbidden" }, { status: 403 });
  api.script(forbidden, listAt("7", ["n@1"]), listAt("8"));
  const told: Source[] = [];
  const client = api.makeClient({ onGetForbidden: (source) => void told.push(source) });
  assert.equal((await client.read(SELECTED, NAMED, never()))?.metadata.name, "n");
  assert.equal(await client.read(SELECTED, NAMED, never()), undefined);
  const query = { labelSelector: "app", fieldSelector: "metadata.name=n" };
  assert.deepEqual(
    api.requests.slice(1).map(({ path, query }) => [path, query]),
    Array(2).fill([
      "/api/v1/namespaces/a/secrets",
      query,
    ]),
  );
  assert.deepEqual(told, [{ ...SELECTED, namespace: "a" }]);
});

Deno.test("request() sends a body and reads the JSON answer", async () => {
  await using api = new ScriptedApi();
  api.script((request) => Response.json({ type: request.headers.get("content-type") }));
  const body = { type: "application/merge-patch+json", value: { a: 1 } };
  assert.deepEqual(await api.makeClient().request("PATCH", "/api/v1/x?y=z", never(), body), { type: body.type });
});

Deno.test("an ApiError has the Status's message, reason and delay; of another body only the HTTP status", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  const html = new Response("<html>secret details</html>", { status: 502, headers: { "content-type": "text/html" } });
  const details = { details: { retryAfterSeconds: 4 } };
  const cases: [answer: Response, message: string, reason: string, retryAfter: number | undefined][] = [
    [refusal(403, "Forbidden", "configmaps is forbidden"), "configmaps is forbidden", "Forbidden", undefined],
    [html, "HTTP status 502", "", undefined],
    [new Response(null, { status: 503, headers: { "retry-after": "7" } }), "HTTP status 503", "", 7],
    [new Response("x", { status: 429, headers: { "retry-after": "soon" } }), "HTTP status 429", "", undefined],
    [Response.json({ kind: "Status", message: "m", ...details }, { status: 429 }), "m", "", 4],
    [Response.json({ kind: "Other", message: "m" }, { status: 500 }), "HTTP status 500", "", undefined],
  ];
  for (const [answer, message, reason, retryAfter] of cases) {
    api.script(answer);
    const error = await listAll(client, ALL, { limit: 1 }).then(() => assert.fail("did not reject"), (error) => error);
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.message, `GET /api/v1/configmaps?limit=1: ${message}`);
    assert.deepEqual([error.reason, error.retryAfter], [reason, retryAfter]);
  }
});

Deno.test("list() and watch() throw an AnswerError that names the request when an answer is not the API's", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  const cases: [answer: string, read: () => Promise<unknown>, message: RegExp][] = [
    ["<html></html>", () => listAll(client), /^GET \/api\/v1\/configmaps\?: the answer is not the API server's JSON/],
    ['{"items":[{"a":1}', () => listAll(client), /or it was cut: /],
    ['{"kind":"Status"}', () => listAll(client), /^GET \/api\/v1\/configmaps\?: the answer is not a list$/],
    ["<html>\n", () => Array.fromAsync(watch(client)), /^GET \/api\/v1\/configmaps\?watch=true\S+: the answer is not/],
    ["<html>", () => client.request("GET", "/x", never()), /^GET \/x: the answer is not the API server's JSON/],
  ];
  for (const [answer, read, message] of cases) {
    api.script(new Response(answer));
    await assert.rejects(read(), (error) => {
      assert.ok(error instanceof AnswerError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("list() and watch() throw a TransportError when the connection breaks in the middle of an answer", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
  await using server = listen(async (connection) => {
    await connection.write(encode(`${head}{"items":[`));
    connection.close();
  });
  await using api = new ScriptedApi();
  const client = api.makeClient({
    credentials: {
      maxAge: Infinity,
      load: () =>
        Promise.resolve({
          server: `http://127.0.0.1:${server.port}`,
          namespace: "",
          headers: {},
          skipTlsVerify: false,
        }),
    },
  });
  const reads = [
    () => listAll(client),
    () => Array.fromAsync(watch(client)),
    () => client.request("GET", "/x", never()),
  ];
  for (const read of reads) {
    await assert.rejects(read(), (error) => {
      assert.ok(error instanceof TransportError, `${error}`);
      return true;
    });
  }
});

Deno.test("an abort ends a list or a watch at once, with its reason, and closes the server's side", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  const reads: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => Array.fromAsync(watch(client, signal)),
    (signal) => listAll(client, ALL, {}, signal),
  ];
  for (const read of reads) {
    const stream = new WatchStream();
    api.script(stream);
    const abort = new AbortController();
    const outcome = read(abort.signal).then(() => undefined, (error) => error);
    await stream.send("ADDED", "a@2");
    abort.abort(new Error("stop"));
    assert.equal((await outcome)?.message, "stop");
    await stream.gone;
    assert.equal(api.clock.sleeping, 0, "no timer is left");
  }
});

Deno.test("a watch that its reader leaves closes the server's side", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream);
  const sent = stream.send("ADDED", "a@2");
  for await (const event of watch(api.makeClient())) {
    assert.equal(event.type, "ADDED");
    break;
  }
  await Promise.all([sent, stream.gone]);
  assert.equal(api.clock.sleeping, 0, "no timer is left");
});

Deno.test("requests one after the other go over one connection", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  for (let count = 0; count < 3; count++) {
    api.script(listAt("7", ["a@1"]));
    await listAll(client);
  }
  assert.equal(new Set(api.requests.map(({ port }) => port)).size, 1);
});
