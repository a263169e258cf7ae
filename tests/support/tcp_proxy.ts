/** A way to a server on which everything can go wrong that goes wrong on networks. Knows nothing of what it carries. */
import { connect, createServer, type Server, type Socket } from "node:net";

/** How bytes are carried, on connections that are there already and on new ones. */
export type Weather =
  | "fair"
  /** Connections are accepted, and what is sent is lost, without a word. */
  | "swallow"
  /** From the server comes one byte a second. */
  | "trickle";

interface Passage {
  client: Socket;
  server: Socket;
  /** Went through a black hole: its bytes are lost for good, whatever the weather is later. */
  lost: boolean;
}

const TRICKLE_MS = 1000;

export class TcpProxy implements AsyncDisposable {
  readonly #target: { host: string; port: number };
  readonly #passages = new Set<Passage>();
  #server: Server | undefined;
  #port = 0;
  #weather: Weather = "fair";
  /** Connections so far. */
  accepted = 0;
  /** Told of each piece from the server; returns how much of it still goes through before the connection is reset. */
  resetAt: (bytes: Uint8Array) => number | undefined = () => undefined;

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#target = { host: hostname, port: Number(port) };
  }

  /** @param target `https://127.0.0.1:PORT` */
  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    if (weather !== "swallow") return;
    for (const passage of this.#passages) passage.lost = true;
  }

  /** Nobody listens: connections are refused. Those that are there are reset. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.reset();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Listens, again on the same port. */
  async listen(): Promise<void> {
    const server = this.#server = createServer((client) => this.#pass(client));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  /** Resets every connection that is there. */
  reset(): void {
    for (const passage of this.#passages) this.#end(passage);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
  }

  #pass(client: Socket): void {
    this.accepted++;
    const server = connect(this.#target);
    const passage = { client, server, lost: this.#weather === "swallow" };
    this.#passages.add(passage);
    client.on("data", (bytes: Uint8Array) => {
      if (!passage.lost) server.write(bytes);
    });
    server.on("data", (bytes: Uint8Array) => {
      if (!passage.lost) this.#deliver(passage, bytes);
    });
    for (const [one, other] of [[client, server], [server, client]] as const) {
      one.on("error", () => {});
      one.on("close", () => {
        this.#passages.delete(passage);
        // A black hole swallows the end of a connection, too, on its way to the client
        if (!passage.lost || other === server) other.destroy();
      });
    }
  }

  #deliver(passage: Passage, bytes: Uint8Array): void {
    const { client, server } = passage;
    const cut = this.resetAt(bytes);
    if (cut !== undefined) {
      client.write(bytes.subarray(0, cut), () => this.#end(passage));
      server.pause();
    } else if (this.#weather === "trickle") {
      server.pause();
      client.write(bytes.subarray(0, 1));
      const rest = bytes.slice(1);
      const timer = setTimeout(() => {
        client.off("close", stop);
        if (rest.length > 0) this.#deliver(passage, rest);
        else server.resume();
      }, TRICKLE_MS);
      const stop = () => clearTimeout(timer);
      client.once("close", stop);
    } else {
      client.write(bytes);
      server.resume();
    }
  }

  #end(passage: Passage): void {
    this.#passages.delete(passage);
    passage.client.resetAndDestroy();
    passage.server.destroy();
  }
}
