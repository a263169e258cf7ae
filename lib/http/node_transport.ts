import * as http from "node:http";
import * as dns from "node:dns";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import { proxyFor, socketHost } from "./proxy.ts";
import { httpProxy, proxyAddress, proxyAuthorization, TunnelAgent } from "./proxy_tunnel.ts";
import {
  closedError,
  headersFrom,
  type HostPolicy,
  RefusedHostError,
  type Transport,
  TransportError,
  type TransportOptions,
} from "./transport.ts";
import { given } from "../runtime/given.ts";

/**
 * A {@link Transport} over `node:http` and `node:https`; `openTransport()` says when it is used.
 *
 * Connections are kept alive, unless with `sendOnce`. An https request goes through an http proxy by CONNECT, an http
 * request by absolute URL.
 */
export function nodeTransport(options: TransportOptions): Transport {
  const tlsOptions: tls.ConnectionOptions = {
    rejectUnauthorized: !options.skipTlsVerify,
    ALPNProtocols: ["http/1.1"],
    ...given("ca", options.caCerts),
    ...(options.cert && options.key && { cert: options.cert, key: options.key }),
    ...given("servername", options.serverName),
  };
  // A request is sent again when a connection that was kept breaks
  const keepAlive = !options.sendOnce;
  const direct = {
    http: new http.Agent({ keepAlive }),
    https: new https.Agent({ keepAlive, ...tlsOptions } as https.AgentOptions),
  };
  const tunnels = new Map<string, TunnelAgent>();
  const { hostPolicy } = options;
  let closed = false;

  const tunnel = (proxy: URL): TunnelAgent => {
    let agent = tunnels.get(proxy.href);
    if (agent === undefined) tunnels.set(proxy.href, agent = new TunnelAgent(proxy, tlsOptions, keepAlive));
    return agent;
  };

  const route = (url: URL): https.RequestOptions => {
    const host = socketHost(url.hostname);
    const target = { host, port: url.port || undefined, path: url.pathname + url.search };
    const proxy = options.proxy ?? (options.env && proxyFor(url, options.env));
    if (!proxy) {
      const lookup = hostPolicy && checkedLookup(url, hostPolicy);
      return { ...target, ...given("lookup", lookup), agent: url.protocol === "https:" ? direct.https : direct.http };
    }
    if (hostPolicy?.admitsByProxy(url) === false) throw new RefusedHostError(url);
    const proxyUrl = httpProxy(proxy);
    if (url.protocol === "https:") return { ...target, agent: tunnel(proxyUrl) };
    const headers = { host: url.host, ...proxyAuthorization(proxyUrl) };
    return { ...proxyAddress(proxyUrl), path: url.href, headers, agent: direct.http };
  };

  return {
    async fetch(input, init = {}) {
      if (closed) throw closedError();
      const url = new URL(input);
      if (hostPolicy?.byName(url) === "refused") throw new RefusedHostError(url);
      const { headers, ...connection } = route(url);
      return await exchange(url, { ...connection, headers: { ...headers, ...headersOf(init) } }, init);
    },
    close() {
      closed = true;
      for (const agent of [direct.http, direct.https, ...tunnels.values()]) agent.destroy();
    },
  };
}

/** Looks a host name up once, and passes on the addresses that may be connected to. */
function checkedLookup(url: URL, policy: HostPolicy): net.LookupFunction {
  return (hostname, options, callback) => {
    dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0);
      const [first, ...others] = addresses.filter(({ address }) => policy.admits(url, address));
      if (first === undefined) return callback(new RefusedHostError(url), "", 0);
      if (options.all) callback(null, [first, ...others]);
      else callback(null, first.address, first.family);
    });
  };
}

/** Interim answers (100 to 199) before the final one. */
const MAX_INTERIM_ANSWERS = 20;

/** Chunks of an answer whose average is below {@link TINY_CHUNK} bytes: each costs the event loop as much as a large one. */
const MAX_TINY_CHUNKS = 10_000;
const TINY_CHUNK = 8;

/** Sends one request. Resolves when the headers of the answer have arrived; the body is a stream. */
function exchange(url: URL, options: https.RequestOptions, init: RequestInit): Promise<Response> {
  const { signal, body } = init;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const request = (url.protocol === "https:" ? https : http).request({
      ...options,
      method: init.method ?? "GET",
      ...given("abandoned", signal ?? undefined),
    });
    let connected = false;
    const onAbort = () => request.destroy(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    request.once("socket", (socket) => {
      if (request.reusedSocket) connected = true;
      else socket.once(socket instanceof tls.TLSSocket ? "secureConnect" : "connect", () => connected = true);
    });
    const fail = (error: Error) => {
      // Only a proxy is asked for an absolute URL
      const through = options.path === url.href ? ` through the proxy ${options.host}:${options.port ?? 80}` : "";
      const what = connected ? `${url.host} did not answer` : `cannot connect to ${url.host}${through}`;
      const phase = connected ? "read" : "connect";
      reject(
        signal?.aborted
          ? signal.reason
          : error instanceof RefusedHostError
          ? error
          : new TransportError(phase, `${what}: ${error.message}`, { cause: error }),
      );
    };
    request.on("error", (error) => {
      fail(error);
      // On a connection that was used before, Deno would send the request again and emit its next error, too
      request.destroy();
    });
    // A server could send them for ever, and each costs the event loop more than the network
    let interim = 0;
    request.on("information", () => {
      if (++interim > MAX_INTERIM_ANSWERS) request.destroy(new Error("too many interim answers (1xx)"));
    });
    request.once("close", () => {
      signal?.removeEventListener("abort", onAbort);
      fail(new Error("the connection was closed"));
    });
    request.once("response", (answer) => {
      try {
        resolve(responseOf(url, request, answer, signal ?? undefined));
      } catch (error) {
        request.destroy();
        reject(error);
      }
    });
    request.end(bodyOf(body));
  });
}

function responseOf(url: URL, request: http.ClientRequest, answer: http.IncomingMessage, signal?: AbortSignal) {
  const headers = new Headers();
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    headers.append(answer.rawHeaders[index]!, answer.rawHeaders[index + 1]!);
  }
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 599) throw new TransportError("read", `${url.host} answered with status ${status}`);
  const noBody = status === 204 || status === 205 || status === 304;
  if (noBody) answer.resume();
  const body = noBody ? null : bodyStream(url, request, answer, signal);
  return new Response(body, { status, statusText: answer.statusMessage ?? "", headers });
}

/** The body of the answer as it arrives, read no faster than the consumer reads. */
function bodyStream(url: URL, request: http.ClientRequest, answer: http.IncomingMessage, signal?: AbortSignal) {
  let ended = false;
  let received = 0;
  let chunks = 0;
  const length = Number(answer.headers["content-length"] ?? NaN);
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const fail = (error?: Error) => {
        if (ended) return;
        ended = true;
        const message = `${url.host} closed the connection in the middle of its answer`;
        controller.error(signal?.aborted ? signal.reason : new TransportError("read", message, { cause: error }));
      };
      answer.on("data", (chunk: Uint8Array) => {
        if (ended) return;
        received += chunk.length;
        if (++chunks > MAX_TINY_CHUNKS && received < chunks * TINY_CHUNK) {
          ended = true;
          controller.error(new TransportError("read", `${url.host} sends its answer in too many tiny chunks`));
          return void request.destroy();
        }
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) answer.pause();
      });
      answer.once("end", () => {
        // Deno drops the body when more than it came with its last bytes (2.9.6)
        if (received < length) return fail();
        if (ended) return;
        ended = true;
        controller.close();
      });
      answer.on("error", fail);
      answer.once("aborted", () => fail());
      answer.once("close", () => fail());
      answer.pause();
    },
    pull() {
      answer.resume();
    },
    cancel() {
      ended = true;
      request.destroy();
    },
  });
}

function headersOf({ headers, body }: RequestInit): Record<string, string> {
  const named = Object.fromEntries(headersFrom(headers));
  const bytes = bodyOf(body);
  return bytes === undefined ? named : { ...named, "content-length": String(bytes.byteLength) };
}

function bodyOf(body: RequestInit["body"]): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError("A request body must be a string or a Uint8Array");
}
