import { authorizationFrom } from "../../lib/http/authorization.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import type { CallOptions, WebhookOptions } from "../../lib/notify/webhook.ts";
import { Webhook } from "../../lib/notify/webhook.ts";
import { FakeClock } from "./fake_clock.ts";

export interface LogEntry {
  level: string;
  message: string;
  properties: Record<string, unknown>;
}

/** A log that keeps what it is told. */
export function entryLog() {
  const entries: LogEntry[] = [];
  const record = (level: string) => (message: string, properties: Record<string, unknown> = {}) => {
    entries.push({ level, message, properties });
  };
  const log = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
  return { entries, log, at: (level: string) => entries.filter((entry) => entry.level === level) };
}

/** A webhook over real connections, with a clock that the test moves. */
export function makeWebhook(options: Pick<WebhookOptions, "url"> & Partial<WebhookOptions>) {
  const { entries, log, at } = entryLog();
  const transport = options.transport ?? openTransport({ sendOnce: true });
  const clock = new FakeClock();
  const webhook = new Webhook({
    method: "GET",
    authorizationFor: authorizationFrom({ encoding: "latin1" }),
    retry: { total: 5, connect: 10, read: 5, backoffFactor: 1.1 },
    timeout: 10,
    transport,
    isReachable: () => Promise.resolve(true),
    onAttempt() {},
    clock,
    wallClock: () => clock.now(),
    log,
    ...options,
  });
  const abort = new AbortController();
  const steps: number[] = [];
  let unanswered = 0;
  return {
    webhook,
    clock,
    entries,
    logged: at,
    abort,
    /** The seconds that each step was said to take. */
    steps,
    /** How often a request was left open. */
    unanswered: () => unanswered,
    call: (options: Partial<CallOptions> = {}) =>
      webhook.call({
        signal: abort.signal,
        isLast: false,
        expectWithin: (seconds) => void steps.push(seconds),
        onUnanswered: () => void unanswered++,
        ...options,
      }),
    [Symbol.dispose]: () => transport.close(),
  };
}
