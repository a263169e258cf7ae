/** HEALTH_PORT where it is the port of the application that a webhook calls in this pod, as Jenkins' 8080. */
import { rangeCovers } from "../http/ip_address.ts";
import type { Collection } from "./collection_settings.ts";

/** Of a configuration. */
interface Ports {
  method: string;
  collections: readonly Pick<Collection, "notification">[];
  health: { enabled: boolean; port: number };
}

/**
 * Whether the application has the port. The sidecar is often up first: if it took the port, the application could not start.
 */
export function isApplicationsPort({ collections, health: { enabled, port }, method }: Ports): boolean {
  return enabled && method !== "LIST" &&
    collections.some(({ notification: { webhook } }) =>
      webhook !== undefined && URL.canParse(webhook.url) && localPortOf(new URL(webhook.url)) === port
    );
}

export function applicationsPortWarnings(config: Ports): string[] {
  if (!isApplicationsPort(config)) return [];
  return [
    `HEALTH_PORT=${config.health.port} is the port of the application that the webhook calls, so there are no health ` +
    "endpoints. Set HEALTH_PORT to a free port, or LIVENESS=false",
  ];
}

/** `undefined`: the host is not certainly this pod. */
function localPortOf({ protocol, hostname, port }: URL): number | undefined {
  const host = hostname.replace(/^\[|\]$/g, "");
  const isLocal = host === "localhost" || ["127.0.0.0/8", "::1"].some((range) => rangeCovers(range, host));
  return isLocal ? Number(port || (protocol === "https:" ? 443 : 80)) : undefined;
}
