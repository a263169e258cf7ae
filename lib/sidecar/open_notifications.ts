/** Assembles how one collection tells its application. What is not configured is not even loaded. */
import { credentialsFrom } from "../http/basic_auth.ts";
import type { Clock } from "../runtime/clock.ts";
import type { NotificationSettings, RequestSettings } from "../config/config.ts";
import type { Log } from "../log/log.ts";
import type { NotificationRunner, Pending, RunnerHeartbeat } from "../notify/runner.ts";
import type { Transport } from "../http/transport.ts";

export interface NotificationOptions {
  settings: NotificationSettings;
  requests: RequestSettings;
  transport: () => Promise<Transport>;
  pending: Pending;
  heartbeat: RunnerHeartbeat;
  clock: Clock;
  random: () => number;
  log: Log;
  onResult(kind: "script" | "webhook", ok: boolean, seconds: number): void;
}

/** `undefined`: nobody is to be told. */
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
  { retry, timeout, encoding, ...credentials }: RequestSettings,
  { transport, clock, log }: NotificationOptions,
) {
  const { payloadBody, Webhook } = await import("../notify/webhook.ts");
  return new Webhook({
    url,
    method,
    payload: payload === undefined ? undefined : payloadBody(payload),
    credentials: credentialsFrom(credentials, log),
    encoding,
    retry,
    timeout,
    transport: await transport(),
    clock,
    log,
  });
}
