import { BasicAuthError } from "../http/basic_auth.ts";
import { discard, follow, RedirectError } from "../http/redirects.ts";
import { type Failure, MAX_RETRY_DELAY_SECONDS, RetryBudget, type RetryLimits } from "../http/retry.ts";
import { retryAfterSeconds } from "../http/retry_after.ts";
import { type Transport, TransportError } from "../http/transport.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { Deadline, DeadlineError } from "../runtime/deadline.ts";
import { given } from "../runtime/given.ts";
import { messageOf } from "../runtime/message_of.ts";
import { within } from "../runtime/within.ts";
import { type Outcome, outcomeOf } from "./retry_policy.ts";
import { WebhookLog } from "./webhook_log.ts";

/** Maximum seconds, from its start, that a request stays open without an answer. */
export const MAX_OPEN_SECONDS = 300;

export interface WebhookOptions {
  url: string;
  method: "GET" | "POST";
  /** Body of a POST, already JSON ({@link payloadBody}). */
  payload?: string | undefined;
  /** REQ_HEADERS. An `authorization` among them takes precedence. */
  headers?: Readonly<Record<string, string>>;
  /** More headers; called for each attempt. */
  headersFromFiles?: (() => Promise<Record<string, string>>) | undefined;
  /** The `Authorization` header for `url`; called for each attempt. */
  authorizationFor: (url: URL) => Promise<string | undefined>;
  /** Retries while the application is unavailable. */
  retry: RetryLimits;
  /** Seconds for an answer, from the connection to the headers, redirects included. */
  timeout: number;
  transport: Transport;
  /** Whether the server of a URL accepts connections. */
  isReachable: (url: URL, signal: AbortSignal) => Promise<boolean>;
  /** An attempt has ended, or is not answered in time and stays open. */
  onAttempt(attempt: Pick<Attempt, "outcome" | "text" | "status">): void;
  /** The name of a setting such as `REQ_URL` where it was set; default: its own. */
  nameOf?: ((setting: string) => string) | undefined;
  clock: Clock;
  /** In ms since 1970. */
  wallClock: () => number;
  log: Pick<Log, "debug" | "info" | "warn" | "error">;
}

export interface CallOptions {
  signal: AbortSignal;
  /** The last call of this run (METHOD=LIST): a late answer is not awaited, and the result is logged in one line. */
  isLast: boolean;
  /** Called before each step with its maximum duration. */
  expectWithin(seconds: number): void;
  /** Called when the request was sent but not answered in time; it stays open. */
  onUnanswered(): void;
}

/** How an attempt ended. */
export interface Attempt {
  outcome: Outcome;
  /** The kind of failure that REQ_RETRY_* counts. */
  failure: Failure;
  /** `answered 503 Service Unavailable` */
  text: string;
  status?: number;
  /** The answer did not come within REQ_TIMEOUT. */
  isLate: boolean;
}

/**
 * REQ_URL: notifies the application that files changed.
 *
 * {@link Webhook.call} makes one attempt, and the REQ_RETRY_* retries while the application is unavailable. A request
 * that is not answered within REQ_TIMEOUT stays open, because the application may still be processing it. Redirects are
 * followed within the origin; credentials, headers and payload never go to another one.
 */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #url: URL;
  readonly #log: WebhookLog;

  /** @throws TypeError when `url` is not a URL */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#log = new WebhookLog({ ...options, url: this.#url });
  }

  /** Everything that may be the reason of a refusal: the whole request, credentials included. Never log it. */
  async identity(): Promise<string> {
    const { url, method, payload, authorizationFor } = this.#options;
    const authorization = await authorizationFor(this.#url).catch(messageOf);
    const headers = await this.#headers().catch(messageOf);
    return JSON.stringify([url, method, payload, headers, authorization]);
  }

  /**
   * Calls the application and logs the result.
   *
   * @throws the signal's reason
   */
  async call(options: CallOptions): Promise<Outcome> {
    const { clock, retry, timeout } = this.#options;
    const budget = new RetryBudget(retry);
    const started = clock.now();
    for (let attempts = 1;; attempts++) {
      options.expectWithin(timeout);
      const attempt = await this.#attempt(options);
      this.#options.onAttempt(attempt);
      const delay = retryDelay(attempt, budget);
      if (delay === undefined) {
        this.#log.ended(attempt, { attempts, ms: Math.round(clock.now() - started), isLast: options.isLast });
        return attempt.outcome;
      }
      this.#log.retried(attempt, delay);
      options.expectWithin(delay);
      await clock.sleep(delay, options.signal);
    }
  }

  async #attempt(options: CallOptions): Promise<Attempt> {
    const { signal } = options;
    const { clock, timeout } = this.#options;
    using deadline = new Deadline(clock, Math.max(timeout, MAX_OPEN_SECONDS), signal);
    let isLate = false;
    try {
      const answering = this.#send(deadline.signal);
      if (!await within(timeout, answering, clock, signal)) {
        isLate = true;
        if (!await this.#isSent(answering, signal)) {
          deadline.end();
          await answering.catch(() => {});
          return unavailable("connect", `cannot connect to ${this.#url.host} within ${timeout} s`);
        }
        if (options.isLast) deadline.end();
        else {
          this.#log.unanswered();
          const text = `was not answered within ${timeout} s (REQ_TIMEOUT), and is still open`;
          this.#options.onAttempt({ outcome: { type: "unanswered" }, text });
          options.onUnanswered();
          options.expectWithin(MAX_OPEN_SECONDS);
        }
      }
      const answer = await answering;
      // Errors of the body do not matter
      const discarded = discard(answer, deadline.signal).catch(() => {});
      if (!await within(timeout, discarded, clock, signal)) deadline.end();
      return { ...this.#ofAnswer(answer), isLate };
    } catch (error) {
      signal.throwIfAborted();
      if (isLate && error instanceof DeadlineError) {
        const seconds = options.isLast ? timeout : Math.max(timeout, MAX_OPEN_SECONDS);
        return unanswered(`was sent, and no answer came within ${seconds} s`);
      }
      // The application may still be processing the request: a proxy may have closed an idle connection
      if (isLate && error instanceof TransportError) return unanswered(messageOf(error));
      return ofError(error);
    }
  }

  async #send(signal: AbortSignal): Promise<Response> {
    const { method, payload, authorizationFor, transport } = this.#options;
    const headers = await this.#headers();
    const authorization = await authorizationFor(this.#url);
    return await follow(transport, this.#url, {
      method,
      ...given("headers", headers),
      ...given("json", method === "POST" ? payload : undefined),
      sameOrigin: true,
      authorizationFor: () => authorization,
      signal,
    });
  }

  async #headers(): Promise<Readonly<Record<string, string>> | undefined> {
    const { headers, headersFromFiles } = this.#options;
    return headersFromFiles === undefined ? headers : { ...headers, ...await headersFromFiles() };
  }

  /** Whether the request has probably reached the application. */
  async #isSent(answering: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
    let hasEnded = false;
    const onEnd = () => void (hasEnded = true);
    answering.then(onEnd, onEnd);
    const isReachable = await this.#options.isReachable(this.#url, signal);
    signal.throwIfAborted();
    return isReachable || hasEnded;
  }

  #ofAnswer({ status, statusText, headers }: Response): Omit<Attempt, "isLate"> {
    const retryAfter = retryAfterSeconds(headers.get("retry-after"), this.#options.wallClock());
    return {
      outcome: outcomeOf(status, retryAfter),
      failure: "status",
      text: `answered ${`${status} ${statusText}`.trim()}`,
      status,
    };
  }
}

/** Seconds before the next attempt of this call; `undefined`: there is no further attempt. */
function retryDelay({ outcome, failure, isLate }: Attempt, budget: RetryBudget): number | undefined {
  if (outcome.type !== "unavailable" || isLate) return undefined;
  const delay = budget.spend(failure);
  const asked = outcome.retryAfter ?? 0;
  return delay === undefined || asked > MAX_RETRY_DELAY_SECONDS ? undefined : Math.max(delay, asked);
}

function unavailable(failure: Failure, text: string): Attempt {
  return { outcome: { type: "unavailable" }, failure, text, isLate: false };
}

function unanswered(text: string): Attempt {
  return { outcome: { type: "unanswered" }, failure: "read", text, isLate: true };
}

function ofError(error: unknown): Attempt {
  if (error instanceof TransportError) return unavailable(error.phase, messageOf(error));
  const isKnown = error instanceof RedirectError || error instanceof BasicAuthError;
  // Another error may quote a header
  const text = isKnown ? messageOf(error) : "could not be sent: its URL or a header is not valid";
  return { outcome: { type: "refused" }, failure: "status", text, isLate: false };
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
