/** An application with a webhook: it records how it is called, and answers as a test says. */
import { freePort } from "./free_port.ts";

export interface Call {
  method: string;
  /** With the query. */
  path: string;
  headers: Headers;
  body: string;
  /** By `performance.now()`. */
  at: number;
}

type Respond = (call: Call) => Response | Promise<Response>;

export interface ApplicationOptions {
  /** In PEM: it speaks https. */
  tls?: { cert: string; key: string };
  /** Connections are refused until {@link Application.listen} is called. */
  closed?: boolean;
}

export class Application implements AsyncDisposable {
  readonly calls: Call[] = [];
  /** The most calls that were open at one time. */
  mostOpen = 0;
  respond: Respond = () => new Response(null, { status: 200 });
  port = freePort();
  readonly #tls: ApplicationOptions["tls"];
  readonly #over = Promise.withResolvers<void>();
  #open = 0;
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;

  constructor({ tls, closed = false }: ApplicationOptions = {}) {
    this.#tls = tls;
    while (!closed && this.#server === undefined) {
      try {
        this.listen();
      } catch (error) {
        // Another test was faster
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
        this.port = freePort();
      }
    }
  }

  get url(): string {
    return `${this.#tls === undefined ? "http" : "https"}://127.0.0.1:${this.port}/reload`;
  }

  listen(): void {
    const options = { hostname: "127.0.0.1", port: this.port, onListen() {}, ...this.#tls };
    this.#server = Deno.serve(options, (request) => this.#handle(request));
  }

  /** Every call from now on waits; on return of the function the calls that wait get this answer. */
  hold(): (status: number) => void {
    const held = Promise.withResolvers<number>();
    this.respond = async () => {
      const status = await Promise.race([held.promise, this.#over.promise.then(() => 503)]);
      return new Response(null, { status });
    };
    return (status) => held.resolve(status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.resolve();
    await this.#server?.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const at = performance.now();
    const call: Call = { method, path: pathname + search, headers, body: await request.text(), at };
    this.calls.push(call);
    this.mostOpen = Math.max(this.mostOpen, ++this.#open);
    try {
      return await this.respond(call);
    } finally {
      this.#open--;
    }
  }
}
