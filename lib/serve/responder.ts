/**
 * Answers GET and HEAD requests on a listener, one per connection, so that no client can prevent a probe from getting its
 * answer. Deno.serve does not close half-sent requests, and node:http costs 3 MB of memory.
 *
 * The head of a request must be complete within {@link MAX_HEAD_SECONDS} and {@link MAX_HEAD_BYTES}. Above {@link
 * MAX_CONNECTIONS}, the oldest connection that has its answer is closed, or else the oldest without a complete head.
 */
import { Deadline } from "../runtime/deadline.ts";
import type { Clock } from "../runtime/clock.ts";

export interface HttpRequest {
  method: string;
  /** Path and query, as in the request line. */
  url: URL;
  headers: Headers;
  /** Address of the client. */
  remote: string;
}

export interface HttpResponse {
  status: number;
  /** Media type. */
  type: string;
  body: string;
}

export interface ResponderOptions {
  respond(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  clock: Clock;
}

/** Maximum seconds for a client to send the head of its request, and to receive the answer. */
export const MAX_HEAD_SECONDS = 10;

export const MAX_CONNECTIONS = 64;

const MAX_HEAD_BYTES = 16 * 1024;

/** Bytes and seconds of a request's body that are read, so that closing the connection does not lose the answer. */
const MAX_DISCARDED_BYTES = 64 * 1024;
const MAX_DISCARD_SECONDS = 1;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A request that is answered before its path is examined. */
class BadRequestError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export class Responder {
  readonly #options: ResponderOptions;
  /** Connections whose request is not complete, the oldest first. */
  readonly #incomplete = new Set<Deno.Conn>();
  /** Connections that have their answer and were not closed by the client, the oldest first. */
  readonly #answered = new Set<Deno.Conn>();
  readonly #open = new Set<Deno.Conn>();
  readonly #closed = new AbortController();
  readonly #encoder = new TextEncoder();

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** Serves until {@link Responder.close}. Never rejects. */
  async serve(listener: Deno.Listener): Promise<void> {
    this.#closed.signal.addEventListener("abort", () => listener.close(), { once: true });
    const answers = new Set<Promise<void>>();
    while (!this.#closed.signal.aborted) {
      let connection: Deno.Conn;
      try {
        connection = await listener.accept();
      } catch {
        // The client was gone before it was accepted; a listener that was closed ends the loop
        if (!this.#closed.signal.aborted) await this.#options.clock.sleep(0.05);
        continue;
      }
      const answer = this.#answer(connection).finally(() => answers.delete(answer));
      answers.add(answer);
    }
    await Promise.all(answers);
  }

  close(): void {
    this.#closed.abort();
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    this.#incomplete.add(connection);
    this.#makeRoom();
    using deadline = new Deadline(this.#options.clock, MAX_HEAD_SECONDS, this.#closed.signal);
    deadline.signal.addEventListener("abort", () => close(connection), { once: true });
    if (deadline.signal.aborted) close(connection);
    try {
      const response = await this.#responseTo(connection);
      if (response === undefined) return;
      deadline.extend(MAX_HEAD_SECONDS);
      await writeAll(connection, this.#encoder.encode(response));
      await connection.closeWrite();
      this.#answered.add(connection);
      deadline.extend(MAX_DISCARD_SECONDS);
      await discard(connection);
    } catch {
      // The client closed the connection, or was too slow
    } finally {
      this.#incomplete.delete(connection);
      this.#answered.delete(connection);
      this.#open.delete(connection);
      close(connection);
    }
  }

  /** `undefined`: the client went away without a request. */
  async #responseTo(connection: Deno.Conn): Promise<string | undefined> {
    let isHead = false;
    let response: HttpResponse;
    try {
      const head = await readHead(connection);
      if (head === undefined) return undefined;
      this.#incomplete.delete(connection);
      const request = requestOf(head, connection);
      isHead = request.method === "HEAD";
      response = await this.#options.respond(request);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) throw error;
      const status = error instanceof BadRequestError ? error.status : 500;
      const body = error instanceof BadRequestError ? error.message : "internal error";
      response = { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
    }
    const { status, type, body } = response;
    const lines = [
      `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`.trimEnd(),
      `content-type: ${type}`,
      `content-length: ${this.#encoder.encode(body).length}`,
      "connection: close",
    ];
    return `${lines.join("\r\n")}\r\n\r\n${isHead ? "" : body}`;
  }

  #makeRoom(): void {
    if (this.#open.size <= MAX_CONNECTIONS) return;
    const [oldest] = this.#answered.size > 0 ? this.#answered : this.#incomplete;
    if (oldest === undefined) return;
    this.#incomplete.delete(oldest);
    this.#answered.delete(oldest);
    this.#open.delete(oldest);
    close(oldest);
  }
}

/** The head of a request, without the empty line at its end. */
async function readHead(connection: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  const decoder = new TextDecoder("latin1");
  let length = 0;
  while (length < buffer.length) {
    const read = await connection.read(buffer.subarray(length));
    if (read === null) return undefined;
    length += read;
    const text = decoder.decode(buffer.subarray(0, length));
    const end = text.search(/\r?\n\r?\n/);
    if (end >= 0) return text.slice(0, end);
  }
  throw new BadRequestError(431, "the head of the request is too large");
}

function requestOf(head: string, connection: Deno.Conn): HttpRequest {
  const [requestLine = "", ...fields] = head.split(/\r?\n/);
  const [, method, target = ""] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(requestLine) ?? [];
  const url = method === undefined ? null : URL.parse(target, "http://sidecar");
  if (method === undefined || url === null) throw new BadRequestError(400, "not an HTTP/1.1 request");
  const headers = new Headers();
  for (const field of fields) {
    const [, name = "", value = ""] = /^([-!#$%&'*+.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(field) ?? [];
    if (name === "") throw new BadRequestError(400, "a header of the request is malformed");
    try {
      headers.append(name, value);
    } catch {
      throw new BadRequestError(400, "a header of the request is malformed");
    }
  }
  const { remoteAddr } = connection;
  return { method, url, headers, remote: remoteAddr.transport === "tcp" ? remoteAddr.hostname : "" };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function discard(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let discarded = 0; discarded < MAX_DISCARDED_BYTES;) {
    const read = await connection.read(buffer);
    if (read === null) return;
    discarded += read;
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already
  }
}
