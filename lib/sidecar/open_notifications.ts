/**
 * Assembles how one collection notifies its application. The code of a script or a webhook is loaded only if it is set.
 */
import { credentialsFrom } from "../http/basic_auth.ts";
import type { Clock } from "../runtime/clock.ts";
import type { NotificationSettings, RequestSettings } from "../config/collection_settings.ts";
import type { Log } from "../log/log.ts";
import { openNetrc } from "./open_netrc.ts";
import type { NotificationRunner, Pending, RunnerHeartbeat } from "../notify/runner.ts";
import type { Transport } from "../http/transport.ts";

export interface NotificationOptions {
  settings: NotificationSettings;
  requests: RequestSettings;
  transport: () => Promise<Transport>;
  /** The environment, for proxy settings. */
  env: Record<string, string | undefined>;
  pending: Pending;
  heartbeat: RunnerHeartbeat;
  clock: Clock;
  random: () => number;
  log: Log;
  onResult(kind: "script" | "webhook", ok: boolean, seconds: number): void;
}

/** `undefined`: neither a script nor a webhook is set. */
export async function openNotifications(options: NotificationOptions): Promise<NotificationRunner | undefined> {
  const { settings, requests, pending, heartbeat, clock, random, log, onResult } = options;
  if (settings.script === undefined && settings.webhook === undefined) return undefined;
  const { NotificationRunner } = await import("../notify/runner.ts");
  return new NotificationRunner({
    quietPeriod: settings.quietPeriod,
    maxWait: settings.maxWait,
    skipInit: settings.skipInit,
    script: settings.script && await openScript(settings.script, options),
    webhook: settings.webhook && await openWebhook(settings.webhook, requests, options),
    pending,
    heartbeat,
    clock,
    wallClock: Date.now,
    random,
    log,
    onResult,
  });
}

async function openScript({ path, timeout }: { path: string; timeout: number }, { clock, log }: NotificationOptions) {
  const { Script } = await import("../notify/script.ts");
  return new Script({ path, timeout, clock, log });
}

async function openWebhook(
  { url, method, payload }: NonNullable<NotificationSettings["webhook"]>,
  { retry, timeout, headers, headerFiles, encoding, token, tokenFile, netrc, ...credentials }: RequestSettings,
  { transport, env, clock, log }: NotificationOptions,
) {
  const { payloadBody, Webhook } = await import("../notify/webhook.ts");
  const { authorizationFrom } = await import("../http/authorization.ts");
  const { isReachable } = await import("../http/reachable.ts");
  return new Webhook({
    url,
    method,
    payload: payload === undefined ? undefined : payloadBody(payload),
    headers,
    headersFromFiles: await openHeaderFiles(headerFiles),
    authorizationFor: authorizationFrom({
      token,
      tokenFile,
      credentials: credentialsFrom(credentials, log),
      netrc: await openNetrc(netrc, log),
      encoding,
    }),
    retry,
    timeout,
    transport: await transport(),
    isReachable: (target, signal) => isReachable(target, env, clock, signal),
    clock,
    wallClock: Date.now,
    log,
  });
}

async function openHeaderFiles(files: RequestSettings["headerFiles"]) {
  if (Object.keys(files).length === 0) return undefined;
  const { headersFromFiles } = await import("../http/header_files.ts");
  return headersFromFiles(files);
}
