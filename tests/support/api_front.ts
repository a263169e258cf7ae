/** A proxy before the real API server that understands HTTP: it sees each request, and may answer it or bend its answer. */
import type { ControlPlane } from "./control_plane.ts";

export interface SeenRequest {
  /** With the query. */
  path: string;
  token: string;
  isWatch: boolean;
  /** By `performance.now()`. */
  at: number;
  signal: AbortSignal;
}

export class ApiFront implements AsyncDisposable {
  readonly #controlPlane: ControlPlane;
  #server: Deno.HttpServer<Deno.NetAddr>;
  #ends = new AbortController();
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
    await this.#server.shutdown();
  }

  /** Cuts every answer that is under way. */
  endWatches(): void {
    this.#ends.abort();
    this.#ends = new AbortController();
  }

  /** Goes on with another certificate, and ends every connection. */
  async replaceCertificate(tls: { cert: string; key: string }): Promise<void> {
    const { port } = this.#server.addr;
    this.endWatches();
    await this.#server.shutdown();
    this.#server = this.#serve(tls, port);
  }

  #serve(tls: { cert: string; key: string }, port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {}, ...tls }, (request) => this.#handle(request));
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url);
    const seen: SeenRequest = {
      path: pathname + search,
      token: request.headers.get("authorization")?.slice("Bearer ".length) ?? "",
      isWatch: searchParams.get("watch") === "true",
      at: performance.now(),
      signal: request.signal,
    };
    this.requests.push(seen);
    const own = await this.answer(seen);
    if (own !== undefined) return own;
    const init = { method: request.method, signal: AbortSignal.any([request.signal, this.#ends.signal]) };
    const answer = await this.#controlPlane.fetch(seen.path, init, { token: seen.token })
      .catch((error) => new Response(String(error), { status: 502 }));
    const transformer = answer.ok ? this.bend(seen) : undefined;
    if (transformer === undefined || answer.body === null) return answer;
    return new Response(answer.body.pipeThrough(new TransformStream(transformer)), { headers: answer.headers });
  }
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
