import assert from "node:assert/strict";
import { nodeTransport } from "../../lib/http/node_transport.ts";
import type { HostPolicy, TransportOptions } from "../../lib/http/transport.ts";
import { freePort } from "../support/free_port.ts";
import { connectProxy } from "../support/connect_proxy.ts";
import { encode, hasIpv6, listen, serve, until } from "../support/local_servers.ts";
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

/** What a port says that does not speak HTTP, or speaks it wrongly. */
const NO_HTTP = {
  "an SSH server": "SSH-2.0-OpenSSH_9.6\r\n",
  "a Redis server": "-ERR wrong number of arguments for 'get' command\r\n",
  "HTTP/0.9": "<html></html>",
  "a bare line feed": "HTTP/1.1 200 OK\nContent-Length: 3\n\nnew",
  "a negative length": "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nabc",
  "two lengths": "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde",
  "a length and chunks": "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  "a header without a colon": "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
  "a head without an end": `HTTP/1.1 200 OK\r\n${"x-long: ".padEnd(200_000, "x")}`,
  "a chunk without a size": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n",
  "nothing": "",
};

const GOOD = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood";

for (const [what, bytes] of Object.entries(NO_HTTP)) {
  Deno.test(`nodeTransport() throws a read error for ${what}`, async () => {
    await using server = listen(async (connection) => {
      await connection.write(encode(bytes));
      await new Promise((resolve) => setTimeout(resolve, 20));
      connection.close();
    });
    for (const options of [{}, { proxy: `http://127.0.0.1:${server.port}` }]) {
      using transport = open(options);
      const text = async () => await (await transport.fetch(`http://127.0.0.1:${server.port}/`)).text();
      await assert.rejects(text, { name: "TransportError", phase: "read" });
    }
  });

  Deno.test(`nodeTransport() survives ${what} on a connection that is used again`, async () => {
    let answers = 0;
    await using server = listen(async (connection) => {
      if (answers++ === 0) {
        await connection.write(encode(GOOD));
        await connection.read(new Uint8Array(16_384));
      }
      await connection.write(encode(bytes));
      await new Promise((resolve) => setTimeout(resolve, 50));
      connection.close();
    });
    using transport = open();
    const text = async () => await (await transport.fetch(`http://127.0.0.1:${server.port}/`)).text();
    assert.equal(await text(), "good");
    // Node sends the request again on a connection of its own, which fails, too
    await assert.rejects(text, { name: "TransportError", phase: "read" });
    await until(() => server.open.size === 0);
  });
}

Deno.test("nodeTransport() takes no part of a body for the whole when more comes than was announced", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode(`${GOOD} and more`));
  });
  using transport = open();
  const text = (await transport.fetch(`http://127.0.0.1:${server.port}/`)).text();
  assert.equal(await text.catch(({ name }) => name), "TransportError");
});

for (const interim of ["100 Continue", "103 Early Hints"]) {
  Deno.test(`nodeTransport() takes a few answers ${interim} before the final one, but not any number`, async () => {
    const some = `HTTP/1.1 ${interim}\r\n\r\n`.repeat(20);
    await using few = listen(async (connection) => {
      await connection.write(encode(some + GOOD));
    });
    using transport = open();
    assert.equal(await (await transport.fetch(`http://127.0.0.1:${few.port}/`)).text(), "good");
    await using many = listen(async (connection) => {
      while (await connection.write(encode(some)) > 0);
    });
    await assert.rejects(transport.fetch(`http://127.0.0.1:${many.port}/`), {
      name: "TransportError",
      phase: "read",
      message: `127.0.0.1:${many.port} did not answer: too many interim answers (1xx)`,
    });
  });
}

Deno.test("nodeTransport() gives up on an answer in too many tiny chunks", async () => {
  const HEAD = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  await using endless = listen(async (connection) => {
    await connection.write(encode(HEAD));
    while (await connection.write(encode("1\r\nx\r\n".repeat(1000))) > 0);
  });
  await using few = listen(async (connection) => {
    await connection.write(encode(`${HEAD}${"1\r\nx\r\n".repeat(5000)}0\r\n\r\n`));
  });
  using transport = open();
  const text = async ({ port }: { port: number }) => await (await transport.fetch(`http://127.0.0.1:${port}/`)).text();
  await assert.rejects(text(endless), {
    name: "TransportError",
    phase: "read",
    message: `127.0.0.1:${endless.port} sends its answer in too many tiny chunks`,
  });
  assert.equal((await text(few)).length, 5000);
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

for (const scheme of ["http", "https"]) {
  Deno.test(`nodeTransport() names the proxy that it cannot connect to, for ${scheme}, without its password`, async () => {
    const port = freePort();
    using transport = open({ env: { [`${scheme.toUpperCase()}_PROXY`]: `http://user:geheim@127.0.0.1:${port}` } });
    const error = await transport.fetch(`${scheme}://nowhere.invalid/`).catch((error) => error);
    assert.match(error.message, new RegExp(`^cannot connect to nowhere\\.invalid.*proxy 127\\.0\\.0\\.1:${port}: `));
    assert.doesNotMatch(error.message, /geheim/);
  });
}
