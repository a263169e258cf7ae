import assert from "node:assert/strict";
import { nodeTransport } from "../../lib/http/node_transport.ts";
import type { HostPolicy, TransportOptions } from "../../lib/http/transport.ts";
import { connectProxy } from "../support/connect_proxy.ts";
import { encode, hasIpv6, listen, serve } from "../support/local_servers.ts";
import { serverCertificate } from "../support/server_certificate.ts";

const certificate = await serverCertificate();

/** A transport that goes with the test. What every transport does is in open_transport_test.ts. */
function open(options: TransportOptions = {}) {
  const transport = nodeTransport(options);
  return { fetch: transport.fetch, [Symbol.dispose]: transport.close };
}

Deno.test("nodeTransport() speaks HTTP/1.1 with a server that would rather have HTTP/2", async () => {
  const alpnProtocols = ["h2", "http/1.1"];
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, alpnProtocols, ...certificate });
  const served = (async () => {
    using connection = await listener.accept();
    const { alpnProtocol } = await connection.handshake();
    await connection.read(new Uint8Array(4096));
    await connection.write(encode(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${alpnProtocol}`));
  })();
  using transport = open({ skipTlsVerify: true });
  const answer = await transport.fetch(`https://127.0.0.1:${listener.addr.port}/`);
  assert.equal(await answer.text(), "http/1.1");
  await served;
});

Deno.test("nodeTransport() finds its proxy in env, and reaches this machine without it", async () => {
  await using server = serve((request) => new Response(`direct ${new URL(request.url).pathname}`));
  await using proxy = connectProxy();
  using transport = open({ env: { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` } });
  assert.equal(await (await transport.fetch("http://example.test/a?b")).text(), "proxied");
  assert.equal(await (await transport.fetch(`http://127.0.0.1:${server.port}/a`)).text(), "direct /a");
  assert.deepEqual(proxy.seen, ["GET http://example.test/a?b HTTP/1.1"]);
});

Deno.test("nodeTransport() tells an http proxy whom the request is for", async () => {
  const heads: string[] = [];
  await using proxy = listen(async (connection, head) => {
    heads.push(head);
    await connection.write(encode("HTTP/1.1 204 No Content\r\n\r\n"));
  });
  using transport = open({ proxy: `http://127.0.0.1:${proxy.port}` });
  await transport.fetch("http://example.test:8080/");
  assert.match(heads.join(), /^host: example\.test:8080\r$/mi);
});

Deno.test({
  name: "nodeTransport() reaches a server and a proxy by their IPv6 addresses",
  ignore: !hasIpv6,
  async fn() {
    await using server = serve(() => new Response("direct"));
    await using proxy = connectProxy();
    const at = (port: number) => `http://[::ffff:127.0.0.1]:${port}`;
    using direct = open();
    assert.equal(await (await direct.fetch(at(server.port))).text(), "direct");
    using proxied = open({ proxy: at(proxy.port) });
    assert.equal(await (await proxied.fetch("http://example.test/")).text(), "proxied");
  },
});

Deno.test("nodeTransport() keeps each of several headers of one name", async () => {
  await using server = listen(async (connection) => {
    await connection.write(
      encode("HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n"),
    );
  });
  using transport = open();
  const { headers } = await transport.fetch(`http://127.0.0.1:${server.port}/`);
  assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
});

Deno.test("nodeTransport() throws a read error for a status that is none", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 666 Beast\r\ncontent-length: 0\r\n\r\n"));
  });
  using transport = open();
  await assert.rejects(transport.fetch(`http://127.0.0.1:${server.port}/`), {
    name: "TransportError",
    phase: "read",
    message: `127.0.0.1:${server.port} answered with status 666`,
  });
});

Deno.test("nodeTransport() refuses a body that it cannot measure, and sends nothing", async () => {
  let count = 0;
  await using server = serve(() => {
    count++;
    return new Response();
  });
  using transport = open();
  const body = new ReadableStream();
  await assert.rejects(transport.fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body }), TypeError);
  assert.equal(count, 0);
});

/** A policy that decides by address alone, and notes what it was asked. */
function policyOf(isAdmitted: (address: string) => boolean) {
  const asked: string[] = [];
  const hostPolicy: HostPolicy = {
    byName: () => undefined,
    admitsByProxy: () => true,
    admits(url, address) {
      asked.push(`${url.host} ${address}`);
      return isAdmitted(address);
    },
  };
  return { hostPolicy, asked };
}

Deno.test("nodeTransport() connects to no address that its host policy refuses", async () => {
  let requests = 0;
  await using server = serve(() => {
    requests++;
    return new Response();
  });
  const { hostPolicy } = policyOf(() => false);
  using transport = open({ hostPolicy });
  await assert.rejects(transport.fetch(`http://localhost:${server.port}/`), {
    name: "RefusedHostError",
    message: `localhost:${server.port} is not an allowed host (URL_ALLOWED_HOSTS)`,
  });
  assert.equal(requests, 0);
});

Deno.test("nodeTransport() looks up a name once and connects to the address that was checked", async () => {
  await using server = serve((request) => new Response(request.headers.get("host")));
  const { hostPolicy, asked } = policyOf((address) => address === "127.0.0.1");
  using transport = open({ hostPolicy });
  const answer = await transport.fetch(`http://localhost:${server.port}/`);
  assert.equal(await answer.text(), `localhost:${server.port}`);
  assert.equal(new Set(asked).size, asked.length, asked.join());
});

Deno.test("nodeTransport() keeps the name for TLS when it connects to a checked address", async () => {
  await using server = serve(() => new Response("over TLS"), certificate);
  const { hostPolicy, asked } = policyOf((address) => address === "127.0.0.1");
  using transport = open({ hostPolicy, caCerts: [certificate.ca] });
  const answer = await transport.fetch(`https://localhost:${server.port}/`);
  assert.equal(await answer.text(), "over TLS");
  assert.ok(asked.length > 0);
});

Deno.test("nodeTransport() asks no host that its policy refuses by name", async () => {
  await using server = serve(() => new Response());
  using transport = open({ hostPolicy: { byName: () => "refused", admits: () => true, admitsByProxy: () => true } });
  await assert.rejects(transport.fetch(`http://127.0.0.1:${server.port}/`), { name: "RefusedHostError" });
});

Deno.test("nodeTransport() asks no proxy for a host that its policy cannot check", async () => {
  let requests = 0;
  await using proxy = serve(() => {
    requests++;
    return new Response("by proxy");
  });
  const { hostPolicy } = policyOf(() => true);
  const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
  using strict = open({ env, hostPolicy: { ...hostPolicy, admitsByProxy: () => false } });
  for (const scheme of ["http", "https"]) {
    await assert.rejects(strict.fetch(`${scheme}://example.com/`), { name: "RefusedHostError" });
  }
  assert.equal(requests, 0);
  using lenient = open({ env, hostPolicy });
  assert.equal(await (await lenient.fetch("http://example.com/")).text(), "by proxy");
});
