/**
 * URL_ALLOWED_HOSTS: the hosts that `.url` keys may ask. Whoever can label a ConfigMap chooses the URL, so without this they
 * could read the application's admin API through the sidecar, or the cloud's metadata.
 */
import { embeddedIpv4, isRange, rangeCovers } from "./ip_address.ts";
import { socketHost } from "./proxy.ts";
import type { HostPolicy } from "./transport.ts";

/** One entry of the setting: `example.com`, `*.example.com`, `10.0.0.0/8`, `host:port` or `*`. */
interface Entry {
  /** A host name, a name after `*.`, an address or a CIDR. */
  host: string;
  kind: "any" | "name" | "subdomains" | "range";
  port: string | undefined;
}

/** Refused unless an entry admits them: this pod itself, and what is only reachable from this node. */
const REFUSED_RANGES: readonly string[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "::/128",
  "::1/128",
  "169.254.0.0/16",
  "fe80::/10",
  /** AWS over IPv6: instance metadata, credentials of pods. */
  "fd00:ec2::/32",
  /** Instance metadata of Google Cloud over IPv6. */
  "fd20:ce::254/128",
  /** Alibaba Cloud, Oracle Cloud and Azure have theirs at addresses that are not link-local. */
  "100.100.100.200/32",
  "192.0.0.192/32",
  "168.63.129.16/32",
];

/** The API server's name in every cluster. */
const CLUSTER_NAME = /^kubernetes(\.default(\.svc(\..+)?)?)?$/;

/** `undefined`: the text is not an entry. */
export function parseEntry(text: string): Entry | undefined {
  if (text === "*") return { host: "", kind: "any", port: undefined };
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:[\]]+|[^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = (bracketed ?? plain)?.toLowerCase();
  if (host === undefined) return undefined;
  if (isRange(host)) return { host, kind: "range", port };
  const isSubdomains = host.startsWith("*.");
  const name = isSubdomains ? host.slice(2) : host;
  if (!/^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*\.?$/.test(name)) return undefined;
  return { host: name.replace(/\.$/, ""), kind: isSubdomains ? "subdomains" : "name", port };
}

export interface AllowedHostsOptions {
  /** The setting; `undefined` for the default. */
  entries: readonly string[] | undefined;
  /** Host names or addresses of the API server, which the default refuses. */
  apiServers: readonly string[];
}

export class AllowedHosts implements HostPolicy {
  readonly #entries: readonly Entry[] | undefined;
  readonly #apiServers: readonly string[];

  constructor({ entries, apiServers }: AllowedHostsOptions) {
    this.#entries = entries?.flatMap((entry) => parseEntry(entry) ?? []);
    this.#apiServers = apiServers.map((host) => bareHost(host));
  }

  /**
   * What the name in a URL decides, whatever its address: `allowed`, `refused`, or `undefined` when the address decides. A
   * literal address is decided here.
   */
  byName(url: URL): "allowed" | "refused" | undefined {
    const host = bareHost(url.hostname);
    if (isRange(host)) return this.#admitsAddress(url, host) ? "allowed" : "refused";
    if (this.#entries === undefined) {
      if (CLUSTER_NAME.test(host)) return "refused";
      if (host === "localhost" || host.endsWith(".localhost") || this.#apiServers.includes(host)) return "refused";
      return undefined;
    }
    if (this.#entries.some((entry) => admitsName(entry, url, host))) return "allowed";
    return this.#entries.some(({ kind }) => kind === "range") ? undefined : "refused";
  }

  /** Whether a connection for a URL may go to an address that its name has. */
  admits(url: URL, address: string): boolean {
    const byName = this.byName(url);
    return byName === undefined ? this.#admitsAddress(url, address) : byName === "allowed";
  }

  /** By default any name that is not refused itself; of a setting only its names, since a CIDR cannot be checked. */
  admitsByProxy(url: URL): boolean {
    return (this.byName(url) ?? (this.#entries === undefined ? "allowed" : "refused")) === "allowed";
  }

  #admitsAddress(url: URL, address: string): boolean {
    const addresses = [address, embeddedIpv4(address)].filter((text) => text !== undefined);
    if (this.#entries === undefined) {
      const refused = [...REFUSED_RANGES, ...this.#apiServers.filter(isRange)];
      return !addresses.some((text) => refused.some((range) => rangeCovers(range, text)));
    }
    return this.#entries.some((entry) =>
      entry.kind === "any" || (entry.kind === "range" && hasPort(entry, url) &&
        addresses.some((text) => rangeCovers(entry.host, text)))
    );
  }
}

function admitsName(entry: Entry, url: URL, host: string): boolean {
  if (entry.kind === "any") return true;
  if (!hasPort(entry, url)) return false;
  if (entry.kind === "name") return host === entry.host;
  return entry.kind === "subdomains" && host.endsWith(`.${entry.host}`);
}

function hasPort({ port }: Entry, url: URL): boolean {
  return port === undefined || Number(port) === Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

/** Without brackets and without the dot that ends a full name. */
function bareHost(host: string): string {
  return socketHost(host).toLowerCase().replace(/\.$/, "");
}
