/** A way to the API server that counts what goes through it: the bytes of TCP, TLS included. */

export interface Traffic {
  /** To the API server. */
  up: number;
  /** From it. */
  down: number;
  connections: number;
}

export class CountingProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: Deno.ConnectOptions;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;
  #traffic: Traffic = { up: 0, down: 0, connections: 0 };

  /** @param target `https://127.0.0.1:PORT` */
  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#target = { hostname, port: Number(port) };
    this.#serving = this.#serve();
  }

  get url(): string {
    return `https://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Until now. */
  get traffic(): Traffic {
    return { ...this.#traffic };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const passages: Promise<void>[] = [];
    for await (const client of this.#listener) passages.push(this.#pass(client));
    await Promise.all(passages);
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect(this.#target);
    this.#traffic.connections++;
    const ends = [client, server];
    for (const end of ends) {
      end.setNoDelay(true);
      this.#open.add(end);
    }
    await Promise.all([
      pump(client, server, (count) => this.#traffic.up += count),
      pump(server, client, (count) => this.#traffic.down += count),
    ]);
    for (const end of ends) this.#open.delete(end);
  }
}

/** What went through between two looks. */
export function between(before: Traffic, after: Traffic): Traffic {
  return {
    up: after.up - before.up,
    down: after.down - before.down,
    connections: after.connections - before.connections,
  };
}

async function pump(from: Deno.TcpConn, to: Deno.TcpConn, onBytes: (count: number) => void): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      onBytes(count);
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
  } catch { /* one end was closed */ }
  close(from);
  close(to);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* it is closed already */ }
}
