import { addressBits, rangeCovers } from "./ip_address.ts";

/** Hosts on this machine, which a proxy cannot reach. */
const LOOPBACK = "localhost,127.0.0.0/8,::1";

/**
 * The proxy that the environment names for a URL; `undefined` for a direct connection.
 *
 * `HTTPS_PROXY` and `HTTP_PROXY` (or in lower case) apply to the URL's scheme, `ALL_PROXY` to both. `NO_PROXY` is a list,
 * separated by commas, of host names (which include their subdomains, with or without a leading dot), IP addresses and
 * CIDR ranges, each with an optional `:port`, or `*`. curl and Go have the same rules; as in Go, `localhost` and loopback
 * addresses are never proxied.
 */
export function proxyFor(url: string | URL, env: Record<string, string | undefined>): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const variable = (name: string) => env[name] || env[name.toLowerCase()];
  const proxy = variable(protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY") || variable("ALL_PROXY");
  if (!proxy) return undefined;
  const host = socketHost(hostname);
  const effectivePort = port || (protocol === "https:" ? "443" : "80");
  const exempt = `${LOOPBACK},${variable("NO_PROXY") || ""}`.split(",").some((entry) => {
    return covers(entry.trim().toLowerCase(), host, effectivePort);
  });
  if (exempt) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/**
 * A `NO_PROXY` that has the same meaning for Deno's own connections as for {@link proxyFor}, loopback included: otherwise
 * an `HTTP_PROXY` in the pod would get the calls to the application. Deno does not apply `*` to addresses, does not know
 * `*.svc`, and compares `.SVC` case-sensitively.
 */
export function noProxyWithLoopback(env: Record<string, string | undefined>): string {
  const entries = (env["NO_PROXY"] || env["no_proxy"] || "").split(",").map((entry) => entry.trim().toLowerCase());
  const adapted = entries.map((entry) => entry === "*" ? "*,0.0.0.0/0,::/0" : entry.replace(/^\*\./, "."));
  return [...adapted, LOOPBACK].filter(Boolean).join(",");
}

/** The host of a URL for a socket: an IPv6 address without its brackets. */
export function socketHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const [, bracketed, plain, entryPort] = entry.match(/^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const name = bracketed ?? plain ?? entry;
  if (addressBits(host) !== undefined) return rangeCovers(name, host);
  const domain = name.replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}
