/** A way to a server that can be shut, so that a client is cut off and everybody else is not. */

export class TcpGate implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #target: Deno.ConnectOptions;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;
  #isOpen = true;
  /** Connections that were let through so far. */
  passed = 0;

  /** @param target `https://127.0.0.1:PORT` */
  constructor(target: string, hostname = "127.0.0.1") {
    const { hostname: host, port } = new URL(target);
    this.#target = { hostname: host, port: Number(port) };
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#serving = this.#serve();
  }

  get url(): string {
    const { hostname, port } = this.#listener.addr;
    return `https://${hostname}:${port}`;
  }

  /** Cuts every connection and lets no new one through. */
  shut(): void {
    this.#isOpen = false;
    for (const connection of this.#connections) close(connection);
  }

  open(): void {
    this.#isOpen = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shut();
    this.#listener.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const passages: Promise<void>[] = [];
    for await (const client of this.#listener) passages.push(this.#pass(client));
    await Promise.all(passages);
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    const server = this.#isOpen ? await Deno.connect(this.#target).catch(() => undefined) : undefined;
    if (server === undefined || !this.#isOpen) {
      close(client);
      if (server !== undefined) close(server);
      return;
    }
    this.passed++;
    const ends = [client, server];
    for (const end of ends) this.#connections.add(end);
    const pump = async (from: Deno.TcpConn, to: Deno.TcpConn) => {
      const buffer = new Uint8Array(64 * 1024);
      try {
        for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
          for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
        }
      } catch { /* one end was closed */ }
      for (const end of ends) close(end);
    };
    await Promise.all([pump(client, server), pump(server, client)]);
    for (const end of ends) this.#connections.delete(end);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* it is closed already */ }
}
