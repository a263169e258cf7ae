import assert from "node:assert/strict";
import { BusyHostError, FetchError } from "../../lib/downloads/fetch_error.ts";
import { Fetcher, type FetcherOptions } from "../../lib/downloads/fetcher.ts";
import type { Validators } from "../../lib/downloads/validators.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { encode, listen, serve, until } from "../support/local_servers.ts";

/** A download over real connections, with a clock that the test moves, into memory. */
function download(options: Partial<FetcherOptions> = {}) {
  const transport = options.transport ?? openTransport();
  const clock = new FakeClock();
  const content = new Fetcher({
    transport,
    retry: { total: 5, connect: 10, read: 5, backoffFactor: 1.1 },
    timeout: 10,
    maxSeconds: 10_000,
    maxBytes: 1_000_000,
    enable5xx: false,
    authorizationFor: () => Promise.resolve(undefined),
    clock,
    wallClock: () => Date.parse("2026-01-01T00:00:00Z"),
    log: { debug() {} },
    onRead() {},
    ...options,
  });
  const sink = {
    bytes: [] as number[],
    restarts: 0,
    restart() {
      this.bytes = [];
      this.restarts++;
    },
    write(chunk: Uint8Array) {
      this.bytes.push(...chunk);
    },
    get text() {
      return new TextDecoder().decode(Uint8Array.from(this.bytes));
    },
  };
  const abort = new AbortController();
  return {
    clock,
    sink,
    abort,
    fetch: (url: string, known?: Validators) => content.fetchTo(url, sink, abort.signal, known),
    fetchInto: (url: string, other: Parameters<Fetcher["fetchTo"]>[1]) => content.fetchTo(url, other, abort.signal),
    /** Lets the retry after `delay` seconds happen as soon as it is waited for. */
    async retryAfter(delay: number) {
      await until(() => clock.nextDue === delay);
      await clock.advance(delay);
    },
    [Symbol.dispose]: () => transport.close(),
  };
}

async function contentError(promise: Promise<unknown>): Promise<FetchError> {
  const error = await promise.then(() => assert.fail("did not reject"), (error) => error);
  assert.ok(error instanceof FetchError, String(error));
  return error;
}

Deno.test("fetchTo() ends a trickling answer after URL_TIMEOUT", async () => {
  let piece = Promise.withResolvers<boolean>();
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"));
    while (await piece.promise) {
      piece = Promise.withResolvers();
      await connection.write(encode("x"));
    }
  });
  using it = download({ maxSeconds: 30 });
  const result = contentError(it.fetch(`http://127.0.0.1:${server.port}/`));
  for (let sent = 1; sent <= 5; sent++) {
    piece.resolve(true);
    await until(() => it.sink.bytes.length === sent);
    await it.clock.advance(6);
  }
  piece.resolve(false);
  assert.match((await result).message, /failed: not complete within 30 s \(URL_TIMEOUT\)$/);
  assert.equal(it.clock.sleeping, 0);
});

Deno.test("fetchTo() counts retries towards URL_TIMEOUT", async () => {
  await using server = serve(() => new Response("no", { status: 502 }));
  using it = download({ maxSeconds: 4 });
  const result = contentError(it.fetch(`http://127.0.0.1:${server.port}/`));
  await it.retryAfter(1.1);
  await it.retryAfter(2.2);
  await until(() => it.clock.sleeping > 0 && it.clock.nextDue !== 2.2);
  await it.clock.advance(0.7);
  assert.match((await result).message, /not complete within 4 s \(URL_TIMEOUT\) \(after 3 attempts\)$/);
});

Deno.test("fetchTo() writes what the URL serves", async () => {
  await using server = serve((request) => new Response(`content of ${new URL(request.url).pathname}`));
  for (const transport of [openTransport(), openTransport({ skipTlsVerify: true })]) {
    using it = download({ transport });
    await it.fetch(` http://127.0.0.1:${server.port}/dashboard.json\n`);
    assert.equal(it.sink.text, "content of /dashboard.json");
    assert.equal(it.clock.sleeping, 0);
  }
});

Deno.test("fetchTo() writes nothing for an empty answer", async () => {
  await using server = serve(() => new Response(null, { status: 204 }));
  using it = download();
  await it.fetch(`http://127.0.0.1:${server.port}/`);
  assert.deepEqual(it.sink.bytes, []);
});

Deno.test("fetchTo() lets other tasks run while many small pieces are there", async () => {
  let pauses = 0;
  class BusyClock extends FakeClock {
    #looks = 0;
    /** Each look at it takes a millisecond. */
    override now() {
      return super.now() + this.#looks++;
    }
    override async sleep(seconds: number, signal?: AbortSignal) {
      if (seconds > 0) return await super.sleep(seconds, signal);
      pauses++;
    }
  }
  const pieces = Array.from({ length: 1000 }, () => encode("piece"));
  const transport = { fetch: () => Promise.resolve(new Response(ReadableStream.from(pieces))), close() {} };
  using it = download({ transport, clock: new BusyClock() });
  await it.fetch("http://127.0.0.1:1/");
  assert.equal(it.sink.bytes.length, 5000);
  assert.ok(pauses >= 25, `${pauses}`);
});

Deno.test("fetchTo() does not take a part for the whole", async () => {
  const headers = { "content-range": "bytes 0-3/100" };
  await using server = serve(() => new Response("part", { status: 206, headers }));
  using it = download();
  const error = await contentError(it.fetch(`http://127.0.0.1:${server.port}/`));
  assert.match(error.message, /answered 206 Partial Content$/);
  assert.deepEqual(it.sink.bytes, []);
});

Deno.test("fetchTo() decodes a compressed body, or refuses it", async () => {
  await using server = serve((request) => {
    const encoding = new URL(request.url).pathname.slice(1);
    assert.equal(request.headers.get("accept-encoding"), "identity");
    assert.equal(request.headers.get("user-agent"), "deno-k8s-sidecar");
    const plain = new Response("compressed").body!;
    const body = encoding === "br" ? plain : plain.pipeThrough(new CompressionStream("gzip"));
    return new Response(body, { headers: { "content-encoding": encoding } });
  });
  for (const transport of [openTransport(), openTransport({ skipTlsVerify: true })]) {
    using it = download({ transport });
    await it.fetch(`http://127.0.0.1:${server.port}/gzip`);
    assert.equal(it.sink.text, "compressed");
    assert.match(
      (await contentError(it.fetch(`http://127.0.0.1:${server.port}/br`))).message,
      /with the encoding br, which/,
    );
  }
});

Deno.test("fetchTo() refuses what is not an http URL", async () => {
  using it = download();
  assert.equal(
    (await contentError(it.fetch("file:///etc/passwd"))).message,
    "file:/etc/passwd is not an http or https URL",
  );
  assert.equal((await contentError(it.fetch("geheim"))).message, "(not a URL) is not an http or https URL");
});

Deno.test("fetchTo() fails at once on a 4xx, without showing secrets", async () => {
  let requests = 0;
  await using server = serve((request) => {
    requests++;
    assert.equal(request.headers.get("authorization"), null);
    return new Response("an error page", { status: 404 });
  });
  using it = download({ enable5xx: true });
  const error = await contentError(it.fetch(`http://user:geheim@127.0.0.1:${server.port}/a?key=geheim`));
  assert.equal(error.message, `GET http://127.0.0.1:${server.port}/a?key=*** failed: answered 404 Not Found`);
  assert.equal(requests, 1);
  assert.deepEqual(it.sink.bytes, []);
});

Deno.test("fetchTo() retries a 502 until the retries are used up", async () => {
  let requests = 0;
  await using server = serve(() => new Response("busy", { status: ++requests === 2 ? 200 : 502 }));
  using it = download();
  const good = it.fetch(`http://127.0.0.1:${server.port}/`);
  await it.retryAfter(1.1);
  await good;
  assert.equal(it.sink.text, "busy");

  using hopeless = download({ retry: { total: 1, connect: 1, read: 1, backoffFactor: 1 } });
  const outcome = contentError(hopeless.fetch(`http://127.0.0.1:${server.port}/`));
  await hopeless.retryAfter(1);
  assert.match((await outcome).message, /answered 502 .*\(after 2 attempts\)/);
  assert.deepEqual(hopeless.sink.bytes, []);
});

Deno.test("fetchTo() leaves 429 and 503 to the pause of the host", async () => {
  const cases: [status: number, retryAfter: string | undefined, seconds: number | undefined][] = [
    [429, "120", 120],
    [503, "Thu, 01 Jan 2026 00:01:30 GMT", 90],
    [503, "soon", undefined],
    [429, undefined, undefined],
  ];
  for (const [status, retryAfter, seconds] of cases) {
    let requests = 0;
    await using server = serve(() => {
      requests++;
      return new Response("busy", { status, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } });
    });
    using it = download();
    const error = await contentError(it.fetch(`http://127.0.0.1:${server.port}/?key=geheim`));
    assert.ok(error instanceof BusyHostError);
    assert.equal(error.retryAfter, seconds);
    assert.match(error.message, new RegExp(`key=\\*\\*\\* failed: answered ${status} [A-Z][A-Za-z ]+$`));
    assert.equal(requests, 1);
  }
});

Deno.test("fetchTo() says whether the host answered", async () => {
  await using server = serve(() => new Response("no", { status: 404 }));
  using it = download({ retry: { total: 0, connect: 0, read: 0, backoffFactor: 1 } });
  assert.equal((await contentError(it.fetch(`http://127.0.0.1:${server.port}/`))).hasAnswered, true);
  assert.equal((await contentError(it.fetch("http://127.0.0.1:1/"))).hasAnswered, false);
});

/** Serves "content" with an ETag, 304 for a request with it, and redirects `/to?URL`. `conditions` has what it was asked. */
function cache() {
  const conditions: (string | null)[] = [];
  const server = serve((request) => {
    const { pathname, search } = new URL(request.url);
    const condition = request.headers.get("if-none-match");
    conditions.push(condition);
    if (pathname === "/to") return Response.redirect(search.slice(1));
    if (condition === '"1"' || pathname === "/always") return new Response(null, { status: 304 });
    return new Response("content", { headers: { etag: '"1"' } });
  });
  return Object.assign(server, { conditions, url: `http://127.0.0.1:${server.port}` });
}

Deno.test("fetchTo() asks whether the content is still the same", async () => {
  for (const transport of [openTransport(), openTransport({ skipTlsVerify: true })]) {
    await using server = cache();
    using it = download({ transport });
    const first = await it.fetch(`${server.url}/a`);
    assert.deepEqual([first.isUnchanged, it.sink.text], [false, "content"]);
    it.sink.restart();
    const second = await it.fetch(`${server.url}/a`, first.validators);
    assert.deepEqual(second, { isUnchanged: true, validators: first.validators });
    assert.deepEqual([it.sink.bytes, server.conditions], [[], [null, '"1"']]);
  }
});

Deno.test("fetchTo() sends conditions only to the URL that answered", async () => {
  await using a = cache();
  await using b = cache();
  using it = download();
  const direct = await it.fetch(`${a.url}/a`);
  // Redirected elsewhere since
  assert.equal((await it.fetch(`${b.url}/to?${b.url}/a`, direct.validators)).isUnchanged, false);
  assert.deepEqual(b.conditions.splice(0), [null, null]);
  // Redirected to the same
  assert.equal((await it.fetch(`${b.url}/to?${a.url}/a`, direct.validators)).isUnchanged, true);
  assert.deepEqual([a.conditions, b.conditions], [[null, '"1"'], [null]]);
});

Deno.test("fetchTo() sends no conditions with other credentials", async () => {
  await using server = cache();
  for (const now of [undefined, "Basic b"]) {
    let authorization: string | undefined = "Basic a";
    using it = download({ authorizationFor: () => Promise.resolve(authorization) });
    const first = await it.fetch(`${server.url}/a`);
    authorization = now;
    assert.equal((await it.fetch(`${server.url}/a`, first.validators)).isUnchanged, false);
  }
  assert.deepEqual(server.conditions, [null, null, null, null]);
});

Deno.test("fetchTo() takes a 304 that it did not ask for as a failure", async () => {
  await using server = cache();
  using it = download();
  const { validators } = await it.fetch(`${server.url}/a`);
  for (const known of [undefined, validators]) {
    assert.match((await contentError(it.fetch(`${server.url}/always`, known))).message, /answered 304/);
  }
});

Deno.test("fetchTo() takes a 5xx body with enable5xx after the last retry", async () => {
  let requests = 0;
  await using server = serve((request) => {
    return new Response(`attempt ${++requests}`, { status: new URL(request.url).pathname === "/501" ? 501 : 503 });
  });
  using it = download({ enable5xx: true, retry: { total: 2, connect: 9, read: 9, backoffFactor: 1 } });
  const fetched = it.fetch(`http://127.0.0.1:${server.port}/`);
  await it.retryAfter(1);
  await it.retryAfter(2);
  await fetched;
  assert.equal(it.sink.text, "attempt 3");
  it.sink.restart();
  await it.fetch(`http://127.0.0.1:${server.port}/501`);
  assert.equal(it.sink.text, "attempt 4");
});

Deno.test("fetchTo() refuses a body larger than maxBytes, announced or not", async () => {
  await using server = serve((request) => {
    const announced = new URL(request.url).pathname === "/announced";
    const chunk = new Uint8Array(60);
    if (announced) return new Response(new Uint8Array(101));
    return new Response(ReadableStream.from([chunk, chunk, chunk]));
  });
  for (const transport of [openTransport(), openTransport({ skipTlsVerify: true })]) {
    using it = download({ transport, maxBytes: 100 });
    for (const path of ["announced", "streamed"]) {
      const error = await contentError(it.fetch(`http://127.0.0.1:${server.port}/${path}`));
      assert.match(error.message, /larger than 100 bytes \(URL_MAX_BYTES\)$/);
      assert.ok(it.sink.bytes.length <= 100);
    }
  }
  using exact = download({ maxBytes: 101 });
  await exact.fetch(`http://127.0.0.1:${server.port}/announced`);
  assert.equal(exact.sink.bytes.length, 101);
});

Deno.test("fetchTo() starts over when the connection closes in the middle of the body", async () => {
  for (const transport of [openTransport(), openTransport({ skipTlsVerify: true })]) {
    let connections = 0;
    await using server = listen(async (connection) => {
      if (++connections === 2) {
        await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nwhole"));
        return connection.closeWrite();
      }
      await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
      await until(() => it.sink.text === "half");
      connection.close();
    });
    using it = download({ transport });
    const fetched = it.fetch(`http://127.0.0.1:${server.port}/`);
    await it.retryAfter(1.1);
    await fetched;
    assert.deepEqual([it.sink.text, it.sink.restarts], ["whole", 1]);
  }
});

Deno.test("fetchTo() waits no longer than the timeout for a chunk", async () => {
  await using server = listen(async (connection, head) => {
    if (head.startsWith("GET /half ")) {
      await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    }
  });
  for (const transport of [openTransport(), openTransport({ skipTlsVerify: true })]) {
    using it = download({ transport, retry: { total: 0, connect: 0, read: 0, backoffFactor: 1 } });
    const silent = contentError(it.fetch(`http://127.0.0.1:${server.port}/`));
    await until(() => server.open.size === 1);
    await it.clock.advance(10);
    assert.match((await silent).message, /nothing came within 10 s/);
    await until(() => server.open.size === 0);

    const half = contentError(it.fetch(`http://127.0.0.1:${server.port}/half`));
    await until(() => it.sink.text === "half");
    await it.clock.advance(10);
    assert.match((await half).message, /nothing came within 10 s/);
    await until(() => server.open.size === 0);
  }
});

Deno.test("fetchTo() throws what the sink throws, and ends the download", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
  });
  using it = download();
  const full = new Error("No space left on device");
  const sink = {
    restart() {},
    write() {
      throw full;
    },
  };
  assert.equal(await it.fetchInto(`http://127.0.0.1:${server.port}/`, sink).catch((error) => error), full);
  await until(() => server.open.size === 0);
});

Deno.test("fetchTo() rejects with the signal's reason in mid body", async () => {
  await using server = listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
  });
  using it = download();
  const outcome = assert.rejects(it.fetch(`http://127.0.0.1:${server.port}/`), /stop/);
  await until(() => it.sink.text === "half");
  it.abort.abort(new Error("stop"));
  await outcome;
});

Deno.test("fetchTo() tells of what it leaves behind, packed content too", async () => {
  const packed = new Response("x".repeat(100_000)).body!.pipeThrough(new CompressionStream("gzip"));
  const bytes = await new Response(packed).bytes();
  await using server = serve(() => new Response(bytes, { headers: { "content-encoding": "gzip" } }));
  let read = 0;
  using it = download({ onRead: (count) => void (read += count), transport: openTransport({ skipTlsVerify: true }) });
  await it.fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(read, 20 * 1024 + bytes.length + 100_000);
});
