import type { Clock } from "../runtime/clock.ts";
import { Deadline } from "../runtime/deadline.ts";
import { proxyFor, socketHost } from "./proxy.ts";

/** Maximum seconds until the connection is there. */
const CONNECT_SECONDS = 2;

/**
 * Whether a TCP connection can be made to the server of a URL, or to the proxy before it. `fetch` does not tell whether a
 * request that has no answer was sent; where nobody accepts a connection, it was not.
 *
 * Never rejects; `false` when the signal aborts.
 *
 * @param env has the variables of {@link proxyFor}
 */
export async function isReachable(
  url: URL,
  env: Record<string, string | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const { protocol, hostname, port } = new URL(proxyFor(url, env) ?? url);
  using deadline = new Deadline(clock, CONNECT_SECONDS, signal);
  try {
    const connection = await Deno.connect({
      hostname: socketHost(hostname),
      port: Number(port || (protocol === "https:" ? 443 : 80)),
      signal: deadline.signal,
    });
    connection.close();
    return true;
  } catch {
    return false;
  }
}
