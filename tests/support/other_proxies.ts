/** Proxies that are not http://: CONNECT over TLS, and SOCKS 5. Every name that they are asked for is this machine's. */
import { encode } from "./local_servers.ts";

type Connection = Deno.TcpConn | Deno.TlsConn;

interface OtherProxy {
  /** With the scheme, for HTTP_PROXY and HTTPS_PROXY. */
  url: string;
  /** `host:port` of each connection that it was asked for. */
  seen: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** An http proxy whose own connection is TLS. It knows CONNECT only. */
export function httpsProxy(tls: { cert: string; key: string }): OtherProxy {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...tls });
  return proxy("https", listener, async (client, connectTo) => {
    let head = "";
    const buffer = new Uint8Array(4096);
    while (!head.endsWith("\r\n\r\n")) {
      const count = await client.read(buffer);
      if (count === null) return;
      head += new TextDecoder().decode(buffer.subarray(0, count));
    }
    const [, host, port] = head.match(/^CONNECT (.+):(\d+) /) ?? [];
    if (host === undefined) return void await client.write(encode("HTTP/1.1 405 Only CONNECT\r\n\r\n"));
    await connectTo(host, Number(port), () => client.write(encode("HTTP/1.1 200 Connection established\r\n\r\n")));
  });
}

/** A proxy of RFC 1928 without authentication. */
export function socksProxy(): OtherProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return proxy("socks5", listener, async (client, connectTo) => {
    const [, methods = 0] = await exactly(client, 2);
    await exactly(client, methods);
    await client.write(Uint8Array.of(5, 0));
    const [, , , kind] = await exactly(client, 4);
    const host = kind === 1
      ? (await exactly(client, 4)).join(".")
      : new TextDecoder().decode(await exactly(client, (await exactly(client, 1))[0]!));
    const [high = 0, low = 0] = await exactly(client, 2);
    await connectTo(host, high * 256 + low, () => client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)));
  });
}

type ConnectTo = (host: string, port: number, onConnected: () => Promise<unknown>) => Promise<void>;

function proxy(
  scheme: string,
  listener: Deno.TcpListener | Deno.TlsListener,
  handle: (client: Connection, connectTo: ConnectTo) => Promise<void>,
): OtherProxy {
  const seen: string[] = [];
  const open = new Set<Promise<void>>();
  const serve = async (client: Connection) => {
    try {
      await handle(client, async (host, port, onConnected) => {
        seen.push(`${host}:${port}`);
        const target = await Deno.connect({ hostname: "127.0.0.1", port });
        await onConnected();
        await Promise.allSettled([client.readable.pipeTo(target.writable), target.readable.pipeTo(client.writable)]);
      });
    } catch {
      // The client went away
    }
    try {
      client.close();
    } catch {
      // The pipes closed it
    }
  };
  const served = (async () => {
    for await (const client of listener) {
      const done = serve(client).finally(() => open.delete(done));
      open.add(done);
    }
  })();
  return {
    url: `${scheme}://127.0.0.1:${listener.addr.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      await served.catch(() => {});
      await Promise.all(open);
    },
  };
}

async function exactly(client: Connection, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let have = 0; have < count;) {
    const more = await client.read(bytes.subarray(have));
    if (more === null) throw new Error("the client went away");
    have += more;
  }
  return bytes;
}
