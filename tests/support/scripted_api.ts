/** An API server that answers as a test says, over real connections, with a KubeClient in front of it. */
import { type ClientOptions, KubeClient } from "../../lib/kube/client/client.ts";
import { plainCredentials } from "../../lib/kube/client/plain_credentials.ts";
import { FakeClock } from "./fake_clock.ts";
import { encode, serve } from "./local_servers.ts";

export interface ScriptedRequest {
  path: string;
  query: Record<string, string>;
  headers: Headers;
  /** The client's side of the connection. */
  port: number;
}

type Answer = Response | WatchStream | ((request: ScriptedRequest) => Response | Promise<Response>);

const PROBE = "/probe";

export class ScriptedApi implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly requests: ScriptedRequest[] = [];
  readonly url: string;
  readonly #answers: Answer[] = [];
  readonly #front;
  readonly #clients: KubeClient[] = [];
  readonly #held = Promise.withResolvers<Response>();

  constructor(tls?: { cert: string; key: string }) {
    this.#front = serve((request, info) => this.#answer(request, info), tls);
    this.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${this.#front.port}`;
  }

  /** Adds answers, each for one request, in order. A request for which there is none is left without an answer. */
  script(...answers: Answer[]): void {
    this.#answers.push(...answers);
  }

  makeClient(options: Partial<ClientOptions> = {}): KubeClient {
    const client = new KubeClient({
      credentials: plainCredentials(this.url),
      skipTlsVerify: false,
      userAgent: "test",
      env: {},
      clock: this.clock,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** Resolves when whatever was sent before has arrived: requests of our own went the same way after it. */
  async caughtUp(): Promise<void> {
    for (let count = 0; count < 5; count++) await (await fetch(`${this.url}${PROBE}`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#held.resolve(new Response(null, { status: 503 }));
    await this.#front[Symbol.asyncDispose]();
  }

  #answer(request: Request, info: Deno.ServeHandlerInfo): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === PROBE) return new Response("here");
    const seen = {
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
      port: (info.remoteAddr as Deno.NetAddr).port,
    };
    this.requests.push(seen);
    const answer = this.#answers.shift();
    if (answer === undefined) return this.#held.promise;
    if (answer instanceof WatchStream) return answer.response;
    return typeof answer === "function" ? answer(seen) : answer;
  }
}

/** A ConfigMap of the namespace "a" at a version. */
export function objectAt(name: string, version: string) {
  return {
    metadata: { name, namespace: "a", uid: name, resourceVersion: version, creationTimestamp: "2024-01-01T00:00:00Z" },
  };
}

/** A list at a version, of objects that are written `name@version`. */
export function listAt(version: string, objects: readonly string[] = [], next?: string): Response {
  const items = objects.map((object) => objectAt(...object.split("@") as [string, string]));
  const metadata = { resourceVersion: version, ...(next === undefined ? {} : { continue: next }) };
  return Response.json({ kind: "ConfigMapList", apiVersion: "v1", metadata, items });
}

const READ_TIMEOUT_MS = 30_000;

/** An answer that goes on for as long as a test wants. */
export class WatchStream {
  readonly #stream = new TransformStream<Uint8Array>();
  readonly #writer = this.#stream.writable.getWriter();
  readonly response = new Response(this.#stream.readable, { headers: { "content-type": "application/json" } });
  /** Resolves when the client has gone. */
  readonly gone: Promise<void> = this.#writer.closed.catch(() => {});

  /** Sends an event about `name@version`. */
  async send(type: "ADDED" | "MODIFIED" | "DELETED", object: string): Promise<void> {
    const [name = "", version = ""] = object.split("@");
    await this.sendLine({ type, object: objectAt(name, version) });
  }

  /** Sends a bookmark; `end`: the one that ends a streaming list. */
  async bookmark(resourceVersion: string, { end = false } = {}): Promise<void> {
    const annotations = end ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
    await this.sendLine({ type: "BOOKMARK", object: { metadata: { resourceVersion, ...annotations } } });
  }

  /** Sends an ERROR event. */
  async error(code: number, reason: string, message = reason): Promise<void> {
    await this.sendLine({ type: "ERROR", object: { kind: "Status", status: "Failure", code, reason, message } });
  }

  async sendLine(event: unknown): Promise<void> {
    await this.sendText(`${JSON.stringify(event)}\n`);
  }

  async sendText(text: string): Promise<void> {
    const nobody = Promise.withResolvers<never>();
    const timer = setTimeout(() => nobody.reject(new Error("nobody asked for this stream")), READ_TIMEOUT_MS);
    try {
      await Promise.race([this.#writer.write(encode(text)), nobody.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the answer as a server does whose time is up. */
  async end(): Promise<void> {
    await this.#writer.close();
  }

  /** Breaks the connection in the middle. */
  async cut(): Promise<void> {
    await this.#writer.abort("(the test breaks the connection here)"); // Deno.serve prints it
  }
}
