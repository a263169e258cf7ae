/** The requests this project makes of an API server, over one kept-alive HTTP/1.1 connection for each that is under way. */
import { Deadline } from "../../runtime/deadline.ts";
import { TransportError } from "../../http/transport.ts";
import { AnswerError, ApiError } from "./api_error.ts";
import { type Connection, type ConnectionOptions, Connections } from "./connections.ts";
import { decodeLines, decodeList } from "./json_stream.ts";
import { isNamed, type KubeObject, type Status } from "../../objects/object.ts";
import { type ObjectRef } from "../../objects/ref.ts";
import { pluralOf } from "../../objects/kind.ts";
import { type Source } from "../../objects/source.ts";

export interface ListQuery {
  /** Objects a page; unset: all in one answer. */
  limit?: number;
  /** Goes on with an earlier list. */
  continue?: string;
}

/** A list's own metadata. */
export interface ListResult {
  resourceVersion: string;
  /** Set when there is more. */
  continue?: string;
}

export interface WatchQuery {
  /** Where to go on; unset only with `sendInitialEvents`. */
  resourceVersion?: string;
  /** Seconds after which the server ends the watch. */
  timeoutSeconds: number;
  /** A streaming list before the watch (WatchList, Kubernetes 1.27 and later). */
  sendInitialEvents?: boolean;
}

/** One line of a watch. `BOOKMARK` and `ERROR` carry no ConfigMap or Secret. */
export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: KubeObject;
}

export interface ClientOptions extends ConnectionOptions {
  userAgent: string;
  /** Told of each answer; `status` is 0 when there was none. */
  onRequest?: (request: { method: string; path: string; status: number; seconds: number }) => void;
  /** So many bytes of a list or a watch came. */
  onRead?: (bytes: number) => void;
}

/** Seconds in which a server that is there sends the head of its answer. */
export const ANSWER_TIMEOUT = 30;

/** Bytes of an answer that are read at once. */
const CHUNK_SIZE = 32 * 1024;

/** A request's body: its media type, and the value that becomes JSON. */
export interface Body {
  type: string;
  value: unknown;
}

export class KubeClient {
  readonly #options: ClientOptions;
  readonly #connections: Connections;
  /** Cleared for good by the first sign that this server has no streaming lists. */
  streamingLists = true;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#connections = new Connections(options);
  }

  /**
   * Lists one page. Yields objects as they are complete; returns the list's metadata.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async *list(source: Source, query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult> {
    const path = `${collectionPath(source)}?${selectionQuery(source, { ...query })}`;
    using deadline = new Deadline(this.#options.clock, ANSWER_TIMEOUT, signal);
    try {
      const list = yield* objectsOf(decodeList(this.#stream(path, deadline, { least: CHUNK_SIZE })));
      const { resourceVersion, continue: next } = list.metadata ?? {};
      if (resourceVersion === undefined) throw new AnswerError(`GET ${path}: the answer is not a list`);
      return { resourceVersion, ...(next ? { continue: next } : {}) };
    } catch (error) {
      throw readable(error, `GET ${path}`);
    }
  }

  /**
   * Watches. Yields the events that came together; returns when the server ends the watch. `onAnswer` is called when it has
   * accepted.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async *watch(
    source: Source,
    query: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void> {
    const { resourceVersion, timeoutSeconds, sendInitialEvents } = query;
    const path = `${collectionPath(source)}?${
      selectionQuery(source, {
        watch: "true",
        allowWatchBookmarks: "true",
        timeoutSeconds,
        resourceVersion,
        ...(sendInitialEvents ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" } : {}),
      })
    }`;
    using deadline = new Deadline(this.#options.clock, ANSWER_TIMEOUT, signal);
    try {
      yield* decodeLines(this.#stream(path, deadline, { onAnswer })) as AsyncGenerator<WatchEvent[], void>;
    } catch (error) {
      throw readable(error, `GET ${path}`);
    }
  }

  /**
   * Reads one object anew, through a list: that right is there already, and a list says, too, whether the object is still
   * selected. `undefined`: it is not, or it is gone.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async read(source: Source, { namespace, name }: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
    const found: KubeObject[] = [];
    for await (const objects of this.list({ ...source, namespace, name }, {}, signal)) found.push(...objects);
    return found[0];
  }

  /**
   * Makes one request and reads its JSON answer.
   *
   * @param path from the root, query included
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async request(
    method: "GET" | "POST" | "PATCH",
    path: string,
    signal: AbortSignal,
    body?: Body,
  ): Promise<unknown> {
    using deadline = new Deadline(this.#options.clock, ANSWER_TIMEOUT, signal);
    try {
      const response = await this.#open(method, path, deadline, body);
      return JSON.parse(await response.text().catch((error) => Promise.reject(cutShort(error, deadline))));
    } catch (error) {
      throw readable(error, `${method} ${path}`);
    }
  }

  /** The namespace that the credentials name. */
  async namespace(): Promise<string> {
    return (await this.#connections.current()).access.namespace;
  }

  close(): void {
    this.#connections.close();
  }

  /**
   * The bytes of an answer as they come, `least` at a time unless it ends; the deadline is for its head only. The answer is
   * held until they end: Deno keeps the connection of one that nobody holds open though it was aborted (2.9.6).
   */
  async *#stream(
    path: string,
    deadline: Deadline,
    { least = 1, onAnswer = () => {} },
  ): AsyncGenerator<Uint8Array, void> {
    const response = await this.#open("GET", path, deadline);
    deadline.extend(Infinity);
    onAnswer();
    try {
      if (response.body !== null) yield* readChunks(response.body, least, this.#options.onRead);
    } catch (error) {
      throw cutShort(error, deadline);
    } finally {
      await response.body?.cancel().catch(() => {});
    }
  }

  /** A 2xx answer. A 401 has the credentials read again and is asked once more, at once. */
  async #open(method: string, path: string, deadline: Deadline, body?: Body): Promise<Response> {
    const first = await this.#connections.current();
    let response = await this.#send(first, method, path, deadline, body);
    if (response.status === 401) {
      await response.body?.cancel();
      const again = await this.#connections.afterRejection(first);
      response = await this.#send(again, method, path, deadline, body);
    }
    if (response.ok) return response;
    throw await apiErrorOf(`${method} ${path}`, response);
  }

  async #send(
    connection: Connection,
    method: string,
    path: string,
    deadline: Deadline,
    body?: Body,
  ): Promise<Response> {
    const { access, transport } = connection;
    const startedAt = this.#options.clock.now();
    let status = 0;
    try {
      const response = await transport.fetch(access.server + path, {
        method,
        headers: {
          ...access.headers,
          accept: "application/json",
          "user-agent": this.#options.userAgent,
          ...(body === undefined ? {} : { "content-type": body.type }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body.value) }),
        signal: deadline.signal,
      });
      status = response.status;
      return response;
    } catch (error) {
      this.#connections.failed(connection);
      if (!deadline.passed) throw error;
      const seconds = Math.round((this.#options.clock.now() - startedAt) / 1000);
      throw new TransportError("read", `${access.server} did not answer within ${seconds} s`, { cause: error });
    } finally {
      const seconds = (this.#options.clock.now() - startedAt) / 1000;
      this.#options.onRequest?.({ method, path, status, seconds });
    }
  }
}

type List = Record<string, unknown> & { metadata?: Partial<ListResult> };

/**
 * Passes on the items that are named as objects are: a list with anything else in it did not come from an API server.
 *
 * @throws {SyntaxError}
 */
async function* objectsOf(list: AsyncGenerator<unknown[], List>): AsyncGenerator<KubeObject[], List> {
  try {
    while (true) {
      const { done, value: items } = await list.next();
      if (done) return items;
      if (!items.every(isNamed)) throw new SyntaxError("an item of the list is no object");
      yield items;
    }
  } finally {
    await list.return({});
  }
}

/** `/api/v1/namespaces/a/configmaps`. */
function collectionPath(source: Source): string {
  const plural = pluralOf(source.kind);
  return source.namespace === undefined ? `/api/v1/${plural}` : `/api/v1/namespaces/${source.namespace}/${plural}`;
}

function selectionQuery(source: Source, query: Record<string, string | number | undefined>): string {
  const parameters = new URLSearchParams();
  const all = {
    labelSelector: source.labelSelector,
    fieldSelector: source.name === undefined ? undefined : `metadata.name=${source.name}`,
    ...query,
  };
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.toString();
}

async function apiErrorOf(request: string, response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  const after = Number(response.headers.get("retry-after") ?? NaN);
  return new ApiError(request, response.status, statusOf(text), Number.isFinite(after) ? after : undefined);
}

function statusOf(text: string): Partial<Status> | undefined {
  try {
    const body = JSON.parse(text);
    return body?.kind === "Status" ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Why a body ended before its end: we were told to stop, or else the connection broke, which Deno calls a TypeError. */
function cutShort(error: unknown, { signal }: Deadline): unknown {
  if (signal.aborted) return signal.reason;
  if (!(error instanceof TypeError)) return error;
  return new TransportError("read", `the connection broke in the middle of an answer: ${error.message}`, {
    cause: error,
  });
}

/**
 * Reads a body into one buffer, again and again: an endless stream of new ones is garbage that V8 is slow to collect.
 *
 * @param least bytes to wait for: Deno hands on what came compressed, as a list does, in pieces of 4 kB (2.9.6)
 */
async function* readChunks(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  least: number,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, void> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch {
    // Not a byte stream, as from a transport other than Deno's own
    return yield* body;
  }
  try {
    let buffer = new ArrayBuffer(CHUNK_SIZE);
    while (true) {
      const { done, value } = await reader.read(new Uint8Array(buffer), { min: least });
      // The last bytes come with the end
      if (value !== undefined && value.length > 0) {
        onRead(value.length);
        yield value;
      }
      if (done) return;
      buffer = value.buffer;
    }
  } finally {
    reader.releaseLock();
  }
}

/** Names the request in an error of reading its answer. */
function readable(error: unknown, request: string): unknown {
  if (!(error instanceof SyntaxError)) return error;
  return new AnswerError(`${request}: the answer is not the API server's JSON, or it was cut: ${error.message}`, {
    cause: error,
  });
}
