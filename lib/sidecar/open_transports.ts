/** The transports of webhooks and of downloads. Most sidecars need neither: each is opened with its first request. */
import type { Config } from "../config/config.ts";
import { AllowedHosts } from "../http/allowed_hosts.ts";
import { openTransport } from "../http/open_transport.ts";
import type { HostPolicy, Transport } from "../http/transport.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { given } from "../runtime/given.ts";

export interface TransportsOptions {
  config: Pick<Config, "requests">;
  env: Record<string, string | undefined>;
  /** `undefined` without a cluster. */
  credentials?: Pick<Credentials, "load">;
  clock: Clock;
  log: Log;
}

export interface Transports {
  /** For webhooks: any host. */
  webhook(): Promise<Transport>;
  /** For `.url` keys: the hosts of URL_ALLOWED_HOSTS. */
  downloads(): Promise<Transport>;
  close(): void;
}

export function openTransports(options: TransportsOptions): Transports {
  const webhook = once(() => open(options));
  const downloads = once(async () => await open(options, await hostPolicyOf(options)));
  return {
    webhook: webhook.get,
    downloads: downloads.get,
    close() {
      webhook.close();
      downloads.close();
    },
  };
}

async function open({ config, env, clock, log }: TransportsOptions, hostPolicy?: HostPolicy): Promise<Transport> {
  const { skipTlsVerify, caFiles } = config.requests;
  const transport = { env, skipTlsVerify, ...given("hostPolicy", hostPolicy) };
  if (caFiles.length === 0 || skipTlsVerify) return openTransport(transport);
  const { openTransportWithCaFiles } = await import("../http/ca_files.ts");
  return await openTransportWithCaFiles({ files: caFiles, transport, clock, log });
}

/** @throws {CredentialsError} the credentials, which name the API server, cannot be read */
async function hostPolicyOf({ config, env, credentials }: TransportsOptions): Promise<HostPolicy> {
  const entries = config.requests.urlAllowedHosts;
  const apiServers: string[] = [];
  if (entries === undefined) {
    if (env.KUBERNETES_SERVICE_HOST) apiServers.push(env.KUBERNETES_SERVICE_HOST);
    if (credentials !== undefined) apiServers.push(new URL((await credentials.load(false)).server).hostname);
  }
  return new AllowedHosts({ entries, apiServers });
}

/** Opens a transport at the first call, and again at the next one after a failure. */
function once(open: () => Promise<Transport>): { get: () => Promise<Transport>; close(): void } {
  let opened: Promise<Transport> | undefined;
  return {
    get: () =>
      opened ??= open().catch((error) => {
        opened = undefined;
        throw error;
      }),
    close: () => void opened?.then((transport) => transport.close(), () => {}),
  };
}
