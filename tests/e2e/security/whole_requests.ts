/** Clients of the health port that send whole requests and stay (of the kind of row 13 of the security cases). */
import assert from "node:assert/strict";
import type { AddStory } from "../../support/story.ts";

const CLIENTS = 200;

/** Asks again and again on connections that it does not close, until the signal aborts. */
async function linger(port: number, signal: AbortSignal): Promise<void> {
  const request = new TextEncoder().encode("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  while (!signal.aborted) {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const over = () => connection.close();
      signal.addEventListener("abort", over, { once: true });
      await connection.write(request);
      while (await connection.read(new Uint8Array(1024)) !== null);
      await new Promise((resolve) => setTimeout(resolve, 500));
      signal.removeEventListener("abort", over);
    } catch { /* closed by one side or the other */ }
  }
}

export function tellOfWholeRequests(story: AddStory): void {
  story("Probes pass while clients do not close their connections", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady();
    const stop = new AbortController();
    const clients = Array.from({ length: CLIENTS }, () => linger(sidecar.healthPort, stop.signal));
    try {
      for (let probe = 0; probe < 20; probe++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        // A kubelet, too, has a connection for each probe
        using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
        const response = await fetch(`http://127.0.0.1:${sidecar.healthPort}/livez`, { client });
        assert.equal(response.status, 200);
        await response.body?.cancel();
      }
    } finally {
      stop.abort();
      await Promise.all(clients);
    }
  });
}
