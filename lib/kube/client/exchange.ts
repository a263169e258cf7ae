/**
 * One request and its answer: adds credentials, reads them again after a 401, and limits the time to the last byte.
 * HTTP/1.1 with keep-alive; each request under way has its own connection.
 */
import { redactServer, TransportError } from "../../http/transport.ts";
import { unlessAborted } from "../../runtime/unless_aborted.ts";
import type { Status } from "../../objects/object.ts";
import { AnswerDeadline, MAX_OBJECT_SECONDS, MAX_SILENCE_SECONDS } from "./dead_connection.ts";
import { readChunks } from "./chunks.ts";
import { type Connection, type ConnectionOptions, Connections } from "./connections.ts";
import { ApiError } from "./errors.ts";

/** A request's body: its media type, and the value to encode as JSON. */
export interface Body {
  type: string;
  value: unknown;
}

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH";
  /** From the root, query included. */
  path: string;
  body?: Body;
  /** Seconds for the whole answer; `Infinity` for a watch, whose body ends with `signal`. */
  seconds: number;
  /** Called when the server has accepted the request. */
  onAnswer?: () => void;
  signal: AbortSignal;
}

export interface ExchangeOptions extends ConnectionOptions {
  userAgent: string;
  /** Called after each request; `status` is 0 when there was no answer. */
  onRequest?: (request: { method: ApiRequest["method"]; path: string; status: number; seconds: number }) => void;
}

/** Seconds for the body of an error answer. */
const MAX_ERROR_BODY_SECONDS = 10;

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #connections: Connections;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#connections = new Connections(options);
  }

  /**
   * Yields the bytes of a 2xx answer as they arrive, at least `least` at a time until it ends. Chunks share one buffer.
   * The answer stays referenced until it ends: if it were not, Deno would keep its connection open after an abort
   * (2.9.6).
   *
   * @throws {ApiError | TransportError | CredentialsError}
   */
  async *bytes(request: ApiRequest, least = 1): AsyncGenerator<Uint8Array, void> {
    const isWatch = request.seconds === Infinity;
    const seconds = isWatch ? MAX_OBJECT_SECONDS : request.seconds;
    using deadline = new AnswerDeadline(this.#options.clock, seconds, request.signal);
    const { response, server } = await this.#open(request, deadline);
    request.onAnswer?.();
    if (isWatch) deadline.allow(Infinity);
    const silence = isWatch ? Infinity : MAX_SILENCE_SECONDS;
    try {
      if (response.body === null) return;
      yield* readChunks(response.body, least, (read) => deadline.wait(read, silence));
    } catch (error) {
      throw readError(error, server, deadline);
    } finally {
      await discard(response, deadline);
    }
  }

  /** The namespace in the credentials. */
  async namespace(): Promise<string> {
    return await this.#connections.namespace();
  }

  close(): void {
    this.#connections.close();
  }

  /** A 2xx answer. After a 401 the credentials are read again and the request is repeated, once. */
  async #open(request: ApiRequest, deadline: AnswerDeadline): Promise<{ response: Response; server: string }> {
    const obtain = (connection: Promise<Connection>) => deadline.wait(unlessAborted(connection, deadline.signal));
    let connection = await obtain(this.#connections.current());
    let response = await this.#send(connection, request, deadline);
    if (response.status === 401) {
      await discard(response, deadline);
      connection = await obtain(this.#connections.afterRejection(connection));
      response = await this.#send(connection, request, deadline);
    }
    if (response.status === 401) {
      await discard(response, deadline);
      throw unauthorized(connection.access.server, this.#options.credentials.origin);
    }
    if (!response.ok) throw await apiErrorOf(request, response, deadline);
    return { response, server: connection.access.server };
  }

  async #send(connection: Connection, request: ApiRequest, deadline: AnswerDeadline): Promise<Response> {
    const { clock, userAgent, onRequest } = this.#options;
    const { access, transport } = connection;
    const { method, path, body } = request;
    const startedAt = clock.now();
    let status = 0;
    try {
      const response = await deadline.wait(transport.fetch(access.server + path, {
        method,
        headers: {
          ...access.headers,
          accept: "application/json",
          "user-agent": userAgent,
          ...(body && { "content-type": body.type }),
        },
        ...(body && { body: JSON.stringify(body.value) }),
        signal: deadline.signal,
      }));
      status = response.status;
      return response;
    } catch (error) {
      this.#connections.failed(connection);
      if (deadline.exceeded === undefined) throw error;
      const seconds = Math.round((clock.now() - startedAt) / 1000);
      throw new TransportError("read", `${access.server} did not answer within ${seconds} s`, { cause: error });
    } finally {
      onRequest?.({ method, path, status, seconds: (clock.now() - startedAt) / 1000 });
    }
  }
}

/** Frees the connection of an answer whose body was not read to its end. */
async function discard({ body }: Response, deadline: AnswerDeadline): Promise<void> {
  if (body !== null) await deadline.wait(unlessAborted(body.cancel(), deadline.signal)).catch(() => {});
}

/** The message names no request, because every request fails in the same way. */
function unauthorized(server: string, origin = "those that were found"): ApiError {
  return new ApiError(`${redactServer(server)} refuses the credentials (401 Unauthorized)`, 401, {
    reason: "Unauthorized",
    message: `${origin}; check that this is the cluster they were made for, and that they have not expired`,
  });
}

async function apiErrorOf(
  { method, path }: ApiRequest,
  response: Response,
  deadline: AnswerDeadline,
): Promise<ApiError> {
  deadline.allow(MAX_ERROR_BODY_SECONDS);
  const text = await deadline.wait(response.text()).catch(() => "");
  const after = Number(response.headers.get("retry-after") ?? NaN);
  return new ApiError(
    `${method} ${path}`,
    response.status,
    statusOf(text),
    Number.isFinite(after) ? after : undefined,
  );
}

function statusOf(text: string): Partial<Status> | undefined {
  try {
    const body = JSON.parse(text);
    return body?.kind === "Status" ? body : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Why a body ended early: a deadline, the caller's signal, or a broken connection, for which Deno throws a TypeError.
 */
function readError(error: unknown, server: string, deadline: AnswerDeadline): unknown {
  const { exceeded, signal } = deadline;
  if (exceeded !== undefined) {
    return new TransportError("read", `${server} ${exceeded} in the middle of an answer`, { cause: error });
  }
  if (signal.aborted) return signal.reason;
  if (!(error instanceof TypeError)) return error;
  return new TransportError("read", `the connection broke in the middle of an answer: ${error.message}`, {
    cause: error,
  });
}
