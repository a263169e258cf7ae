/** An API server for conformance tests: the embedded one, or a real control plane, behind one face. */
import { EmbeddedApiServer } from "../apiserver/api_server.ts";
import { type Answer, ControlPlane, readAnswer } from "./control_plane.ts";

export interface ApiTarget {
  /** Knows `sendInitialEvents` (Kubernetes 1.27 and newer). */
  readonly hasWatchList: boolean;
  fetch(path: string, init?: RequestInit, token?: string): Promise<Response>;
  /** Forgets all versions but the newest, for lists and watches alike. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

const TOKEN = "conformance-token";

export function startEmbedded(): Promise<ApiTarget> {
  const server = EmbeddedApiServer.start({ token: TOKEN });
  return Promise.resolve({
    hasWatchList: true,
    fetch(path, init = {}, token = TOKEN) {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${token}`);
      return fetch(server.url + path, { ...init, headers });
    },
    compact: () => Promise.resolve(server.store.compact()),
    stop: () => server.close(),
  });
}

export async function startReal(): Promise<ApiTarget> {
  const controlPlane = await ControlPlane.start();
  return {
    hasWatchList: false,
    fetch: (path, init, token) => controlPlane.fetch(path, init, token === undefined ? {} : { token }),
    async compact() {
      await controlPlane.compactEtcd();
      await controlPlane.stopApiServer();
      await controlPlane.startApiServer();
    },
    stop: () => controlPlane.stop(),
  };
}

/** One request; `contentType` is that of `body`, which is sent as JSON unless it is a string. */
export async function call(
  target: ApiTarget,
  method: string,
  path: string,
  body?: unknown,
  contentType = "application/json",
): Promise<Answer> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.headers = { "content-type": contentType };
    init.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  return await readAnswer(await target.fetch(path, init));
}

/** An event of a watch. */
export interface ReceivedEvent {
  type: string;
  // deno-lint-ignore no-explicit-any
  object: any;
}

const EVENT_TIMEOUT_MS = 10_000;

/** An open watch, read event by event. */
export class WatchRequest {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  private constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** @throws {Error} when the server does not answer 200. */
  static async open(target: ApiTarget, path: string): Promise<WatchRequest> {
    const response = await target.fetch(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return new WatchRequest(response.body!);
  }

  /** The next event; `undefined` at the end. @throws {Error} when none comes within 10 seconds. */
  async next(): Promise<ReceivedEvent | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return JSON.parse(line);
      }
      const { value, done } = await this.#read();
      if (done) return undefined;
      this.#rest += value;
    }
  }

  /** The next `count` events, as `ADDED name`. */
  async take(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const event = await this.next();
      if (event === undefined) throw new Error(`the watch ended after ${JSON.stringify(lines)}`);
      lines.push(`${event.type} ${event.object.metadata?.name}`);
    }
    return lines;
  }

  /** What is left until the end. */
  async rest(): Promise<ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) events.push(event);
    return events;
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<ReadableStreamReadResult<string>> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no event came")), EVENT_TIMEOUT_MS);
    try {
      return await Promise.race([this.#reader.read(), promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
