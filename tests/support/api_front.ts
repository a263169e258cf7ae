/** A proxy before the real API server that understands HTTP: it sees each request, and may answer it or bend its answer. */
import assert from "node:assert/strict";
import type { ControlPlane } from "./control_plane.ts";
import { eventually } from "./oracle.ts";

const CUT = new Error("cut by the test");

export interface SeenRequest {
  method: string;
  /** With the query. */
  path: string;
  token: string;
  isWatch: boolean;
  /** By `performance.now()`. */
  at: number;
}

export class ApiFront implements AsyncDisposable {
  readonly #controlPlane: ControlPlane;
  #server: Deno.HttpServer<Deno.NetAddr>;
  #ends = new AbortController();
  /** Watches that are under way. */
  #watches = 0;
  readonly requests: SeenRequest[] = [];
  /** Answers in the API server's place; `undefined`: the API server does. */
  answer: (request: SeenRequest) => Response | undefined | Promise<Response | undefined> = () => undefined;
  /** Bends a successful answer's body, piece by piece; what it throws cuts the connection. */
  bend: (request: SeenRequest) => Transformer<Uint8Array, Uint8Array> | undefined = () => undefined;

  private constructor(controlPlane: ControlPlane, tls: { cert: string; key: string }) {
    this.#controlPlane = controlPlane;
    this.#server = this.#serve(tls, 0);
  }

  static async start(controlPlane: ControlPlane): Promise<ApiFront> {
    return new ApiFront(controlPlane, await controlPlane.servingCertificate());
  }

  get url(): string {
    return `https://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Requests for a watch of one kind since a moment. */
  watchesSince(at: number, plural = "configmaps"): SeenRequest[] {
    return this.requests.filter((request) => request.isWatch && request.at >= at && request.path.includes(plural));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shutDown();
  }

  /** Waits until there is a watch. */
  async watching(): Promise<void> {
    await eventually(() => assert.ok(this.#watches > 0, "nobody watches"));
  }

  /** Ends every answer that is under way, as if it were complete. */
  finish(): void {
    this.#ends.abort(undefined);
    this.#ends = new AbortController();
  }

  /** Cuts every answer that is under way. */
  cut(): void {
    this.#ends.abort(CUT);
    this.#ends = new AbortController();
  }

  /** Goes on with another certificate, and ends every connection. */
  async replaceCertificate(tls: { cert: string; key: string }): Promise<void> {
    const { port } = this.#server.addr;
    await this.#shutDown();
    this.#server = this.#serve(tls, port);
  }

  /** New requests are refused while the last ones end. */
  async #shutDown(): Promise<void> {
    const { answer } = this;
    this.answer = () => new Response("shutting down", { status: 503, headers: { connection: "close" } });
    let isDown = false;
    const down = this.#server.shutdown().finally(() => isDown = true);
    // A request may have been on its way to the API server, and its answer begins only now
    while (!isDown) {
      this.cut();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await down;
    this.answer = answer;
  }

  #serve(tls: { cert: string; key: string }, port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {}, ...tls }, (request) => this.#handle(request));
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url);
    const sent = await request.bytes();
    const seen: SeenRequest = {
      method: request.method,
      path: pathname + search,
      token: request.headers.get("authorization")?.slice("Bearer ".length) ?? "",
      isWatch: searchParams.get("watch") === "true",
      at: performance.now(),
    };
    this.requests.push(seen);
    const own = await this.answer(seen);
    if (own !== undefined) return own;
    const init: RequestInit = { method: request.method };
    if (sent.length > 0) {
      init.body = sent;
      init.headers = { "content-type": request.headers.get("content-type") ?? "application/json" };
    }
    const answer = await this.#controlPlane.fetch(seen.path, init, { token: seen.token })
      .catch((error) => new Response(String(error), { status: 502 }));
    if (answer.body === null) return answer;
    if (seen.isWatch) this.#watches++;
    const onEnd = () => void (seen.isWatch && this.#watches--);
    const body = cutBy(this.#ends.signal, answer.body, onEnd);
    const transformer = answer.ok ? this.bend(seen) : undefined;
    const bent = transformer === undefined ? body : body.pipeThrough(new TransformStream(transformer));
    // It came unpacked, and goes on in pieces
    const { "content-encoding": _, "content-length": __, ...headers } = Object.fromEntries(answer.headers);
    return new Response(bent, { status: answer.status, headers });
  }
}

/** A stream that breaks when the signal aborts. */
function cutBy(
  signal: AbortSignal,
  body: ReadableStream<Uint8Array>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOver = false;
  let stop = () => {};
  const end = () => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", stop);
    onEnd();
    reader.cancel().catch(() => {});
  };
  return new ReadableStream({
    start(controller) {
      stop = () => {
        end();
        if (signal.reason === CUT) controller.error(CUT);
        else controller.close();
      };
      signal.addEventListener("abort", stop, { once: true });
    },
    async pull(controller) {
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (isOver) return;
      if (value !== undefined) return controller.enqueue(value);
      end();
      controller.close();
    },
    cancel: end,
  });
}

/** Bends a watch line by line: what `each` returns goes on in the line's place. */
export function byLine(each: (line: string) => string[]): Transformer<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  return {
    transform(chunk, controller) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.flatMap(each)) controller.enqueue(encoder.encode(`${line}\n`));
    },
  };
}
