/** The transports of webhooks and of downloads. Most sidecars need neither: each is opened with its first request. */
import type { RequestSettings } from "../../config/collection_settings.ts";
import { AllowedHosts } from "../../http/allowed_hosts.ts";
import { openTransport } from "../../http/open_transport.ts";
import type { Transport, TransportOptions } from "../../http/transport.ts";
import type { Credentials } from "../../kube/client/credentials.ts";
import type { Log } from "../../log/log.ts";
import type { Clock } from "../../runtime/clock.ts";
import { given } from "../../runtime/given.ts";

/** What decides how requests travel. */
export type TransportSettings = Pick<RequestSettings, "skipTlsVerify" | "caFiles" | "urlAllowedHosts">;

export interface TransportsOptions {
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

/** Collections with equal settings share their transports. */
export class SharedTransports {
  readonly #options: TransportsOptions;
  /** By their settings. */
  readonly #opened = new Map<string, Transports>();

  constructor(options: TransportsOptions) {
    this.#options = options;
  }

  /** The transports for these settings. They stay open until `close`. */
  of({ skipTlsVerify, caFiles, urlAllowedHosts }: TransportSettings): Transports {
    const settings = { skipTlsVerify, caFiles, ...given("urlAllowedHosts", urlAllowedHosts) };
    const key = JSON.stringify(settings);
    let transports = this.#opened.get(key);
    if (transports === undefined) this.#opened.set(key, transports = openTransports({ ...this.#options, ...settings }));
    return transports;
  }

  close(): void {
    for (const transports of this.#opened.values()) transports.close();
  }
}

function openTransports(options: TransportsOptions & TransportSettings): Transports {
  const webhook = once(() => open(options, { sendOnce: true }));
  const downloads = once(async () => await open(options, { hostPolicy: await hostPolicyOf(options) }));
  return {
    webhook: webhook.get,
    downloads: downloads.get,
    close() {
      webhook.close();
      downloads.close();
    },
  };
}

async function open(
  options: TransportsOptions & TransportSettings,
  purpose: Pick<TransportOptions, "hostPolicy" | "sendOnce">,
): Promise<Transport> {
  const { env, clock, log, skipTlsVerify, caFiles } = options;
  const transport = { env, skipTlsVerify, ...purpose };
  if (caFiles.length === 0 || skipTlsVerify) return openTransport(transport);
  const { openTransportWithCaFiles } = await import("../../http/ca_files.ts");
  return await openTransportWithCaFiles({ files: caFiles, transport, clock, log });
}

/**
 * The hosts that `.url` keys may ask.
 *
 * @throws {CredentialsError} the credentials, which name the API server, cannot be read
 */
export async function hostPolicyOf(
  { env, credentials, urlAllowedHosts: entries }:
    & Pick<TransportsOptions, "env" | "credentials">
    & Pick<TransportSettings, "urlAllowedHosts">,
): Promise<AllowedHosts> {
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
