import * as http from "node:http";
import * as https from "node:https";
import type * as net from "node:net";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { socketHost } from "./proxy.ts";
import { TransportError } from "./transport.ts";

interface TunnelRequest extends https.RequestOptions {
  /** Aborts when the request no longer needs a tunnel. */
  abandoned?: AbortSignal;
}

/** An https agent whose connections are tunnels through an http proxy (`CONNECT host:port`). */
export class TunnelAgent extends https.Agent {
  readonly #connecting = new Set<http.ClientRequest>();

  constructor(readonly proxy: URL, readonly tlsOptions: tls.ConnectionOptions, keepAlive = true) {
    super({ keepAlive });
  }

  override createConnection(options: TunnelRequest, callback: (error: Error | null, socket: Duplex) => void): Duplex {
    const host = options.host?.includes(":") ? `[${options.host}]` : options.host;
    const authority = `${host}:${options.port ?? 443}`;
    const connect = http.request({
      method: "CONNECT",
      ...proxyAddress(this.proxy),
      path: authority,
      headers: { host: authority, ...proxyAuthorization(this.proxy) },
      agent: false,
    });
    const done = (error: Error | null, socket?: net.Socket) => {
      if (!this.#connecting.delete(connect)) return;
      options.abandoned?.removeEventListener("abort", onAbort);
      callback(error, socket as Duplex);
    };
    const onAbort = () => connect.destroy(new Error("The request was aborted"));
    options.abandoned?.addEventListener("abort", onAbort, { once: true });
    this.#connecting.add(connect);
    connect.on("error", (error) => done(new Error(`proxy ${this.proxy.host}: ${error.message}`, { cause: error })));
    connect.once("connect", (answer: http.IncomingMessage, socket: net.Socket) => {
      if (answer.statusCode === 200) {
        const { host, servername = "" } = options;
        return done(null, tls.connect({ servername, ...this.tlsOptions, host: host ?? "", socket }));
      }
      socket.destroy();
      done(new Error(`proxy ${this.proxy.host} refused the connection with status ${answer.statusCode}`));
    });
    connect.end();
    return undefined as unknown as Duplex; // passed to the callback
  }

  override destroy(): void {
    for (const connect of this.#connecting) connect.destroy();
    super.destroy();
  }
}

/** @throws TransportError for a proxy whose URL is not http */
export function httpProxy(proxy: string): URL {
  const url = new URL(proxy);
  if (url.protocol === "http:") return url;
  throw new TransportError(
    "connect",
    `proxy ${url.protocol}//${url.host} cannot be used without TLS verification or with a TLS server name: use an http:// proxy`,
  );
}

/** The address that a proxy listens on. */
export function proxyAddress({ hostname, port }: URL): { host: string; port: string } {
  return { host: socketHost(hostname), port: port || "80" };
}

/** The header with the user info of a proxy's URL. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${new TextEncoder().encode(pair).toBase64()}` };
}
