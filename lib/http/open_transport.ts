import { checkedProxies } from "./checked_proxies.ts";
import { nativeTransport } from "./native_transport.ts";
import { closedError, type Transport, type TransportOptions } from "./transport.ts";

/** Whether Deno's client sends a request on a new connection again. */
const SENDS_AGAIN = isBefore(Deno.version.deno, [2, 9, 6]);

/**
 * The right {@link Transport} for some options: Deno's own client, or `node:https` for what that client cannot do. Node's
 * modules are loaded with the first request that needs them.
 *
 * - Deno's client cannot skip verification.
 * - It does not tell which address it connects to, which a `hostPolicy` has to know; but `node:https` cannot use an https or
 *   socks5 proxy, behind which nobody knows the address ({@link checkedProxies}).
 * - For a `serverName`, its `proxy: { transport: "tcp" }` sends an https request in plain text, token included (2.9.6).
 * - Before 2.9.6 it sends a request again when its connection breaks, which `sendOnce` forbids.
 * - It bypasses an http `proxy` for the hosts of NO_PROXY and for loopback; one that is given must be used for those too.
 *
 * @throws TypeError for certificates or keys that are not PEM
 */
export function openTransport(options: TransportOptions = {}): Transport {
  const { skipTlsVerify, serverName, proxy, hostPolicy, sendOnce } = options;
  const node = lazyNodeTransport(options);
  if (skipTlsVerify || serverName !== undefined || proxy?.startsWith("http:")) return node;
  const needsNode = hostPolicy !== undefined || (sendOnce && SENDS_AGAIN);
  return needsNode ? checkedProxies(options, hostPolicy, node) : nativeTransport(options, node);
}

function lazyNodeTransport(options: TransportOptions): Transport {
  let loading: Promise<Transport> | undefined;
  let closed = false;
  return {
    async fetch(url, init) {
      if (closed) throw closedError();
      loading ??= import("./node_transport.ts").then(({ nodeTransport }) => nodeTransport(options));
      return await (await loading).fetch(url, init);
    },
    close() {
      closed = true;
      loading?.then((transport) => transport.close(), () => {});
    },
  };
}

/** Whether a version is older than that of three numbers. */
function isBefore(version: string, than: readonly number[]): boolean {
  const numbers = version.split(".").map((part) => parseInt(part));
  const at = than.findIndex((number, index) => number !== numbers[index]);
  return at >= 0 && (numbers[at] ?? 0) < than[at]!;
}
