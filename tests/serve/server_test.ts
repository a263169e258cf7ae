import assert from "node:assert/strict";
import type { HealthState } from "../../lib/serve/health.ts";
import { type ServerOptions, startServer } from "../../lib/serve/server.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { keptLog } from "../support/api_gateway.ts";
import { hasIpv6 } from "../support/local_servers.ts";
import { ordinaryStatus } from "../support/status_fixtures.ts";
import { freePort } from "../support/free_port.ts";

/** A server on a port of its own, closed when disposed. */
function serving(
  {
    host,
    port = freePort(),
    statusPage = "local",
    status = (write) => Promise.resolve(write(ordinaryStatus())),
    notReady = () => undefined,
    stuck = () => undefined,
  }:
    & Partial<Pick<ServerOptions, "host" | "port" | "statusPage" | "status">>
    & Partial<HealthState> = {},
) {
  const log = keptLog();
  const server = startServer({
    port,
    host,
    health: { notReady, stuck },
    metrics: (format) => `${format} 1\n`,
    status,
    statusPage,
    instance: () => "0a1b",
    clock: systemClock,
    log,
  });
  return {
    port,
    log,
    async get(path: string, { at = "127.0.0.1", ...init }: RequestInit & { at?: string } = {}) {
      const response = await fetch(`http://${at}:${port}${path}`, init);
      return { status: response.status, text: await response.text(), type: response.headers.get("content-type") };
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

Deno.test("startServer() serves 200 or 503 with a reason, and metrics", async () => {
  let reason: string | undefined = "not synced yet: secrets in all namespaces";
  await using server = serving({ notReady: () => reason });
  const plain = "text/plain; charset=utf-8";
  assert.deepEqual(await server.get("/healthz"), { status: 503, text: `${reason}\n`, type: plain });
  assert.equal((await server.get("/readyz")).status, 503);
  assert.equal((await server.get("/livez")).status, 200);
  reason = undefined;
  assert.deepEqual(await server.get("/healthz?verbose"), { status: 200, text: "ok\n", type: plain });
  assert.deepEqual(await server.get("/metrics"), {
    status: 200,
    text: "text 1\n",
    type: "text/plain; version=0.0.4; charset=utf-8",
  });
  assert.deepEqual(await server.get("/metrics", { headers: { accept: "application/openmetrics-text" } }), {
    status: 200,
    text: "openmetrics 1\n",
    type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  });
  assert.deepEqual(server.log.lines, [`info: health endpoints: http://[::]:${server.port}/healthz`]);
});

Deno.test("startServer() answers 404 elsewhere, 405 to other methods, and HEAD as GET", async () => {
  await using server = serving();
  assert.equal((await server.get("/page")).status, 404);
  assert.equal((await server.get("/healthz/")).status, 404);
  assert.equal((await server.get("/healthz", { method: "POST" })).status, 405);
  assert.deepEqual(await server.get("/healthz", { method: "HEAD" }).then(({ status, text }) => [status, text]), [
    200,
    "",
  ]);
});

Deno.test({
  name: "startServer() listens on IPv4 and IPv6 when no host is given",
  ignore: !hasIpv6,
  async fn() {
    await using server = serving();
    for (const at of ["127.0.0.1", "[::1]"]) assert.equal((await server.get("/healthz", { at })).status, 200, at);
  },
});

Deno.test("startServer() listens on the host that is given, and no other", async () => {
  await using server = serving({ host: "127.0.0.1" });
  assert.equal((await server.get("/healthz")).status, 200);
  assert.deepEqual(server.log.lines, [`info: health endpoints: http://127.0.0.1:${server.port}/healthz`]);
  if (hasIpv6) await assert.rejects(server.get("/healthz", { at: "[::1]" }), TypeError);
});

for (const hostname of ["0.0.0.0", "127.0.0.1", ...hasIpv6 ? ["::", "::1"] : []]) {
  Deno.test(`startServer() warns once, and does no harm, when its port is busy on ${hostname}`, async () => {
    const busy = Deno.listen({ hostname, port: 0 });
    try {
      await using server = serving({ port: busy.addr.port });
      const { lines } = server.log;
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(
        lines[0]!,
        /^warn: no health endpoints: cannot listen on port \d+: .*in use.* HEALTH_PORT .*LIVENESS=false$/,
      );
    } finally {
      busy.close();
    }
  });
}

Deno.test("startServer() warns once when the host is no address of this machine", async () => {
  await using server = serving({ host: "192.0.2.1" });
  assert.equal(server.log.lines.length, 1);
  assert.match(server.log.lines[0]!, /^warn: no health endpoints: /);
});

Deno.test("startServer() names its instance in every answer", async () => {
  await using server = serving();
  for (const path of ["/healthz", "/metrics", "/status", "/nowhere"]) {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    await response.body?.cancel();
    assert.equal(response.headers.get("x-k8s-sidecar-instance"), "0a1b", path);
  }
});

Deno.test("startServer() answers /status as JSON that nobody stores", async () => {
  await using server = serving();
  const response = await fetch(`http://127.0.0.1:${server.port}/status`);
  assert.deepEqual(await response.json(), ordinaryStatus());
  assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(response.headers.get("cache-control"), "no-store");
});

Deno.test("startServer() answers / as a page that loads, runs and stores nothing", async () => {
  await using server = serving();
  const get = (method: string) => fetch(`http://127.0.0.1:${server.port}/?q=cpu&unknown=1`, { method });
  const response = await get("GET");
  const text = await response.text();
  assert.ok(text.startsWith("<!doctype html>") && text.endsWith("</html>\n"));
  assert.ok(text.includes('value="cpu"') && text.includes("1 of 5"));
  const head = await get("HEAD");
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  for (const { headers } of [response, head]) {
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(headers.get("content-length"), String(new TextEncoder().encode(text).length));
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-/);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

Deno.test("startServer() refuses / and /status as STATUS_PAGE says", async () => {
  await using none = serving({ statusPage: "none" });
  await using all = serving({ statusPage: "all" });
  for (const path of ["/", "/status"]) {
    const refused = await none.get(path);
    assert.deepEqual([refused.status, refused.text], [403, "STATUS_PAGE=none: the status is turned off\n"]);
    assert.equal((await all.get(path, { at: "127.0.0.2" })).status, 200);
  }
});

Deno.test("startServer() says in the log why there is no status", async () => {
  await using server = serving({ status: () => Promise.reject(new TypeError("a bug")) });
  for (const path of ["/", "/status"]) {
    const { status, text } = await server.get(path);
    assert.deepEqual([status, text], [500, "internal error: see the log of the sidecar\n"]);
    const line = `warn: ${path} cannot be answered, which is a bug of the sidecar: a bug`;
    assert.equal(server.log.lines.at(-1), line);
  }
});
