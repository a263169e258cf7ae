import { given } from "../runtime/given.ts";

/** One fetch-shaped door to the network: API server, webhook and `.url` downloads all go through a {@link Transport}. */
export interface Transport {
  /**
   * Like the global `fetch`, with two differences: redirects are never followed (the caller gets the 3xx answer and
   * decides, because credentials are at stake), and a request that got no answer rejects with a {@link TransportError}.
   * An aborted `init.signal` rejects with its reason, and ends a body that is still being read with that reason too.
   */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** Closes idle connections. Requests under way are ended by their own signals; later ones are refused. */
  close(): void;
}

export interface TransportOptions {
  /** Certificate authorities to trust, in PEM. */
  caCerts?: string[];
  /** Client certificate chain in PEM; together with `key`. */
  cert?: string;
  /** Client key in PEM; together with `cert`. */
  key?: string;
  /** TLS server name when it is not the URL's host (`tls-server-name` in a kubeconfig). */
  serverName?: string;
  /** Proxy for every request: `http://[user:pass@]host:port`, or with TLS verification on also https and socks5. */
  proxy?: string;
  /**
   * Environment to find `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` in, for connections that Deno does not make itself
   * (no verification, or `serverName`). Deno's own read the process environment, custom clients included.
   */
  env?: Record<string, string | undefined>;
}

/** A request got no answer. The message says what failed and at which host; it never has the URL's query in it. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  /** @param phase "connect": not a byte of the request was sent, so it is safe to send again. "read": anything later. */
  constructor(readonly phase: "connect" | "read", message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Connections of Deno itself, with TLS verification. HTTP/1.1 only: over HTTP/2 a connection that went dead is used
 * for every retry. A `serverName` sends everything through `node:https`, because Deno's `proxy: { transport: "tcp" }`
 * reaches another host without TLS (2.9.6: it sends an https request, token included, in plain text). So does an http
 * `proxy`: Deno leaves it out for hosts of `NO_PROXY`, and loopback, which a proxy that was asked for must reach too.
 *
 * @throws TypeError for certificates or keys that are not PEM.
 */
export function nativeTransport(options: TransportOptions = {}): Transport {
  const { caCerts, cert, key, serverName, proxy } = options;
  if (serverName !== undefined || proxy?.startsWith("http:")) return lazyNodeTransport({ ...options, verify: true });
  const client = Deno.createHttpClient({
    http1: true,
    http2: false,
    ...given("caCerts", caCerts),
    ...(cert && key && { cert, key }),
    ...given("proxy", proxy ? denoProxy(proxy) : undefined),
  });
  const other = lazyNodeTransport({ ...options, verify: true });
  let closed = false;
  return {
    async fetch(url, init = {}) {
      if (closed) throw closedError();
      try {
        const request: RequestInit & { client: Deno.HttpClient } = { ...init, redirect: "manual", client };
        return await fetch(url, request);
      } catch (error) {
        init.signal?.throwIfAborted();
        // A browser must not be talked into speaking to these ports (Fetch standard, "bad port"); a sidecar may
        if (String(error).includes("are blocked")) return await other.fetch(url, init);
        throw fromDeno(error, new URL(url));
      }
    },
    close() {
      if (!closed) client.close();
      closed = true;
      other.close();
    },
  };
}

/**
 * TLS verification off (SKIP_TLS_VERIFY, REQ_SKIP_TLS_VERIFY): Deno's own client cannot do that, so these connections
 * are made by `node:https`, which is loaded here and not before. `init.body` may be a string or a Uint8Array.
 */
export async function unverifiedTransport(options: TransportOptions = {}): Promise<Transport> {
  const { nodeTransport } = await import("./transport_node.ts");
  return nodeTransport({ ...options, verify: false });
}

/** The URL as it may be logged: no user info, `***` for each query value (Jenkins has its token there), no fragment. */
export function redactUrl(url: string | URL): string {
  const text = String(url);
  if (!URL.canParse(text)) return "(not a URL)";
  const { protocol, host, pathname, search } = new URL(text);
  const query = search.replace(/([?&])([^=&]*)(=?)[^&]*/g, (_match, separator, name, equals) => {
    return separator + (equals ? `${name}=***` : "***");
  });
  return `${protocol}${host === "" ? "" : "//"}${host}${pathname}${query}`;
}

export function closedError(): TransportError {
  return new TransportError("connect", "The transport is closed");
}

function lazyNodeTransport(options: TransportOptions & { verify: boolean }): Transport {
  let loading: Promise<Transport> | undefined;
  let closed = false;
  return {
    async fetch(url, init) {
      if (closed) throw closedError();
      loading ??= import("./transport_node.ts").then(({ nodeTransport }) => nodeTransport(options));
      return await (await loading).fetch(url, init);
    },
    close() {
      closed = true;
      loading?.then((transport) => transport.close(), () => {});
    },
  };
}

function denoProxy(proxy: string): Deno.Proxy {
  const url = new URL(proxy);
  const { username, password } = url;
  url.username = url.password = "";
  if (username === "") return { url: url.href };
  return {
    url: url.href,
    basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) },
  };
}

/** Deno's TypeError hides what happened in its cause, behind the whole URL: "error sending request …: client error (Connect): …". */
function fromDeno(error: unknown, url: URL): TransportError {
  const detail = String(error instanceof Error && error.cause instanceof Error ? error.cause.message : error);
  const [, kind, why] = detail.match(/client error \((\w+)\)(?:: (.*))?$/s) ?? [];
  const phase = kind === undefined || kind === "Connect" ? "connect" : "read";
  const what = phase === "connect" ? `cannot connect to ${url.host}` : `${url.host} did not answer`;
  return new TransportError(phase, `${what}: ${why ?? kind ?? redactDetail(detail, url)}`, { cause: error });
}

function redactDetail(detail: string, url: URL): string {
  return detail.replaceAll(url.href, redactUrl(url));
}
