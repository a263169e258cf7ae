/** Assembles how the content of `*.url` keys is fetched. The fetcher is loaded with the first download. */
import type { Body } from "../../files/body.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Collection } from "../../config/collection_settings.ts";
import type { AttemptOptions } from "../../downloads/attempt.ts";
import { ByteLimits } from "../../downloads/byte_limits.ts";
import type { Log } from "../../log/log.ts";
import type { Garbage } from "../../runtime/garbage.ts";
import { openNetrc } from "./open_netrc.ts";
import type { Transport } from "../../http/transport.ts";

export interface UrlFetcherOptions {
  collection: Collection;
  transport: () => Promise<Transport>;
  clock: Clock;
  log: Log;
  garbage: Pick<Garbage, "count">;
}

type Fetches = AttemptOptions["fetcher"];

export interface UrlFetcher extends Fetches {
  /** The next downloads follow other settings. */
  replace(settings: Pick<UrlFetcherOptions, "collection" | "transport">): void;
}

export function openUrlFetcher(options: UrlFetcherOptions): UrlFetcher {
  let loaded: ReturnType<typeof load> | undefined;
  return {
    replace(settings) {
      options = { ...options, ...settings };
      loaded = undefined;
    },
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
    const { unpack } = await import("../../downloads/unpack.ts");
    await unpack(archive, write, files.urlMaxBytes, signal);
  };
}

async function load({ collection: { files, requests }, transport, clock, log, garbage }: UrlFetcherOptions) {
  const { retry, timeout, encoding, netrc } = requests;
  const { Fetcher } = await import("../../downloads/fetcher.ts");
  const { authorizationForUrls } = await import("../../downloads/url_credentials.ts");
  return new Fetcher({
    transport: await transport(),
    retry,
    timeout,
    maxSeconds: requests.urlTimeout,
    maxBytes: files.urlMaxBytes,
    enable5xx: files.enable5xx,
    authorizationFor: authorizationForUrls({ netrc: await openNetrc(netrc, log), encoding }),
    clock,
    wallClock: Date.now,
    onRead: (bytes) => garbage.count(bytes),
    log,
  });
}
