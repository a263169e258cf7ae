/**
 * The embedded API server in a process of its own, behind TLS: in-cluster credentials know no other way.
 * Arguments: certificate file, key file, token, whether lists of all namespaces are allowed (true or false). The first line on standard output is the URL.
 */
import { EmbeddedApiServer } from "../tests/apiserver/api_server.ts";

const [certFile = "", keyFile = "", token = "", clusterWide = "true"] = Deno.args;
const server = EmbeddedApiServer.start({ token, clusterWide: clusterWide === "true" });
const plain = { hostname: "127.0.0.1", port: Number(new URL(server.url).port) };
const listener = Deno.listenTls({
  hostname: "127.0.0.1",
  port: 0,
  cert: await Deno.readTextFile(certFile),
  key: await Deno.readTextFile(keyFile),
});
console.log(`https://127.0.0.1:${listener.addr.port}`);
for await (const client of listener) {
  Deno.connect(plain).then((upstream) => {
    upstream.setNoDelay(true);
    client.readable.pipeTo(upstream.writable).catch(() => {});
    upstream.readable.pipeTo(client.writable).catch(() => {});
  }, () => client.close());
}
