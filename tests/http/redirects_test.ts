import assert from "node:assert/strict";
import { discard, follow, type FollowOptions, RedirectError } from "../../lib/http/redirects.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import { describeRequest, encode, listen, serve, until } from "../support/local_servers.ts";

const NEVER = new AbortController().signal;

/** A transport that goes with the test, and requests over it. */
function requests() {
  const transport = openTransport();
  return {
    follow: (url: string, options: Partial<FollowOptions> = {}) =>
      follow(transport, new URL(url), { method: "GET", authorizationFor() {}, signal: NEVER, ...options }),
    /** The whole exchange: nothing of it is left. */
    async exchange(url: string, options: Partial<FollowOptions> = {}): Promise<string> {
      return await (await this.follow(url, options)).text();
    },
    [Symbol.dispose]: () => transport.close(),
  };
}

Deno.test("follow() keeps a POST on 307 and 308 only", async () => {
  await using server = serve(async (request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    if (status > 0) return new Response("moved", { status, headers: { location: "/" } });
    return new Response(await describeRequest(request));
  });
  using it = requests();
  const seen: string[] = [];
  for (const status of [301, 302, 303, 307, 308]) {
    const url = `http://127.0.0.1:${server.port}/${status}`;
    seen.push(await it.exchange(url, { method: "POST", json: "{}", authorizationFor: () => "Basic eA==" }));
  }
  const get = "GET / Basic eA== - -";
  const post = "POST / Basic eA== application/json {}";
  assert.deepEqual(seen, [get, get, get, post, post]);
});

Deno.test("follow() asks for the credentials of each URL", async () => {
  await using other = serve(async (request) => new Response(await describeRequest(request)));
  const origin = `http://127.0.0.1:${other.port}`;
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    return Response.redirect(`${origin}/x?y`);
  });
  using it = requests();
  const known = `http://127.0.0.1:${server.port}`;
  seen.push(await it.exchange(known, { authorizationFor: (url) => url.origin === known ? "Basic eA==" : undefined }));
  assert.deepEqual(seen, ["GET / Basic eA== - -", "GET /x?y - - -"]);
});

Deno.test("follow() sends no user info of any URL", async () => {
  const seen: string[] = [];
  await using server = serve(async (request) => {
    seen.push(await describeRequest(request));
    if (seen.length > 1) return new Response();
    return new Response(null, { status: 302, headers: { location: `http://evil:user@127.0.0.1:${server.port}/x` } });
  });
  using it = requests();
  await it.exchange(`http://user:geheim@127.0.0.1:${server.port}/`);
  assert.deepEqual(seen, ["GET / - - -", "GET /x - - -"]);
});

Deno.test("follow() sends its headers to every URL on the way", async () => {
  const seen: unknown[] = [];
  await using server = serve((request) => {
    seen.push(request.headers.get("x-mine"));
    return seen.length > 1 ? new Response() : new Response(null, { status: 302, headers: { location: "/" } });
  });
  using it = requests();
  await it.exchange(`http://127.0.0.1:${server.port}/`, { headers: { "x-mine": "yes" } });
  assert.deepEqual(seen, ["yes", "yes"]);
});

Deno.test("follow() leaves the connection of a redirect for the next request", async () => {
  const ports: number[] = [];
  await using server = serve((_request, info) => {
    ports.push((info.remoteAddr as Deno.NetAddr).port);
    if (ports.length > 1) return new Response();
    return new Response("x".repeat(60_000), { status: 302, headers: { location: "/" } });
  });
  using it = requests();
  await it.exchange(`http://127.0.0.1:${server.port}/`);
  assert.deepEqual(ports, [ports[0], ports[0]]);
});

Deno.test("follow() refuses a sixth redirect and other schemes", async () => {
  let count = 0;
  await using server = serve((request) => {
    count++;
    const location = new URL(request.url).pathname === "/file" ? "file:///etc/passwd?geheim" : "/again";
    return new Response(null, { status: 302, headers: { location } });
  });
  using it = requests();
  const refused = async (path: string, message: string) =>
    await assert.rejects(it.follow(`http://127.0.0.1:${server.port}/${path}`), new RedirectError(message));
  await refused("", "more than 5 redirects");
  assert.equal(count, 6);
  await refused("file", "redirected to file:/etc/passwd?***, which is not an http or https URL");
  assert.equal(count, 7);
});

Deno.test("follow() returns a redirect without a location, and other answers", async () => {
  await using server = serve((request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    return new Response(null, { status, headers: status === 302 ? {} : { location: "/elsewhere" } });
  });
  using it = requests();
  for (const status of [302, 304, 201, 500]) {
    const answer = await it.follow(`http://127.0.0.1:${server.port}/${status}`);
    assert.equal(answer.status, status);
    await answer.body?.cancel();
  }
});

Deno.test("discard() leaves the connection of a short body for the next request", async () => {
  const ports = new Set<number>();
  await using server = serve((_request, info) => {
    ports.add((info.remoteAddr as Deno.NetAddr).port);
    return new Response("x".repeat(60_000));
  });
  using it = requests();
  for (let count = 0; count < 3; count++) await discard(await it.follow(`http://127.0.0.1:${server.port}/`), NEVER);
  assert.equal(ports.size, 1);
});

Deno.test("discard() ends the connection of a body that is long", async () => {
  let ended = false;
  await using server = serve(() => {
    const pull = (controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(16_384));
    return new Response(new ReadableStream({ pull, cancel: () => void (ended = true) }));
  });
  using it = requests();
  await discard(await it.follow(`http://127.0.0.1:${server.port}/`), NEVER);
  await until(() => ended);
});

Deno.test("discard() ignores a broken body unless the signal aborted", async () => {
  await using server = listen(async (connection, head) => {
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    if (head.startsWith("GET /broken ")) connection.close();
  });
  using it = requests();
  await discard(await it.follow(`http://127.0.0.1:${server.port}/broken`), NEVER);

  const abort = new AbortController();
  const { signal } = abort;
  const outcome = discard(await it.follow(`http://127.0.0.1:${server.port}/open`, { signal }), signal);
  const reason = new Error("stop");
  abort.abort(reason);
  assert.equal(await outcome.catch((error) => error), reason);
});

Deno.test("follow() and transports quote no token that no header can have", async () => {
  const token = "Bearer one\nsecret";
  await using server = serve(() => new Response("ok"));
  const url = `http://127.0.0.1:${server.port}/`;
  using it = requests();
  const isQuiet = (error: Error) => !String(error).includes("secret") && /header/.test(error.message);
  await assert.rejects(it.follow(url, { authorizationFor: () => token }), isQuiet);
  for (const options of [{}, { skipTlsVerify: true }]) {
    const transport = openTransport(options);
    await assert.rejects(transport.fetch(new URL(url), { headers: { authorization: token } }), isQuiet);
    transport.close();
  }
});
