/** Anybody who reaches the health port (row 13 of the security cases). */
import assert from "node:assert/strict";
import { eventually } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

const ATTACKERS = 1500;

/** Connections that the port keeps. */
const MAX_CONNECTIONS = 64;

/** Half a request each, and what the server closes. */
class HalfRequests implements AsyncDisposable {
  /** Connections that the server has not closed. */
  open = 0;
  readonly #connections: Deno.TcpConn[] = [];
  readonly #ends: Promise<void>[] = [];

  async add(port: number, text: string): Promise<void> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    this.#connections.push(connection);
    this.open++;
    this.#ends.push(this.#attend(connection, text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch { /* closed already */ }
    }
    await Promise.all(this.#ends);
  }

  async #attend(connection: Deno.TcpConn, text: string): Promise<void> {
    try {
      await connection.write(new TextEncoder().encode(text));
      while (await connection.read(new Uint8Array(1024)) !== null);
    } catch { /* the server reset it */ }
    this.open--;
  }
}

export function tellOfHealthPort(story: AddStory): void {
  story("Probes pass while 1,500 requests are half sent", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady();
    await using half = new HalfRequests();
    let slowest = 0;
    for (let count = 0; count < ATTACKERS; count++) {
      await half.add(sidecar.healthPort, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ");
      if (count % 100 !== 99) continue;
      const startedAt = performance.now();
      assert.equal((await sidecar.health("/livez")).status, 200);
      slowest = Math.max(slowest, performance.now() - startedAt);
    }
    assert.ok(slowest < 1000, `a probe took ${slowest} ms`);
    await eventually(() => assert.ok(half.open <= MAX_CONNECTIONS, `${half.open} stay open`));
  });

  story("Answers of the health port show no content, and objects on the status page alone", async (at) => {
    await at.create("Secret", "the-secret", { data: { "the-key": "the-content" } });
    const sidecar = await at.startReady({ REQ_PASSWORD: "the-password" });
    for (
      const path of ["/", "/status", "/healthz", "/readyz", "/livez", "/metrics", "/../../etc/passwd", "/%2e%2e/x"]
    ) {
      const { text } = await sidecar.health(path);
      assert.doesNotMatch(text, /the-content|the-password|root:/, path);
      // STATUS_PAGE=local: this test asks from the same machine
      if (!["/", "/status"].includes(path)) assert.doesNotMatch(text, /the-secret|the-key/, path);
    }
  });
}
