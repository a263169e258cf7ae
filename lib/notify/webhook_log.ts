import { redactUrl } from "../http/transport.ts";
import type { Log } from "../log/log.ts";
import { given } from "../runtime/given.ts";
import type { Outcome } from "./retry_policy.ts";
import { States } from "./states.ts";

/** Hints for refusals. Grafana and Jenkins answer a wrong configuration with these statuses. */
const HINTS: Readonly<Record<number, string>> = {
  401: "check REQ_USERNAME and REQ_PASSWORD, REQ_TOKEN_FILE, or the token in REQ_URL",
  403: "check what the user of REQ_USERNAME or REQ_TOKEN_FILE may do, or the token in REQ_URL",
  404: "check the path in REQ_URL",
  405: "check REQ_METHOD",
};

const OTHER_HINT = "check REQ_URL, REQ_METHOD and REQ_PAYLOAD";

export interface WebhookLogOptions {
  url: URL;
  method: string;
  /** REQ_TIMEOUT. */
  timeout: number;
  /** The name of a setting such as `REQ_URL` where it was set; default: its own. */
  nameOf?: ((setting: string) => string) | undefined;
  log: Pick<Log, "debug" | "info" | "warn" | "error">;
}

interface Attempted {
  outcome: Outcome;
  text: string;
  status?: number;
  isLate: boolean;
}

/**
 * The log of a webhook. Each kind of failure is logged once, even if it repeats, and so is its end. Other lines are at
 * debug level. No line contains credentials or query values.
 */
export class WebhookLog {
  readonly #options: WebhookLogOptions;
  readonly #states: States;
  readonly #call: string;

  constructor(options: WebhookLogOptions) {
    this.#options = options;
    this.#states = new States(options.log);
    this.#call = `${options.method} ${redactUrl(options.url)}`;
  }

  /** The application is unavailable and is called again in `delay` seconds. */
  retried({ text, status }: Attempted, delay: number): void {
    this.#options.log.debug(`${this.#call} ${text}; retrying in ${delay} s`);
    this.#unavailable(text, this.#properties(status));
  }

  unanswered(): void {
    const { timeout } = this.#options;
    const limit = this.#named("REQ_TIMEOUT");
    const message = `${this.#call} was not answered within ${timeout} s (${limit}); still waiting for the answer, ` +
      "and not calling again meanwhile";
    this.#states.report("warn", "unanswered", message, this.#properties());
  }

  /** @param attempts of this call; `ms` is its duration */
  ended(attempt: Attempted, { attempts, ms, isLast }: { attempts: number; ms: number; isLast: boolean }): void {
    const { outcome, status, isLate } = attempt;
    const text = attempt.text + (isLate && outcome.type !== "unanswered" ? this.#late(ms) : "");
    const properties = { ...this.#properties(status), durationMs: ms };
    const times = attempts > 1 ? ` (after ${attempts} attempts)` : "";
    if (outcome.type === "delivered") return this.#delivered(text, isLate, properties);
    if (isLast) {
      const failure = `${this.#call} failed: ${text}${times}${this.#named(hintOf(attempt))}`;
      return this.#options.log.error(`${failure}; the notification stays pending for the next start`, properties);
    }
    switch (outcome.type) {
      case "unavailable":
        return this.#unavailable(text + times, properties);
      case "failed":
        return this.#states.report("error", "failed", `${this.#call} failed: ${text}; retrying`, properties);
      case "refused": {
        const message =
          `${this.#call} failed: ${text}${
            this.#named(hintOf(attempt))
          }. It is called again when files or credentials ` +
          "change, else in 1 to 30 minutes";
        return this.#states.report("error", `refused: ${status ?? attempt.text}`, message, properties);
      }
      case "unanswered":
        this.#options.log.debug(`${this.#call} ${text}`, properties);
    }
  }

  #unavailable(text: string, properties: Record<string, unknown>): void {
    const hint = this.#named(tlsHint(text));
    this.#states.report("warn", "unavailable", `${this.#call} failed: ${text}${hint}; retrying`, properties);
  }

  #delivered(text: string, isLate: boolean, properties: Record<string, unknown>): void {
    const isRecovered = this.#states.clear({ except: isLate ? ["unanswered"] : [] });
    const works = isRecovered ? `${this.#call} works again: ${text}` : `${this.#call} ${text}`;
    this.#options.log.info(works, properties);
  }

  #late(ms: number): string {
    return this.#named(` after ${(ms / 1000).toFixed(1)} s, later than REQ_TIMEOUT (${this.#options.timeout} s)`);
  }

  #named(text: string): string {
    const { nameOf = (setting) => setting } = this.#options;
    return text.replace(/\bREQ_[A-Z_]+\b/g, nameOf);
  }

  #properties(status?: number): Record<string, unknown> {
    const { method, url } = this.#options;
    return { method, url: redactUrl(url), ...given("status", status) };
  }
}

/** What to check when a certificate was not accepted. */
function tlsHint(text: string): string {
  if (/valid for name|altnames/i.test(text)) return "; check the host in REQ_URL";
  return /certificate|issuer/i.test(text) && !/expired/i.test(text) ? "; check REQ_CA_FILE" : "";
}

function hintOf({ outcome, status }: Attempted): string {
  if (outcome.type !== "refused" || status === undefined) return "";
  return `; ${HINTS[status] ?? OTHER_HINT}`;
}
