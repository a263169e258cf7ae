import { nativeTransport } from "./native_transport.ts";
import { proxyFor } from "./proxy.ts";
import { closedError, type HostPolicy, RefusedHostError, type Transport, type TransportOptions } from "./transport.ts";

/**
 * A {@link Transport} that may have a host policy. Requests for which the environment names an https or socks5 proxy go through
 * Deno's own client, which knows these proxies; all others go to `others`, which is closed with it.
 *
 * A proxy looks the name up itself, so only names and literal addresses can be checked.
 */
export function checkedProxies(
  options: TransportOptions,
  hostPolicy: HostPolicy | undefined,
  others: Transport,
): Transport {
  const byProxy = new Map<string, Transport>();
  let closed = false;

  const through = (proxy: string): Transport => {
    let transport = byProxy.get(proxy);
    if (transport === undefined) byProxy.set(proxy, transport = nativeTransport({ ...options, proxy }, others));
    return transport;
  };

  return {
    async fetch(input, init) {
      if (closed) throw closedError();
      const url = new URL(input);
      const proxy = options.proxy ?? (options.env && proxyFor(url, options.env));
      if (proxy === undefined || proxy.startsWith("http:")) return await others.fetch(url, init);
      if (hostPolicy?.admitsByProxy(url) === false) throw new RefusedHostError(url);
      return await through(proxy).fetch(url, init);
    },
    close() {
      closed = true;
      for (const transport of byProxy.values()) transport.close();
      others.close();
    },
  };
}
