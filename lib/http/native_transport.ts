import { proxyFor } from "./proxy.ts";
import { given } from "../runtime/given.ts";
import {
  closedError,
  headersFrom,
  redactUrl,
  type Transport,
  TransportError,
  type TransportOptions,
} from "./transport.ts";

/** Idle connections that are kept for the next request. More of them only cost files: a burst leaves hundreds. */
const MAX_IDLE_CONNECTIONS = 4;

/**
 * A {@link Transport} over Deno's own HTTP client, with TLS verification.
 *
 * HTTP/1.1 only: over HTTP/2, Deno reuses a dead connection for every retry (2.9.6).
 *
 * @param forBlockedPorts takes the requests to ports that the Fetch standard blocks ("bad port"), and is closed with it
 * @throws TypeError for certificates or keys that are not PEM
 */
export function nativeTransport(
  options: Pick<TransportOptions, "caCerts" | "cert" | "key" | "proxy" | "sendOnce" | "env">,
  forBlockedPorts: Transport,
): Transport {
  const { caCerts, cert, key, proxy, sendOnce, env } = options;
  const client = Deno.createHttpClient({
    http1: true,
    http2: false,
    // On a new connection Deno sends a request once; on one that was kept, again when it breaks
    poolMaxIdlePerHost: sendOnce ? 0 : MAX_IDLE_CONNECTIONS,
    ...given("caCerts", caCerts),
    ...(cert && key && { cert, key }),
    ...given("proxy", proxy ? denoProxy(proxy) : undefined),
  });
  let closed = false;
  return {
    async fetch(url, init = {}) {
      if (closed) throw closedError();
      try {
        const request: RequestInit & { client: Deno.HttpClient } = {
          ...init,
          headers: headersFrom(init.headers),
          redirect: "manual",
          client,
        };
        return await fetch(url, request);
      } catch (error) {
        init.signal?.throwIfAborted();
        if (String(error).includes("are blocked")) return await forBlockedPorts.fetch(url, init);
        const target = new URL(url);
        throw fromDeno(error, target, proxy ?? (env && proxyFor(target, env)));
      }
    },
    close() {
      if (!closed) client.close();
      closed = true;
      forBlockedPorts.close();
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

/**
 * Deno's TypeError holds the reason in its cause, after the whole URL: "error sending request …: client error
 * (Connect): …". After a reset of a connection that was there it is the system's alone: "Connection reset by peer".
 */
function fromDeno(error: unknown, url: URL, proxy: string | undefined): TransportError {
  const detail = String(error instanceof Error && error.cause instanceof Error ? error.cause.message : error);
  const [, kind, why] = detail.match(/client error \((\w+)\)(?:: (.*))?$/s) ?? [];
  const phase = kind === "Connect" ? "connect" : "read";
  const what = phase === "connect" ? `cannot connect to ${url.host}${through(proxy)}` : `${url.host} did not answer`;
  const reason = why ?? kind ?? detail.replaceAll(url.href, redactUrl(url));
  return new TransportError(phase, `${what}: ${reason}`, { cause: error });
}

/** It may be the proxy that cannot be reached, which Deno does not tell. Without its user info. */
function through(proxy: string | undefined): string {
  return proxy === undefined
    ? ""
    : ` through the proxy ${URL.canParse(proxy) ? new URL(proxy).host : "in the environment"}`;
}
