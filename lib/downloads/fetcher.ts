import { onlyToOrigin } from "./url_credentials.ts";
import type { Clock } from "../runtime/clock.ts";
import { Deadline, DeadlineError } from "../runtime/deadline.ts";
import { TimeSlice } from "../runtime/time_slice.ts";
import { discard, follow, StatusError } from "../http/redirects.ts";
import { isRetriedStatus, retry, type RetryBudget, type RetryLimits } from "../http/retry.ts";
import { retryAfterSeconds } from "../http/retry_after.ts";
import { redactUrl, RefusedHostError, type Transport, TransportError } from "../http/transport.ts";
import { BusyHostError, FetchError } from "./fetch_error.ts";
import { conditions, type Validators, validatorsOf } from "./validators.ts";

export interface FetcherLog {
  debug(message: string, properties?: Record<string, unknown>): void;
}

/** Where the bytes go. An error that it throws ends the download, and {@link Fetcher.fetchTo} throws it as it is. */
export interface ContentSink {
  /** Drops everything written so far, because a retry begins at the first byte. */
  restart(): void | Promise<void>;
  write(chunk: Uint8Array): void | Promise<void>;
}

export interface Answer {
  /** The content is still that of the {@link Validators} that the request was sent with. The sink has nothing. */
  isUnchanged: boolean;
  /** To be sent with the next request for this URL. */
  validators: Validators | undefined;
}

export interface FetcherOptions {
  transport: Transport;
  retry: RetryLimits;
  /** Seconds until the headers of an answer, and between two chunks of its body. */
  timeout: number;
  /** Seconds for a download in all, retries included. */
  maxSeconds: number;
  /** Largest body in bytes, after decoding. */
  maxBytes: number;
  /** ENABLE_5XX: after the last retry the body of a 5xx answer counts as content. */
  enable5xx: boolean;
  /** The `Authorization` header for the URL of a download (url_credentials.ts). */
  authorizationFor(url: URL): Promise<string | undefined>;
  clock: Clock;
  /** Milliseconds since 1970: a `Retry-After` may be a date. */
  wallClock(): number;
  log: FetcherLog;
  /** These bytes are garbage soon. */
  onRead(bytes: number): void;
}

/** What a request leaves behind, besides what it reads. */
const REQUEST_BYTES = 20 * 1024;

/** Downloads the content that a `.url` key names. */
export class Fetcher {
  readonly #options: FetcherOptions;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /**
   * Streams the content of `url` into `sink`. When this resolves, the sink has all of it; when this rejects, the sink has
   * an unusable part. Connection failures, late or broken answers and the statuses 500, 502 and 504 are retried as kiwigrid does
   * ({@link RetryLimits}), within `maxSeconds` in all; any other status that is not 2xx fails at once. With `enable5xx`, 503
   * is retried, too.
   *
   * @param known asks the host whether the content is still the same
   * @throws FetchError, BusyHostError, RefusedHostError, the sink's error, or the signal's reason
   */
  async fetchTo(url: string, sink: ContentSink, signal: AbortSignal, known?: Validators): Promise<Answer> {
    const start = httpUrl(url);
    const { clock, log, retry: limits, maxSeconds } = this.#options;
    using whole = new Deadline(clock, maxSeconds, signal);
    let attempts = 0;
    try {
      return await retry(async (budget) => {
        if (attempts++ > 0) await toSink(() => sink.restart());
        return await this.#attempt(start, sink, known, budget, whole.signal);
      }, {
        limits,
        clock,
        signal: whole.signal,
        onRetry: (error, delay) => log.debug(`GET ${redactUrl(start)} ${text(error)}; retrying in ${delay} s`),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SinkError) throw error.cause;
      if (error instanceof RefusedHostError) throw error;
      const reason = whole.passed ? `not complete within ${maxSeconds} s (URL_TIMEOUT)` : text(error);
      const times = attempts > 1 ? ` (after ${attempts} attempts)` : "";
      const message = `GET ${redactUrl(start)} failed: ${reason}${times}`;
      if (error instanceof BusyStatusError) throw new BusyHostError(message, error.retryAfter, { cause: error });
      const hasAnswered = !(error instanceof TransportError || error instanceof DeadlineError || whole.passed);
      throw new FetchError(message, { cause: error, hasAnswered });
    }
  }

  async #attempt(
    start: URL,
    sink: ContentSink,
    known: Validators | undefined,
    budget: RetryBudget,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { transport, clock, timeout, maxBytes, onRead } = this.#options;
    const authorization = await this.#options.authorizationFor(start);
    using deadline = new Deadline(clock, timeout, signal);
    let last = { url: start, authorization, conditions: {} };
    const answer = await follow(transport, start, {
      method: "GET",
      // Some hosts, such as GitHub's API, refuse requests without a user agent
      headers: { "accept-encoding": "identity", "user-agent": "deno-k8s-sidecar" },
      authorizationFor: onlyToOrigin(start, authorization),
      headersFor(url, authorization) {
        last = { url, authorization, conditions: conditions(known, url, authorization) };
        return last.conditions;
      },
      signal: deadline.signal,
    });
    onRead(REQUEST_BYTES);
    if (answer.status === 304 && known !== undefined && Object.keys(last.conditions).length > 0) {
      await discard(answer, signal);
      return { isUnchanged: true, validators: known };
    }
    if (!this.#accepts(answer.status, budget)) {
      await discard(answer, signal);
      const { status, statusText } = answer;
      if (status === 429 || (status === 503 && !this.#options.enable5xx)) {
        const retryAfter = retryAfterSeconds(answer.headers.get("retry-after"), this.#options.wallClock());
        throw new BusyStatusError(status, statusText, retryAfter);
      }
      throw new StatusError(status, statusText);
    }
    const complete = { isUnchanged: false, validators: validatorsOf(answer, last.url, last.authorization) };
    const reader = (await decoded(answer, onRead))?.getReader();
    if (reader === undefined) return complete;
    const slice = new TimeSlice(clock);
    slice.begin();
    try {
      let received = Number(answer.headers.get("content-length")) > maxBytes ? Infinity : 0;
      while (received <= maxBytes) {
        const { done, value } = await readChunk(reader, deadline, start);
        if (done) return complete;
        deadline.extend();
        received += value.length;
        onRead(value.length);
        if (received <= maxBytes) await toSink(() => sink.write(value));
        // A server that sends many small pieces at once must not keep the event loop busy
        if (slice.isOver) await slice.pause();
      }
      throw new RangeError(`the content is larger than ${maxBytes} bytes (URL_MAX_BYTES)`);
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  #accepts(status: number, budget: RetryBudget): boolean {
    // Nobody asked for a part
    if (status >= 200 && status <= 299) return status !== 206;
    return this.#options.enable5xx && status >= 500 && !(isRetriedStatus(status) && budget.allows("status"));
  }
}

/** 429 or 503. No {@link StatusError}, because it is not retried before the host's pause is over. */
class BusyStatusError extends Error {
  constructor(status: number, statusText: string, readonly retryAfter: number | undefined) {
    super(new StatusError(status, statusText).message);
  }
}

/** Carries a sink's error through the retries. */
class SinkError extends Error {}

async function toSink(action: () => void | Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw new SinkError("The sink failed", { cause: error });
  }
}

type Chunks = ReadableStreamDefaultReader<Uint8Array>;

async function readChunk(reader: Chunks, deadline: Deadline, { host }: URL) {
  try {
    return await reader.read();
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw new TransportError("read", `${host} sent only a part of its answer: ${text(error)}`, { cause: error });
  }
}

/** The body, decompressed: some servers compress though the request did not ask for it. */
async function decoded(
  answer: Response,
  onRead: (bytes: number) => void,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const encoding = answer.headers.get("content-encoding")?.toLowerCase().replace(/^x-/, "") || "identity";
  if (encoding === "identity" || answer.body === null) return answer.body ?? undefined;
  if (encoding === "gzip" || encoding === "deflate") {
    const { decode } = await import("./decode.ts");
    return decode(counted(answer.body, onRead), encoding);
  }
  await answer.body.cancel();
  throw new TypeError(`the server sent the content with the encoding ${encoding}, which the request does not accept`);
}

async function* counted(
  body: ReadableStream<Uint8Array>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    onRead(chunk.length);
    yield chunk;
  }
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new FetchError(`${redactUrl(text)} is not an http or https URL`);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
