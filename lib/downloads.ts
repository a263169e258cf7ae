/** Assembles how the content of `*.url` keys is fetched. What makes the requests is loaded with the first of them. */
import { basicAuthorization, credentialsFrom } from "./http/basic_auth.ts";
import type { Clock } from "./clock.ts";
import type { RequestSettings, Rule } from "./config.ts";
import type { ContentSink } from "./files/url_content.ts";
import type { Log } from "./log.ts";
import type { Transport } from "./http/transport.ts";

export interface UrlFetcherOptions {
  rule: Rule;
  requests: RequestSettings;
  transport: () => Promise<Transport>;
  clock: Clock;
  log: Log;
}

export function openUrlFetcher(options: UrlFetcherOptions): {
  fetchTo(url: string, sink: ContentSink, signal: AbortSignal): Promise<void>;
} {
  let loaded: ReturnType<typeof load> | undefined;
  return {
    async fetchTo(url, sink, signal) {
      loaded ??= load(options);
      await (await loaded).fetchTo(url, sink, signal);
    },
  };
}

async function load({ rule, requests, transport, clock, log }: UrlFetcherOptions) {
  const { retry, timeout, encoding, ...credentials } = requests;
  const { webhook } = rule.notification;
  const origin = webhook === undefined ? undefined : new URL(webhook.url).origin;
  const readCredentials = credentialsFrom(credentials);
  const { UrlContent } = await import("./files/url_content.ts");
  return new UrlContent({
    transport: await transport(),
    retry,
    timeout,
    maxBytes: rule.files.urlMaxBytes,
    enable5xx: rule.files.enable5xx,
    // Whoever may write a labelled object must not be sent our password: only REQ_URL's own server is
    authorizationFor: async (url) => {
      const known = url.origin === origin ? await readCredentials() : undefined;
      return known && basicAuthorization(known, encoding);
    },
    clock,
    log,
  });
}
