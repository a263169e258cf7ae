import assert from "node:assert/strict";
import { serve } from "../support/local_servers.ts";
import { serverCertificate } from "../support/server_certificate.ts";

const certificate = await serverCertificate();
const entropy = new URL("../../lib/runtime/entropy.ts", import.meta.url);

/** Milliseconds that the main thread of a new process computes for this and its first TLS connection. */
async function firstConnection(port: number, before: string): Promise<number> {
  const program = `
    import { gatherEntropy } from ${JSON.stringify(entropy.href)};
    const cpuTime = () => Number(Deno.readTextFileSync("/proc/self/schedstat").split(" ")[0]) / 1e6;
    const start = cpuTime();
    ${before}
    const connection = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: ${port},
      caCerts: [${JSON.stringify(certificate.ca)}],
    });
    await connection.handshake();
    console.log(cpuTime() - start);
    connection.close();
  `;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    env: { DENO_TLS_CA_STORE: "mozilla" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name: "gatherEntropy() takes most of the work of the first TLS connection to another thread",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using server = serve(() => new Response(), certificate);
    const measure = async (before: string) => {
      const times: number[] = [];
      for (let round = 0; round < 3; round++) times.push(await firstConnection(server.port, before));
      return Math.min(...times);
    };
    const without = await measure("");
    const gathered = await measure("await gatherEntropy();");
    assert.ok(gathered < without / 2, `${gathered} ms in place of ${without}`);
  },
});
