import assert from "node:assert/strict";

/** An http server on a free port of 127.0.0.1, https with `tls` (PEM). */
export function serve(handler: Deno.ServeHandler, tls?: { cert: string; key: string }) {
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = tls ? Deno.serve({ ...options, ...tls }, handler) : Deno.serve(options, handler);
  return { server, port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

/**
 * A server that speaks raw TCP: reads one request's head, lets `handler` answer it, and closes when the client does.
 * `open` has the connections that are still up.
 */
export function listen(handler: (connection: Deno.TcpConn, head: string) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const served = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      void (async () => {
        const buffer = new Uint8Array(16_384);
        const count = await connection.read(buffer);
        await handler(connection, new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
        while (await connection.read(buffer) !== null);
      })().catch(() => {}).finally(() => {
        open.delete(connection);
        try {
          connection.close();
        } catch { /* the handler closed it */ }
      });
    }
  })();
  return {
    port: listener.addr.port,
    open,
    async [Symbol.asyncDispose]() {
      listener.close();
      await served;
      await until(() => open.size === 0);
    },
  };
}

/** Polls until `condition` holds; fails after `seconds`. */
export async function until(condition: () => boolean, seconds = 30): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `not so within ${seconds} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const encode = (text: string) => new TextEncoder().encode(text);

/** Whether this machine has IPv6 for itself. */
export const hasIpv6 = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

/** What a request looked like, without the headers that do not matter here. */
export async function describeRequest(request: Request): Promise<string> {
  const { pathname, search } = new URL(request.url);
  const header = (name: string) => request.headers.get(name) ?? "-";
  const body = await request.text();
  return [request.method, pathname + search, header("authorization"), header("content-type"), body || "-"].join(" ");
}
