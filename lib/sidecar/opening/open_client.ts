import type { Config } from "../../config/config.ts";
import { KubeClient } from "../../kube/client/client.ts";
import { type Verb, verbOf } from "../../kube/client/verb.ts";
import type { Credentials } from "../../kube/client/credentials.ts";
import type { Log } from "../../log/log.ts";
import { describeSource } from "../../objects/source.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Garbage } from "../../runtime/garbage.ts";

export interface OpenClientOptions {
  config: Config;
  credentials: Credentials;
  env: Record<string, string | undefined>;
  userAgent: string;
  clock: Clock;
  log: Log;
}

/**
 * A client for the API server. Its requests are counted, and logged with DEBUG=true.
 *
 * @param onAnswer called whenever the API server sends something
 */
export function openClient(
  { config, credentials, env, userAgent, clock, log }: OpenClientOptions,
  metrics: { apiRequest(verb: Verb, status: number): void },
  garbage: Pick<Garbage, "count">,
  onAnswer: () => void = () => {},
): KubeClient {
  return new KubeClient({
    credentials,
    skipTlsVerify: config.api.skipTlsVerify,
    userAgent,
    env,
    clock,
    onGetForbidden: (source) =>
      log.warn(
        `not allowed to get ${describeSource(source)}: objects are read again by a list of one each; ` +
          "give the service account get, list and watch there by RBAC",
      ),
    onRead: (bytes) => {
      onAnswer();
      garbage.count(bytes);
    },
    onRequest: ({ method, path, status, seconds }) => {
      if (status > 0) onAnswer();
      metrics.apiRequest(verbOf(method, path), status);
      if (config.log.apiRequests) log.debug(`${method} ${path}`, { status, ms: Math.round(seconds * 1000) });
    },
  });
}
