/** What every HTTP request of this program goes through: to the API server, to webhooks and for `*.url` keys. */
export interface Transport {
  /**
   * Like the global `fetch`, with two differences. Redirects are never followed: the caller gets the 3xx answer and
   * decides, because a redirect may lead credentials to another server. A request without an answer rejects with a
   * {@link TransportError}.
   *
   * An aborted `init.signal` rejects with its reason, and ends a body that is still being read with that reason too.
   * `init.body` may be a string or a Uint8Array.
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
  /** Accept any server certificate. */
  skipTlsVerify?: boolean;
  /** Proxy for every request: `http://[user:pass@]host:port`, or with TLS verification on also https and socks5. */
  proxy?: string;
  /**
   * Environment with `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, for connections through `node:https`. Deno's own
   * client reads the environment of the process.
   */
  env?: Record<string, string | undefined>;
  /**
   * Send each request once. Otherwise one whose connection breaks before the answer may be sent again, though the server
   * may be at work on the first.
   */
  sendOnce?: boolean;
  /** Hosts that may be asked. Checked on the address that is connected to, so a second look-up cannot differ. */
  hostPolicy?: HostPolicy;
}

/** Which hosts a transport may ask. */
export interface HostPolicy {
  /** Whether the host of a URL may be asked, whatever its address; `undefined`: its address decides. */
  byName(url: URL): "allowed" | "refused" | undefined;
  /** Whether a connection for a URL may go to an address of its host. */
  admits(url: URL, address: string): boolean;
  /** Whether a proxy may be asked for a URL: its address stays unknown. */
  admitsByProxy(url: URL): boolean;
}

/** The host of a URL may not be asked, which no other try changes. The message names no address that was looked up. */
export class RefusedHostError extends Error {
  override readonly name = "RefusedHostError";

  constructor({ host }: URL) {
    super(`${host} is not an allowed host (URL_ALLOWED_HOSTS)`);
  }
}

/** A request got no answer. The message names the host and the failure, and never contains the URL's query. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  /** @param phase "connect": no byte of the request was sent, so it is safe to send again. "read": anything later. */
  constructor(readonly phase: "connect" | "read", message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

export function closedError(): TransportError {
  return new TransportError("connect", "The transport is closed");
}

/** The URL for logs: without user info and fragment, and with `***` for each query value (Jenkins' token is one). */
export function redactUrl(url: string | URL): string {
  const text = String(url);
  if (!URL.canParse(text)) return "(not a URL)";
  const { protocol, host, pathname, search } = new URL(text);
  const query = search.replace(/([?&])([^=&]*)(=?)[^&]*/g, (_match, separator, name, equals) => {
    return separator + (equals ? `${name}=***` : "***");
  });
  return `${protocol}${host === "" ? "" : "//"}${host}${pathname}${query}`;
}

/** The URL of a server for logs: {@link redactUrl} without a slash at the end. */
export function redactServer(url: string | URL): string {
  return redactUrl(url).replace(/\/$/, "");
}

/**
 * The headers of a request. The message of Deno's own error quotes the value, which may be a token.
 *
 * @throws TypeError a character is not allowed
 */
export function headersFrom(init: HeadersInit = {}): Headers {
  try {
    return new Headers(init);
  } catch {
    throw new TypeError(
      "a header, such as that with the token, has a line break or another character that HTTP forbids",
    );
  }
}
