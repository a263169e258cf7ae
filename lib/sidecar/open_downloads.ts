/** Assembles how the content of `*.url` keys is fetched. The fetcher is loaded with the first download. */
import type { Body } from "../files/body.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Collection, RequestSettings } from "../config/config.ts";
import type { AttemptOptions } from "../downloads/attempt.ts";
import { ByteLimits } from "../downloads/byte_limits.ts";
import type { Log } from "../log/log.ts";
import { openNetrc } from "./open_netrc.ts";
import type { Transport } from "../http/transport.ts";

export interface UrlFetcherOptions {
  collection: Collection;
  requests: RequestSettings;
  transport: () => Promise<Transport>;
  clock: Clock;
  log: Log;
}

export function openUrlFetcher(options: UrlFetcherOptions): AttemptOptions["fetcher"] {
  let loaded: ReturnType<typeof load> | undefined;
  return {
    async fetchTo(url, sink, signal, known) {
      loaded ??= load(options).catch((error) => {
        loaded = undefined;
        throw error;
      });
      return await (await loaded).fetchTo(url, sink, signal, known);
    },
  };
}

export function byteLimitsOf({ files }: Collection): ByteLimits {
  return new ByteLimits({ perObject: files.urlMaxBytesPerObject, total: files.urlMaxBytesTotal });
}

/** DECOMPRESS. The decompressor is loaded with the first archive. */
export function openUnpacker({ files }: Collection) {
  return async (archive: Body, write: (piece: Uint8Array) => void, signal: AbortSignal): Promise<void> => {
    const { unpack } = await import("../downloads/unpack.ts");
    await unpack(archive, write, files.urlMaxBytes, signal);
  };
}

async function load({ collection, requests, transport, clock, log }: UrlFetcherOptions) {
  const { retry, timeout, encoding, netrc } = requests;
  const { Fetcher } = await import("../downloads/fetcher.ts");
  const { authorizationForUrls } = await import("../downloads/url_credentials.ts");
  return new Fetcher({
    transport: await transport(),
    retry,
    timeout,
    maxSeconds: requests.urlTimeout,
    maxBytes: collection.files.urlMaxBytes,
    enable5xx: collection.files.enable5xx,
    authorizationFor: authorizationForUrls({ netrc: await openNetrc(netrc, log), encoding }),
    clock,
    wallClock: Date.now,
    log,
  });
}
