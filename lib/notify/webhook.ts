import { type BasicAuthCredentials, basicAuthorization } from "../http/basic_auth.ts";
import type { Clock } from "../runtime/clock.ts";
import { Deadline } from "../runtime/deadline.ts";
import { discard, follow, StatusError } from "../http/redirects.ts";
import { maxRetrySeconds, retry, type RetryLimits } from "../http/retry.ts";
import { redactUrl, type Transport } from "../http/transport.ts";
import { given } from "../runtime/given.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../runtime/message_of.ts";

export interface WebhookOptions {
  url: string;
  method: "GET" | "POST";
  /** Body of a POST, already JSON ({@link payloadBody}). */
  payload?: string | undefined;
  /** Read at each call. They take precedence over user info in `url`. */
  credentials: () => Promise<BasicAuthCredentials | undefined>;
  encoding: "latin1" | "utf-8";
  retry: RetryLimits;
  /** Seconds for one attempt, from the connection to the last byte, redirects included. */
  timeout: number;
  transport: Transport;
  clock: Clock;
  log: Pick<Log, "debug" | "info" | "error">;
}

/** The application could not be notified. The message contains no credentials and no query values. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
}

/** What to check when the application refuses; Grafana and Jenkins answer a wrong configuration with these statuses. */
const HINTS: Readonly<Record<number, string>> = {
  401: "check REQ_USERNAME and REQ_PASSWORD, or the token in REQ_URL",
  403: "check that the user of REQ_USERNAME may do this, or the token in REQ_URL",
  404: "check the path in REQ_URL",
  405: "check REQ_METHOD",
};

/**
 * REQ_URL: notifies the application that files changed.
 *
 * Any 2xx answer is success. Connection failures, late or broken answers and the statuses 500, 502, 503 and 504 are
 * retried within {@link RetryLimits}; anything else fails the call at once. Redirects are followed; credentials are only
 * sent to the origin of `url`.
 */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #url: URL;

  /** @throws TypeError when `url` is not one */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
  }

  /** The longest that {@link Webhook.call} can take. */
  get maxSeconds(): number {
    return maxRetrySeconds(this.#options.retry, this.#options.timeout);
  }

  /**
   * Calls until success, or until the retries are used up. Logs one line.
   *
   * @throws WebhookError, or the signal's reason
   */
  async call(signal: AbortSignal): Promise<void> {
    const { clock, log, method } = this.#options;
    const url = redactUrl(this.#url);
    const started = clock.now();
    let attempts = 0;
    try {
      const authorization = await this.#authorization();
      const status = await retry(() => {
        attempts++;
        return this.#attempt(authorization, signal);
      }, {
        limits: this.#options.retry,
        clock,
        signal,
        onRetry: (error, delay) => log.debug(`${method} ${url} ${messageOf(error)}; retrying in ${delay} s`),
      });
      log.info(`${method} ${url} answered ${status}`, { method, url, status, durationMs: elapsed(clock, started) });
    } catch (error) {
      signal.throwIfAborted();
      const status = error instanceof StatusError ? error.status : undefined;
      const hint = status !== undefined && HINTS[status] ? `; ${HINTS[status]}` : "";
      const times = attempts > 1 ? ` (after ${attempts} attempts)` : "";
      const failure = new WebhookError(`${method} ${url} failed: ${messageOf(error)}${times}${hint}`, { cause: error });
      log.error(failure.message, {
        method,
        url,
        ...given("status", status),
        durationMs: elapsed(clock, started),
      });
      throw failure;
    }
  }

  async #authorization(): Promise<string | undefined> {
    const credentials = await this.#options.credentials() ?? userInfo(this.#url);
    return credentials && basicAuthorization(credentials, this.#options.encoding);
  }

  /** One attempt. Returns the status of a successful answer. */
  async #attempt(authorization: string | undefined, signal: AbortSignal): Promise<number> {
    const { method, payload, transport, clock, timeout } = this.#options;
    using deadline = new Deadline(clock, timeout, signal);
    const answer = await follow(transport, this.#url, {
      method,
      ...given("json", method === "POST" ? payload : undefined),
      authorizationFor: (url) => url.origin === this.#url.origin ? authorization : undefined,
      signal: deadline.signal,
    });
    await discard(answer, signal);
    if (!answer.ok) throw new StatusError(answer.status, answer.statusText);
    return answer.status;
  }
}

/** REQ_PAYLOAD as a JSON body: valid JSON unchanged, any other text as a JSON string. */
export function payloadBody(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function userInfo({ username, password }: URL): BasicAuthCredentials | undefined {
  if (username === "") return undefined;
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

function elapsed(clock: Clock, started: number): number {
  return Math.round(clock.now() - started);
}
