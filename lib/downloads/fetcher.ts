import type { Clock } from "../runtime/clock.ts";
import { Deadline } from "../runtime/deadline.ts";
import { discard, follow, StatusError } from "../http/redirects.ts";
import { isRetriedStatus, retry, type RetryBudget, type RetryLimits } from "../http/retry.ts";
import { redactUrl, type Transport, TransportError } from "../http/transport.ts";

export interface UrlContentLog {
  debug(message: string, properties?: Record<string, unknown>): void;
}

/** Where a download goes. What it throws ends the download, and comes out of {@link UrlContent.fetchTo} as it is. */
export interface ContentSink {
  /** Forgets everything written: a retry begins at the first byte again. */
  restart(): void | Promise<void>;
  write(chunk: Uint8Array): void | Promise<void>;
}

export interface UrlContentOptions {
  transport: Transport;
  retry: RetryLimits;
  /** Seconds until the answer's headers, and between two chunks of its body. */
  timeout: number;
  /** Largest body, in bytes, after decoding. */
  maxBytes: number;
  /** ENABLE_5XX: when the retries are used up, the body of a 5xx answer is content too. */
  enable5xx: boolean;
  /** The `Authorization` for a URL, redirect targets included; give it to the origin it belongs to and no other. */
  authorizationFor(url: URL): Promise<string | undefined>;
  clock: Clock;
  log: UrlContentLog;
}

/** What a `.url` key points to could not be had. The message has no credential and no query value in it. */
export class UrlContentError extends Error {
  override readonly name = "UrlContentError";
}

/** Downloads what a `.url` key points to. */
export class UrlContent {
  readonly #options: UrlContentOptions;

  constructor(options: UrlContentOptions) {
    this.#options = options;
  }

  /**
   * Streams the content of `url` into `sink`, which is complete when this resolves and worthless when it rejects.
   * Connection failures, late or broken answers and the statuses 500, 502, 503 and 504 are retried as kiwigrid does it
   * ({@link RetryLimits}); other statuses but 2xx fail at once.
   *
   * @throws UrlContentError, what the sink throws, or the signal's reason
   */
  async fetchTo(url: string, sink: ContentSink, signal: AbortSignal): Promise<void> {
    const start = httpUrl(url);
    const { clock, log, retry: limits } = this.#options;
    let attempts = 0;
    try {
      await retry(async (budget) => {
        if (attempts++ > 0) await toSink(() => sink.restart());
        await this.#attempt(start, sink, budget, signal);
      }, {
        limits,
        clock,
        signal,
        onRetry: (error, delay) => log.debug(`GET ${redactUrl(start)} ${text(error)}; again in ${delay} s`),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SinkError) throw error.cause;
      const times = attempts > 1 ? ` (after ${attempts} attempts)` : "";
      throw new UrlContentError(`GET ${redactUrl(start)} failed: ${text(error)}${times}`, { cause: error });
    }
  }

  async #attempt(start: URL, sink: ContentSink, budget: RetryBudget, signal: AbortSignal): Promise<void> {
    const { transport, clock, timeout, maxBytes } = this.#options;
    using deadline = new Deadline(clock, timeout, signal);
    const answer = await follow(transport, start, {
      method: "GET",
      headers: { "accept-encoding": "identity" },
      authorizationFor: (url) => this.#options.authorizationFor(url),
      signal: deadline.signal,
    });
    if (!this.#accepts(answer.status, budget)) {
      await discard(answer, signal);
      throw new StatusError(answer.status, answer.statusText);
    }
    const reader = (await decoded(answer))?.getReader();
    if (reader === undefined) return;
    try {
      let received = Number(answer.headers.get("content-length")) > maxBytes ? Infinity : 0;
      while (received <= maxBytes) {
        const { done, value } = await readChunk(reader, deadline, start);
        if (done) return;
        deadline.extend();
        received += value.length;
        if (received <= maxBytes) await toSink(() => sink.write(value));
      }
      throw new RangeError(`the content is larger than ${maxBytes} bytes (URL_MAX_BYTES)`);
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  #accepts(status: number, budget: RetryBudget): boolean {
    if (status >= 200 && status <= 299) return true;
    return this.#options.enable5xx && status >= 500 && !(isRetriedStatus(status) && budget.allows("status"));
  }
}

/** Carries a sink's error past the retries. */
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
    throw new TransportError("read", `${host} sent a part of its answer only: ${text(error)}`, { cause: error });
  }
}

/** The body without the compression that some servers apply to whoever asks. */
async function decoded(answer: Response): Promise<ReadableStream<Uint8Array> | undefined> {
  const encoding = answer.headers.get("content-encoding")?.toLowerCase().replace(/^x-/, "") || "identity";
  if (encoding === "identity" || answer.body === null) return answer.body ?? undefined;
  if (encoding === "gzip" || encoding === "deflate") {
    return answer.body.pipeThrough(new DecompressionStream(encoding));
  }
  await answer.body.cancel();
  throw new TypeError(`the content came encoded as ${encoding}, though it was asked for as it is`);
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new UrlContentError(`${redactUrl(text)} is not an http or https URL`);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
