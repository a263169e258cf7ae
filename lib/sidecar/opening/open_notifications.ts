/**
 * Assembles how one collection notifies its application. The code of a script or a webhook is loaded only if it is set.
 */
import { credentialsFrom } from "../../http/basic_auth.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { NotificationSettings, RequestSettings } from "../../config/collection_settings.ts";
import type { Log } from "../../log/log.ts";
import { openNetrc } from "./open_netrc.ts";
import type { NotificationRunner, Pending, RunnableScript, RunnerHeartbeat } from "../../notify/runner.ts";
import { given } from "../../runtime/given.ts";
import { messageOf } from "../../runtime/message_of.ts";
import type { NotificationKind, Told } from "../collections/told.ts";
import type { Transport } from "../../http/transport.ts";

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
  told: Pick<Told, "attempted" | "ended" | "clear">;
  /** Where a setting such as `REQ_URL` was set: the variable, or the key in CONFIG_FILE. */
  nameOf?: (setting: string) => string;
}

/** `undefined`: neither a script nor a webhook is set. */
export async function openNotifications(options: NotificationOptions): Promise<NotificationRunner | undefined> {
  const { settings, requests, pending, heartbeat, clock, random, log, onResult, told } = options;
  told.clear();
  if (settings.script === undefined && settings.webhook === undefined) return undefined;
  const { NotificationRunner } = await import("../../notify/runner.ts");
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
    onResult(kind, ok, seconds, files) {
      onResult(kind, ok, seconds);
      told.ended(kind, addressOf(kind, settings), { seconds, files });
    },
  });
}

/** Whom a notification goes to: method and URL without credentials and query, or the path of the script. */
export function addressOf(
  kind: NotificationKind,
  { script, webhook }: Pick<NotificationSettings, "script" | "webhook">,
): string {
  if (kind === "script") return script?.path ?? "";
  const url = URL.parse(webhook?.url ?? "");
  return url === null ? "" : `${webhook?.method} ${url.origin}${url.pathname}`;
}

async function openScript(
  { path, timeout }: { path: string; timeout: number },
  { clock, log, told }: NotificationOptions,
): Promise<RunnableScript> {
  const { Script } = await import("../../notify/script.ts");
  const script = new Script({ path, timeout, clock, log });
  return {
    maxSeconds: script.maxSeconds,
    async run(files, signal) {
      try {
        await script.run(files, signal);
        told.attempted("script", path, { text: "succeeded", outcome: "delivered" });
      } catch (error) {
        if (!signal.aborted) told.attempted("script", path, { text: messageOf(error), outcome: "failed" });
        throw error;
      }
    },
  };
}

async function openWebhook(
  webhook: NonNullable<NotificationSettings["webhook"]>,
  { retry, timeout, headers, headerFiles, encoding, token, tokenFile, netrc, ...credentials }: RequestSettings,
  { transport, env, clock, log, told, nameOf }: NotificationOptions,
) {
  const { url, method, payload } = webhook;
  const { payloadBody, Webhook } = await import("../../notify/webhook.ts");
  const { authorizationFrom } = await import("../../http/authorization.ts");
  const { isReachable } = await import("../../http/reachable.ts");
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
    onAttempt: ({ outcome, text, status }) =>
      told.attempted("webhook", addressOf("webhook", { webhook }), {
        ...{ text, outcome: outcome.type },
        ...given("status", status),
      }),
    nameOf,
    clock,
    wallClock: Date.now,
    log,
  });
}

async function openHeaderFiles(files: RequestSettings["headerFiles"]) {
  if (Object.keys(files).length === 0) return undefined;
  const { headersFromFiles } = await import("../../http/header_files.ts");
  return headersFromFiles(files);
}
