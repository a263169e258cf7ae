import assert from "node:assert/strict";
import * as net from "node:net";
import { openTransport } from "../../lib/http/open_transport.ts";
import { type Transport, TransportError, type TransportOptions } from "../../lib/http/transport.ts";
import { connectProxy } from "../support/connect_proxy.ts";
import { isFree } from "../support/free_port.ts";
import { encode, listen, serve, until } from "../support/local_servers.ts";
import { serverCertificate } from "../support/server_certificate.ts";

/** Trusted with {@link certificate}'s `ca`; its names are 127.0.0.1 and kubernetes.default.svc, among others. */
const certificate = await serverCertificate();

async function transportError(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(() => assert.fail("did not reject"), (error) => error);
  assert.ok(error instanceof TransportError, String(error));
  return error;
}

const variants: [name: string, make: (options?: TransportOptions) => Transport][] = [
  ["nativeTransport", (options) => openTransport(options)],
  ["nodeTransport", (options) => openTransport({ ...options, skipTlsVerify: true })],
];

for (const [name, make] of variants) {
  Deno.test(`${name}() sends method, headers and body, and gives status, headers and body back`, async () => {
    await using echo = serve(async (request) => {
      const headers = { "x-seen": `${request.method} ${request.headers.get("x-mine")} ${new URL(request.url).search}` };
      return new Response(await request.text(), { status: 201, headers });
    });
    const transport = make();
    for (const body of ["grün", encode("grün")]) {
      const init = { method: "POST", headers: { "x-mine": "yes" }, body };
      const answer = await transport.fetch(`http://127.0.0.1:${echo.port}/path?a=b`, init);
      assert.deepEqual([answer.status, answer.headers.get("x-seen")], [201, "POST yes ?a=b"]);
      assert.equal(await answer.text(), "grün");
    }
    transport.close();
  });

  Deno.test(`${name}() hands a redirect over and does not follow it`, async () => {
    await using redirecting = serve(() => new Response(null, { status: 302, headers: { location: "/elsewhere" } }));
    const transport = make();
    const answer = await transport.fetch(`http://127.0.0.1:${redirecting.port}/`);
    assert.deepEqual([answer.status, answer.headers.get("location")], [302, "/elsewhere"]);
    await answer.body?.cancel();
    transport.close();
  });

  Deno.test(`${name}() takes an answer without a body`, async () => {
    await using empty = serve(() => new Response(null, { status: 204 }));
    const transport = make();
    const answer = await transport.fetch(`http://127.0.0.1:${empty.port}/`);
    assert.deepEqual([answer.status, await answer.text()], [204, ""]);
    transport.close();
  });

  Deno.test(`${name}() uses a connection again`, async () => {
    const ports = new Set<number>();
    await using server = serve((_request, info) => {
      ports.add((info.remoteAddr as Deno.NetAddr).port);
      return new Response("answer");
    });
    const transport = make();
    for (let request = 0; request < 3; request++) {
      await (await transport.fetch(`http://127.0.0.1:${server.port}/`)).text();
    }
    assert.equal(ports.size, 1);
    transport.close();
  });

  Deno.test(`${name}() with sendOnce sends a request once though its connection breaks`, async () => {
    let requests = 0;
    await using server = listen(async (connection) => {
      if (++requests === 1) {
        await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        if (await connection.read(new Uint8Array(4096)) === null) return;
        requests++;
      }
      connection.close();
    });
    const transport = make({ sendOnce: true });
    const url = `http://127.0.0.1:${server.port}/`;
    await (await transport.fetch(url)).text();
    assert.equal((await transportError(transport.fetch(url))).phase, "read");
    assert.equal(requests, 2);
    transport.close();
  });

  Deno.test(`${name}() throws a connect error that names the host and hides the query when nobody listens`, async () => {
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    const transport = make();
    const error = await transportError(transport.fetch(`http://user:pw@127.0.0.1:${port}/?token=geheim`));
    assert.equal(error.phase, "connect");
    assert.match(error.message, new RegExp(`^cannot connect to 127.0.0.1:${port}: .*refused`, "i"));
    assert.doesNotMatch(error.message, /geheim|pw/);
    transport.close();
  });

  Deno.test(`${name}() throws a read error when the connection is closed before the answer`, async () => {
    await using server = listen((connection) => Promise.resolve(connection.close()));
    const transport = make();
    const error = await transportError(transport.fetch(`http://127.0.0.1:${server.port}/?token=geheim`));
    assert.equal(error.phase, "read");
    assert.match(error.message, /^127\.0\.0\.1:\d+ did not answer: /);
    assert.doesNotMatch(error.message, /geheim/);
    transport.close();
  });

  Deno.test(`${name}() throws a read error when the connection is reset before the answer`, async () => {
    const server = net.createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const transport = make();
    const error = await transportError(transport.fetch(`http://127.0.0.1:${port}/?token=geheim`));
    assert.equal(error.phase, "read");
    assert.match(error.message, /^127\.0\.0\.1:\d+ did not answer: .*(reset|hang up)/i);
    assert.doesNotMatch(error.message, /geheim/);
    transport.close();
    await new Promise((resolve) => server.close(resolve));
  });

  Deno.test(`${name}() fails the body when the connection is closed in its middle`, async () => {
    for (const head of ["content-length: 100\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"]) {
      await using server = listen(async (connection) => {
        await connection.write(encode(`HTTP/1.1 200 OK\r\n${head}`));
        connection.close();
      });
      const transport = make();
      const answer = await transport.fetch(`http://127.0.0.1:${server.port}/`);
      await assert.rejects(answer.text());
      transport.close();
    }
  });

  Deno.test(`${name}() rejects with the signal's reason while it waits for an answer`, async () => {
    await using silent = listen(() => Promise.resolve());
    const transport = make();
    const abort = new AbortController();
    const answer = transport.fetch(`http://127.0.0.1:${silent.port}/`, { signal: abort.signal });
    await until(() => silent.open.size === 1);
    const reason = new Error("stop");
    abort.abort(reason);
    assert.equal(await answer.catch((error) => error), reason);
    await assert.rejects(transport.fetch("http://127.0.0.1:1/", { signal: abort.signal }), reason);
    transport.close();
    await until(() => silent.open.size === 0);
  });

  Deno.test(`${name}() ends a body with the signal's reason, and with it the connection`, async () => {
    await using server = listen(async (connection) => {
      await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    });
    const transport = make();
    const abort = new AbortController();
    const answer = await transport.fetch(`http://127.0.0.1:${server.port}/`, { signal: abort.signal });
    const reader = answer.body!.getReader();
    assert.deepEqual((await reader.read()).value, encode("half"));
    const next = reader.read();
    const reason = new Error("stop");
    abort.abort(reason);
    assert.equal(await next.catch((error) => error), reason);
    await until(() => server.open.size === 0);
    transport.close();
  });

  Deno.test(`${name}() reads a body no faster than its consumer`, async () => {
    const size = 64 * 1024 * 1024;
    let sent = 0;
    await using server = serve(() => {
      const pull = (controller: ReadableStreamDefaultController) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
        if (sent >= size) controller.close();
      };
      return new Response(new ReadableStream({ pull }));
    });
    const transport = make();
    const answer = await transport.fetch(`http://127.0.0.1:${server.port}/`);
    const reader = answer.body!.getReader();
    await reader.read();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(sent < size / 2, `${sent} bytes were taken from the server though one chunk was read`);
    let received = 0;
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) received += chunk.value.length;
    assert.ok(received > size - 1024 * 1024);
    transport.close();
  });

  Deno.test(`${name}() leaves no connection behind after close()`, async () => {
    await using server = listen(async (connection) => {
      await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
    });
    const transport = make();
    assert.equal(await (await transport.fetch(`http://127.0.0.1:${server.port}/`)).text(), "ok");
    transport.close();
    await until(() => server.open.size === 0);
    assert.match((await transportError(transport.fetch(`http://127.0.0.1:${server.port}/`))).message, /closed/);
  });
}

Deno.test("openTransport() trusts caCerts, and nothing unknown without them", async () => {
  await using server = serve(() => new Response("secure"), certificate);
  const trusting = openTransport({ caCerts: [certificate.ca] });
  assert.equal(await (await trusting.fetch(`https://127.0.0.1:${server.port}/`)).text(), "secure");
  trusting.close();
  const wary = openTransport();
  const error = await transportError(wary.fetch(`https://127.0.0.1:${server.port}/`));
  assert.equal(error.phase, "connect");
  assert.match(error.message, /certificate/);
  wary.close();
});

Deno.test("openTransport() verifies serverName in place of the URL's host", async () => {
  await using server = serve(() => new Response("secure"), certificate);
  const url = `https://127.0.0.1:${server.port}/`;
  const named = openTransport({ caCerts: [certificate.ca], serverName: "kubernetes.default.svc" });
  assert.equal(await (await named.fetch(url)).text(), "secure");
  named.close();
  const wrong = openTransport({ caCerts: [certificate.ca], serverName: "other.internal" });
  assert.match((await transportError(wrong.fetch(url))).message, /other\.internal/);
  wrong.close();
  const untrusted = openTransport({ serverName: "kubernetes.default.svc" });
  assert.match((await transportError(untrusted.fetch(url))).message, /self-signed|certificate/);
  untrusted.close();
});

Deno.test("openTransport() takes any certificate without verification", async () => {
  await using server = serve(() => new Response("secure"), certificate);
  for (const options of [{}, { serverName: "whatever.internal" }]) {
    const transport = openTransport({ ...options, skipTlsVerify: true });
    assert.equal(await (await transport.fetch(`https://127.0.0.1:${server.port}/`)).text(), "secure");
    transport.close();
  }
});

Deno.test("transports go through the proxy they are given, with its credentials", async () => {
  await using target = serve(() => new Response("secure"), certificate);
  const authorization = `proxy-authorization: Basic ${btoa("us@er:p:w")}`;
  for (const skipTlsVerify of [false, true]) {
    await using between = connectProxy();
    const transport = openTransport({
      skipTlsVerify,
      caCerts: [certificate.ca],
      proxy: `http://us%40er:p%3Aw@127.0.0.1:${between.port}`,
    });
    assert.equal(await (await transport.fetch("http://example.test/p?q")).text(), "proxied");
    assert.equal(await (await transport.fetch(`https://127.0.0.1:${target.port}/`)).text(), "secure");
    transport.close();
    const seen = between.seen.map((line) => line.replace(/^proxy-auth/i, "proxy-auth"));
    assert.deepEqual(seen, [
      "GET http://example.test/p?q HTTP/1.1",
      authorization,
      `CONNECT 127.0.0.1:${target.port} HTTP/1.1`,
      authorization,
    ]);
  }
});

Deno.test("openTransport() goes through the proxy it is given whatever NO_PROXY says", async () => {
  await using target = serve(() => new Response("secure"), certificate);
  await using between = connectProxy();
  const before = Deno.env.get("NO_PROXY");
  Deno.env.set("NO_PROXY", "127.0.0.0/8");
  const transport = openTransport({ caCerts: [certificate.ca], proxy: `http://127.0.0.1:${between.port}` });
  try {
    assert.equal(await (await transport.fetch(`https://127.0.0.1:${target.port}/`)).text(), "secure");
    assert.equal(between.seen[0], `CONNECT 127.0.0.1:${target.port} HTTP/1.1`);
  } finally {
    transport.close();
    if (before === undefined) Deno.env.delete("NO_PROXY");
    else Deno.env.set("NO_PROXY", before);
  }
});

Deno.test("openTransport() reaches ports that browsers block", async () => {
  // Of the "bad ports" of https://fetch.spec.whatwg.org/#port-blocking
  const port = [10080, 6697, 6679, 6669, 6668, 6667, 6666, 6665, 6566, 6000, 5061, 5060].find(isFree);
  assert.ok(port !== undefined, "none of them is free");
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, () => new Response("here"));
  const transport = openTransport();
  try {
    assert.equal(await (await transport.fetch(`http://127.0.0.1:${port}/`)).text(), "here");
  } finally {
    transport.close();
    await server.shutdown();
  }
});
