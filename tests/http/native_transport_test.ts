import assert from "node:assert/strict";
import { openTransport } from "../../lib/http/open_transport.ts";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/local_servers.ts";

Deno.test("nativeTransport() keeps four idle connections after a burst of requests", async () => {
  const REQUESTS = 12;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked = Promise.withResolvers<void>();
  let open = 0;
  let waiting = 0;
  const serveOne = async (connection: Deno.Conn) => {
    open++;
    const buffer = new Uint8Array(4096);
    while (await connection.read(buffer).catch(() => null) !== null) {
      if (++waiting === REQUESTS) asked.resolve();
      await asked.promise;
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
    }
    connection.close();
    open--;
  };
  const serving = (async () => {
    for (let count = 0; count < REQUESTS; count++) serveOne(await listener.accept());
  })();
  const transport = openTransport();
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  const get = async () => assert.equal(await (await transport.fetch(url)).text(), "ok");
  await Promise.all(Array.from({ length: REQUESTS }, get));
  await serving;
  await until(() => open <= 4);
  assert.equal(open, 4);
  transport.close();
  await until(() => open === 0);
});

Deno.test("nativeTransport() names the proxy that it connects through, without its password", async () => {
  const proxy = `http://user:geheim@127.0.0.1:${freePort()}`;
  const transport = openTransport({ env: { HTTPS_PROXY: proxy } });
  // Deno reads the environment of the process, so there the name is looked up
  const error = await transport.fetch("https://nowhere.invalid/").catch((error) => error);
  assert.match(error.message, /^cannot connect to nowhere\.invalid through the proxy 127\.0\.0\.1:\d+: /);
  assert.doesNotMatch(error.message, /geheim/);
  transport.close();
});
