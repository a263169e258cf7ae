import assert from "node:assert/strict";
import { GRACE_MS, MAX_CONNECTIONS, MAX_HEAD_SECONDS, Responder } from "../../lib/serve/responder.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { encode, until } from "../support/local_servers.ts";

/**
 * A responder that answers with the method, the path and a header.
 *
 * @param options.gone clients that reset their connection before it is accepted
 */
function responding({ gone = 0 } = {}) {
  const disposed = Promise.withResolvers<void>();
  let responded = 0;
  const clock = new FakeClock();
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const accept = listener.accept.bind(listener);
  listener.accept = () => gone-- > 0 ? Promise.reject(new Deno.errors.NotConnected("reset by the client")) : accept();
  const { port } = listener.addr as Deno.NetAddr;
  const responder = new Responder({
    respond: async ({ method, url, headers, remote }) => {
      if (url.pathname === "/bug") throw new Error("a bug");
      responded++;
      if (url.pathname === "/slow") await disposed.promise;
      if (url.pathname === "/large") return { status: 200, type: "text/plain", body: "x".repeat(8_000_000) };
      return { status: 200, type: "text/plain", body: `${method} ${url.pathname} ${headers.get("x")} ${remote}` };
    },
    headers: () => ({ "x-every": "answer" }),
    clock,
  });
  const served = responder.serve(listener);
  const open: Deno.Conn[] = [];
  return {
    clock,
    /** Requests that were handed on. */
    get responded() {
      return responded;
    },
    /** Lets answers of `/slow` end. */
    finish: () => disposed.resolve(),
    async connect(text = "") {
      const connection = await Deno.connect({ port, hostname: "127.0.0.1" });
      open.push(connection);
      await connection.write(encode(text));
      return connection;
    },
    /** Everything that comes until the end. */
    async exchange(text: string) {
      return await rest(await this.connect(text));
    },
    /** As `exchange`, while time passes. */
    async exchangeAfterGrace(text: string) {
      let answer: string | undefined;
      const exchanged = this.exchange(text).then((all) => answer = all);
      for (; answer === undefined; await new Promise((resolve) => setTimeout(resolve, 1))) {
        await clock.advance(GRACE_MS / 1000);
      }
      return await exchanged;
    },
    async [Symbol.asyncDispose]() {
      responder.close();
      disposed.resolve();
      await served;
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // it was closed by the test
        }
      }
    },
  };
}

async function rest(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const read = await connection.read(buffer).catch(() => null);
    if (read === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, read));
  }
}

const GET = "GET /a?b=c HTTP/1.1\r\nhost: x\r\nX: 1\r\n\r\n";

Deno.test("Responder does not wait after clients that are gone", async () => {
  await using it = responding({ gone: 1000 });
  assert.match(await it.exchange("GET /a HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 200 OK/);
});

Deno.test("Responder answers a request and closes the connection", async () => {
  await using it = responding();
  const lines = (await it.exchange(GET)).split("\r\n");
  assert.deepEqual(lines, [
    "HTTP/1.1 200 OK",
    "content-type: text/plain",
    "content-length: 18",
    "connection: close",
    "x-every: answer",
    "",
    "GET /a 1 127.0.0.1",
  ]);
});

Deno.test("Responder answers HEAD without a body, and a POST although its body follows", async () => {
  await using it = responding();
  assert.match(
    await it.exchange("HEAD /a HTTP/1.1\r\n\r\n"),
    /content-length: 22\r\nconnection: close\r\nx-every: answer\r\n\r\n$/,
  );
  const post = `POST /a HTTP/1.1\r\ncontent-length: 10000\r\n\r\n${"x".repeat(10_000)}`;
  assert.match(await it.exchange(post), /\r\n\r\nPOST \/a null 127/);
});

Deno.test("Responder refuses what is not a request, and survives a bug", async () => {
  await using it = responding();
  for (
    const text of ["hello\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n"]
  ) {
    assert.match(await it.exchange(text), /^HTTP\/1\.1 400 /, text);
  }
  assert.match(await it.exchange(`GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await it.exchange("GET /bug HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 500 .*\r\n\r\ninternal error\n$/s);
  assert.match(await it.exchange(GET), /^HTTP\/1\.1 200 /);
});

Deno.test("Responder waits ten seconds for the head of a request", async () => {
  await using it = responding();
  const slow = await it.connect("GET / HTTP/1.1\r\n");
  await until(() => it.clock.sleeping > 0);
  await it.clock.advance(MAX_HEAD_SECONDS);
  assert.equal(await rest(slow), "");
});

Deno.test("Responder has room for a probe while clients send half a request", async () => {
  await using it = responding();
  const first = await it.connect("GET / HT");
  for (let count = 1; count < 3 * MAX_CONNECTIONS; count++) await it.connect("GET / HT");
  assert.match(await it.exchangeAfterGrace(GET), /^HTTP\/1\.1 200 /);
  assert.equal(await rest(first), "");
});

Deno.test("Responder has room for a probe while clients keep answered connections", async () => {
  await using it = responding();
  for (let count = 0; count < 3 * MAX_CONNECTIONS; count++) {
    const connection = await it.connect(GET);
    assert.match(await rest(connection), /^HTTP\/1\.1 200 /);
  }
  assert.match(await it.exchange(GET), /^HTTP\/1\.1 200 /);
});

Deno.test("Responder answers each of hundreds of requests that come at once", async () => {
  await using it = responding();
  const answers = await Promise.all(Array.from({ length: 300 }, async () => await rest(await it.connect(GET))));
  assert.deepEqual(answers.filter((answer) => !answer.startsWith("HTTP/1.1 200 ")), []);
});

Deno.test("Responder closes no connection before its request can have come", async () => {
  await using it = responding();
  const late = await it.connect();
  for (let count = 0; count < 2 * MAX_CONNECTIONS; count++) await it.connect();
  await until(() => it.clock.sleeping > MAX_CONNECTIONS);
  await it.clock.advance((GRACE_MS - 1) / 1000);
  await late.write(encode(GET));
  assert.match(await rest(late), /^HTTP\/1\.1 200 /);
});

Deno.test("Responder closes no connection whose request has just come", async () => {
  await using it = responding();
  const late = await it.connect();
  for (let count = 0; count < 2 * MAX_CONNECTIONS; count++) await it.connect();
  await until(() => it.clock.sleeping > MAX_CONNECTIONS);
  await it.clock.advance((GRACE_MS - 1) / 1000);
  const respondedBefore = it.responded;
  await late.write(encode("GET /slow HTTP/1.1\r\n\r\n"));
  await until(() => it.responded > respondedBefore);
  await it.clock.advance(2 / 1000);
  it.finish();
  assert.match(await rest(late), /^HTTP\/1\.1 200 /);
});

Deno.test("Responder has room for a probe while answers do not end", async () => {
  await using it = responding();
  for (let count = 0; count <= MAX_CONNECTIONS; count++) await it.connect("GET /slow HTTP/1.1\r\n\r\n");
  assert.match(await it.exchangeAfterGrace(GET), /^HTTP\/1\.1 200 /);
});

Deno.test("close() ends the connections that wait", async () => {
  await using it = responding();
  await it.connect("GET / HTTP/1.1\r\n");
});

Deno.test("Responder sends large answers whole, and only a few at one time", async () => {
  await using it = responding();
  const LARGE = "GET /large HTTP/1.1\r\n\r\n";
  assert.equal(
    (await it.exchange(LARGE)).length,
    (await it.exchange("HEAD /large HTTP/1.1\r\n\r\n")).length + 8_000_000,
  );
  for (let count = 1; count <= 4; count++) {
    await it.connect(LARGE);
    await until(() => it.responded === 2 + count);
  }
  assert.match(await it.exchange(LARGE), /^HTTP\/1\.1 503 [^]*too many large answers are under way: try again\n$/);
  assert.match(await it.exchange(GET), /^HTTP\/1\.1 200 /);
});
