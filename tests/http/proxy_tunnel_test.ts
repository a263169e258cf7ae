import assert from "node:assert/strict";
import { httpProxy, proxyAddress, proxyAuthorization } from "../../lib/http/proxy_tunnel.ts";
import { nodeTransport } from "../../lib/http/node_transport.ts";
import { connectProxy } from "../support/connect_proxy.ts";
import { encode, hasIpv6, listen, serve, until } from "../support/local_servers.ts";
import { serverCertificate } from "../support/server_certificate.ts";

/** Its names are 127.0.0.1 and kubernetes.default.svc, among others. */
const certificate = await serverCertificate();

/** A transport whose https requests go through the tunnels of a proxy on this machine. */
function through(port: number, { host = "127.0.0.1", ...options }: { host?: string; serverName?: string } = {}) {
  const proxy = `http://${host}:${port}`;
  const transport = nodeTransport({ caCerts: [certificate.ca], proxy, ...options });
  return { fetch: transport.fetch, close: transport.close, [Symbol.dispose]: transport.close };
}

Deno.test("TunnelAgent uses a tunnel again", async () => {
  await using target = serve(() => new Response("secure"), certificate);
  await using proxy = connectProxy();
  using transport = through(proxy.port);
  for (let request = 0; request < 3; request++) {
    assert.equal(await (await transport.fetch(`https://127.0.0.1:${target.port}/`)).text(), "secure");
  }
  assert.deepEqual(proxy.seen, [`CONNECT 127.0.0.1:${target.port} HTTP/1.1`]);
});

Deno.test("TunnelAgent verifies serverName behind a proxy too", async () => {
  await using target = serve(() => new Response("secure"), certificate);
  await using proxy = connectProxy();
  const url = `https://127.0.0.1:${target.port}/`;
  using named = through(proxy.port, { serverName: "kubernetes.default.svc" });
  assert.equal(await (await named.fetch(url)).text(), "secure");
  using wrong = through(proxy.port, { serverName: "other.internal" });
  await assert.rejects(wrong.fetch(url), { name: "TransportError", phase: "connect", message: /other\.internal/ });
  assert.equal(proxy.seen.length, 2);
});

Deno.test("TunnelAgent asks for an IPv6 address in brackets", async () => {
  await using proxy = connectProxy();
  using transport = through(proxy.port);
  await assert.rejects(transport.fetch("https://[2001:db8::1]:1/"));
  assert.deepEqual(proxy.seen, ["CONNECT [2001:db8::1]:1 HTTP/1.1"]);
});

Deno.test({
  name: "TunnelAgent reaches a proxy by its IPv6 address",
  ignore: !hasIpv6,
  async fn() {
    await using target = serve(() => new Response("secure"), certificate);
    await using proxy = connectProxy();
    using transport = through(proxy.port, { host: "[::ffff:127.0.0.1]" });
    assert.equal(await (await transport.fetch(`https://127.0.0.1:${target.port}/`)).text(), "secure");
    assert.equal(proxy.seen.length, 1);
  },
});

Deno.test("TunnelAgent says which proxy refused, or cannot be reached", async () => {
  await using refusing = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"));
  });
  using refused = through(refusing.port);
  await assert.rejects(refused.fetch("https://example.test/"), {
    phase: "connect",
    message: new RegExp(`proxy 127.0.0.1:${refusing.port} refused the connection with status 407`),
  });
  using away = through(1);
  await assert.rejects(away.fetch("https://example.test/"), { phase: "connect", message: /proxy 127\.0\.0\.1:1: / });
});

Deno.test("TunnelAgent says which proxy does not speak HTTP", async () => {
  await using proxy = listen(async (connection) => {
    await connection.write(encode("SSH-2.0-OpenSSH_9.6\r\n"));
  });
  using transport = through(proxy.port);
  const message = new RegExp(`proxy 127\\.0\\.0\\.1:${proxy.port}: `);
  await assert.rejects(transport.fetch("https://example.test/"), { phase: "connect", message });
});

Deno.test("TunnelAgent gives up on a proxy that hangs when told to", async () => {
  await using hanging = listen(() => Promise.resolve());
  using transport = through(hanging.port);
  const abort = new AbortController();
  const aborted = transport.fetch("https://example.test/", { signal: abort.signal });
  await until(() => hanging.open.size === 1);
  abort.abort(new Error("stop"));
  await assert.rejects(aborted, /stop/);
  await until(() => hanging.open.size === 0);

  const closed = assert.rejects(transport.fetch("https://example.test/"), { phase: "connect" });
  await until(() => hanging.open.size === 1);
  transport.close();
  await closed;
  await until(() => hanging.open.size === 0);
});

Deno.test("httpProxy() refuses other schemes without showing the password", () => {
  assert.equal(httpProxy("http://user:pw@proxy.test:3128").host, "proxy.test:3128");
  for (const scheme of ["https", "socks5"]) {
    assert.throws(() => httpProxy(`${scheme}://user:geheim@proxy.test:3128`), {
      name: "TransportError",
      phase: "connect",
      message: new RegExp(`^proxy ${scheme}://proxy.test:3128 cannot be used .*: use an http:// proxy$`),
    });
  }
});

Deno.test("proxyAddress() has no brackets, and a port", () => {
  assert.deepEqual(proxyAddress(new URL("http://[fd00::1]:3128")), { host: "fd00::1", port: "3128" });
  assert.deepEqual(proxyAddress(new URL("http://proxy.test")), { host: "proxy.test", port: "80" });
});

Deno.test("proxyAuthorization() decodes the user info of the URL", () => {
  const pair = encode("us@er:p:wä").toBase64();
  const url = new URL("http://us%40er:p%3Aw%C3%A4@proxy.test");
  assert.deepEqual(proxyAuthorization(url), { "proxy-authorization": `Basic ${pair}` });
  assert.deepEqual(proxyAuthorization(new URL("http://proxy.test")), {});
});
