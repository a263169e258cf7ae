/**
 * Answers GET and HEAD requests on a listener, one per connection, so that no client can prevent a probe from getting its
 * answer. Deno.serve does not close half-sent requests, and node:http costs 3 MB of memory.
 *
 * The head of a request must be complete within {@link MAX_HEAD_SECONDS} and {@link MAX_HEAD_BYTES}. Above {@link
 * MAX_CONNECTIONS}, the oldest connection that has its answer is closed, or else the oldest that has none after {@link
 * GRACE_MS}. Further clients wait in the listener's queue until then, so a request that comes together with hundreds of
 * others is read before its connection can be closed.
 */
import { Alarm } from "../runtime/alarm.ts";
import { Deadline } from "../runtime/deadline.ts";
import type { Clock } from "../runtime/clock.ts";
import { BadRequestError, type HttpRequest, readHead, requestOf } from "./request_head.ts";

export type { HttpRequest };

export interface HttpResponse {
  status: number;
  /** Media type. */
  type: string;
  body: string;
  /** Further headers, with names in lower case. */
  headers?: Readonly<Record<string, string>>;
}

export interface ResponderOptions {
  respond(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  /** Headers of every answer, with names in lower case. */
  headers(): Readonly<Record<string, string>>;
  clock: Clock;
}

/** Maximum seconds for a client to send the head of its request, and to receive the answer. */
export const MAX_HEAD_SECONDS = 10;

export const MAX_CONNECTIONS = 64;

/**
 * Milliseconds in which a connection cannot be closed to make room. Halved for each 64 that were closed within a second of each
 * other: with a full queue of silent clients (511 on Linux), a probe is accepted within the second that the kubelet waits.
 */
export const GRACE_MS = 400;
const MIN_GRACE_MS = 50;
const ATTACK_MS = 1000;

/**
 * Answers of more than this many bytes that are under way at one time. Each is in memory until its client has received it, so
 * slow clients must not have too many of them.
 */
const MAX_SMALL_BYTES = 256 * 1024;
const MAX_LARGE_ANSWERS = 4;

/** Bytes and seconds of a request's body that are read, so that closing the connection does not lose the answer. */
const MAX_DISCARDED_BYTES = 64 * 1024;
const MAX_DISCARD_SECONDS = 1;

/** After an accept that failed, perhaps because this process has too many open files. */
const ACCEPT_PAUSE_SECONDS = 0.05;

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

export class Responder {
  readonly #options: ResponderOptions;
  /** Connections without an answer, the oldest first, and when they were accepted or sent their head. */
  readonly #unanswered = new Map<Deno.Conn, number>();
  /** Connections that have their answer and were not closed by the client, the oldest first. */
  readonly #answered = new Set<Deno.Conn>();
  /** What had come by then was read, even if the event loop was busy. */
  #readAt = -Infinity;
  /** Connections that were closed without an answer to make room, and when the last one was. */
  #evicted = 0;
  #evictedAt = -Infinity;
  /** Rings when a connection is closed or has its answer. */
  readonly #change: Alarm;
  readonly #closed = new AbortController();
  readonly #encoder = new TextEncoder();
  #largeAnswers = 0;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#change = new Alarm(options.clock);
  }

  /** Serves until {@link Responder.close}. Never rejects. */
  async serve(listener: Deno.Listener): Promise<void> {
    this.#closed.signal.addEventListener("abort", () => listener.close(), { once: true });
    const answers = new Set<Promise<void>>();
    while (!this.#closed.signal.aborted) {
      let connection: Deno.Conn;
      try {
        connection = await listener.accept();
      } catch (error) {
        // A client that was gone before it was accepted must not delay the next one: there may be hundreds. A listener that
        // was closed ends the loop
        const isGone = error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted;
        if (!isGone && !this.#closed.signal.aborted) await this.#options.clock.sleep(ACCEPT_PAUSE_SECONDS);
        continue;
      }
      const answer = this.#answer(connection).finally(() => answers.delete(answer));
      answers.add(answer);
      await this.#makeRoom();
    }
    await Promise.all(answers);
  }

  close(): void {
    this.#closed.abort();
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    this.#unanswered.set(connection, this.#options.clock.now());
    using deadline = new Deadline(this.#options.clock, MAX_HEAD_SECONDS, this.#closed.signal);
    deadline.signal.addEventListener("abort", () => close(connection), { once: true });
    if (deadline.signal.aborted) close(connection);
    try {
      const response = await this.#responseTo(connection);
      if (response === undefined) return;
      deadline.extend(MAX_HEAD_SECONDS);
      await this.#send(connection, response);
      await connection.closeWrite();
      if (this.#unanswered.delete(connection)) this.#answered.add(connection);
      this.#change.ring();
      deadline.extend(MAX_DISCARD_SECONDS);
      await discard(connection);
    } catch {
      // The client closed the connection, or was too slow
    } finally {
      this.#forget(connection);
      close(connection);
      this.#change.ring();
    }
  }

  async #send(connection: Deno.Conn, answer: Uint8Array): Promise<void> {
    const isLarge = answer.length > MAX_SMALL_BYTES;
    if (!isLarge) return await writeAll(connection, answer);
    this.#largeAnswers++;
    try {
      await writeAll(connection, answer);
    } finally {
      this.#largeAnswers--;
    }
  }

  /** `undefined`: the client went away without a request. */
  async #responseTo(connection: Deno.Conn): Promise<Uint8Array | undefined> {
    let isHead = false;
    let response: HttpResponse;
    try {
      const head = await readHead(connection);
      if (head === undefined) return undefined;
      // It has as much time again for its answer
      if (this.#unanswered.delete(connection)) this.#unanswered.set(connection, this.#options.clock.now());
      const request = requestOf(head, connection);
      isHead = request.method === "HEAD";
      response = await this.#options.respond(request);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) throw error;
      const status = error instanceof BadRequestError ? error.status : 500;
      const body = error instanceof BadRequestError ? error.message : "internal error";
      response = text(status, body);
    }
    if (response.body.length > MAX_SMALL_BYTES && this.#largeAnswers >= MAX_LARGE_ANSWERS) {
      response = text(503, "too many large answers are under way: try again");
    }
    return this.#encode(response, isHead);
  }

  #encode({ status, type, body, headers }: HttpResponse, isHead: boolean): Uint8Array {
    const content = this.#encoder.encode(body);
    const lines = [
      `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`.trimEnd(),
      `content-type: ${type}`,
      `content-length: ${content.length}`,
      "connection: close",
      ...Object.entries({ ...this.#options.headers(), ...headers }).map(([name, value]) => `${name}: ${value}`),
    ];
    const head = this.#encoder.encode(`${lines.join("\r\n")}\r\n\r\n`);
    if (isHead) return head;
    const answer = new Uint8Array(head.length + content.length);
    answer.set(head);
    answer.set(content, head.length);
    return answer;
  }

  /** Resolves when another connection may be accepted. */
  async #makeRoom(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closed;
    while (this.#unanswered.size + this.#answered.size > MAX_CONNECTIONS && !signal.aborted) {
      const [oldest] = this.#answered;
      const [silent, since] = [...this.#unanswered.entries().take(1)][0] ?? [];
      if (oldest !== undefined) this.#evict(oldest);
      else if (silent !== undefined && since !== undefined) {
        const now = clock.now();
        if (now - this.#evictedAt > ATTACK_MS) this.#evicted = 0;
        const grace = Math.max(MIN_GRACE_MS, GRACE_MS / 2 ** Math.floor(this.#evicted / MAX_CONNECTIONS));
        if (this.#readAt - since >= grace) {
          this.#evict(silent);
          this.#evicted++;
          this.#evictedAt = now;
        } else {
          await this.#change.sleepUntil(Math.max(now, since + grace), signal);
          this.#readAt = now;
        }
      }
    }
  }

  #evict(connection: Deno.Conn): void {
    this.#forget(connection);
    close(connection);
  }

  #forget(connection: Deno.Conn): void {
    this.#unanswered.delete(connection);
    this.#answered.delete(connection);
  }
}

export function text(status: number, body: string): HttpResponse {
  return { status, type: "text/plain; charset=utf-8", body: `${body.trimEnd()}\n` };
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
