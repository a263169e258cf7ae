import { encode, listen } from "./local_servers.ts";

/**
 * An http proxy that knows CONNECT, and answers anything else itself with "proxied". Every name is this machine's. `seen`
 * has the first lines it was sent, each with its `proxy-authorization`.
 */
export function connectProxy() {
  const seen: string[] = [];
  const served = listen(async (client, head) => {
    seen.push(head.split("\r\n")[0]!, ...head.match(/^proxy-authorization: .*$/mi)?.slice(0, 1) ?? []);
    const target = head.match(/^CONNECT (.+):(\d+) /);
    if (!target) {
      await client.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nproxied"));
      return client.closeWrite();
    }
    const upstream = await Deno.connect({ hostname: "127.0.0.1", port: Number(target[2]) });
    await client.write(encode("HTTP/1.1 200 Connection established\r\n\r\n"));
    const both = [client.readable.pipeTo(upstream.writable), upstream.readable.pipeTo(client.writable)];
    await Promise.allSettled(both);
  });
  return Object.assign(served, { seen });
}
