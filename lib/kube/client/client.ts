/** The requests of this project to an API server. */
import { MAX_OBJECT_SECONDS, MAX_PAGE_SECONDS } from "./dead_connection.ts";
import { CHUNK_SIZE } from "./chunks.ts";
import { AnswerError, ApiError } from "./errors.ts";
import { type ApiRequest, type Body, Exchange, type ExchangeOptions } from "./exchange.ts";
import { decodeLines, decodeList } from "./json_stream.ts";
import { isNamed, type KubeObject } from "../../objects/object.ts";
import { matchesSelector, parseSelector } from "../../objects/selector_grammar.ts";
import { Semaphore } from "../../runtime/semaphore.ts";
import { type ObjectRef } from "../../objects/ref.ts";
import { pluralOf } from "../../objects/kind.ts";
import type { Source, WatchTarget } from "../../objects/source.ts";

export interface ListQuery {
  /** Objects per page; unset: all in one answer. */
  limit?: number;
  /** Continues an earlier list. */
  continue?: string;
}

/** The metadata of a list. */
export interface ListResult {
  resourceVersion: string;
  /** Set when there are more pages. */
  continue?: string;
}

export interface WatchQuery {
  /** The version to resume from; unset only with `sendInitialEvents`. */
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

export interface ClientOptions extends ExchangeOptions {
  /** Called with the number of bytes in each chunk of an answer. */
  onRead?: (bytes: number) => void;
  /** Called once per kind and namespace in which RBAC forbids `get`, so that objects are read by a list of one. */
  onGetForbidden?: (source: Source, error: ApiError) => void;
}

/** Lists that are under way at one time: with hundreds of namespaces, all would otherwise begin together. */
const MAX_LISTS = 16;

export class KubeClient {
  readonly #options: ClientOptions;
  readonly #exchange: Exchange;
  /** False for good once the server turned out not to support streaming lists. */
  streamingLists = true;
  readonly lists = new Semaphore(MAX_LISTS);
  /** Paths in which RBAC forbids `get`, such as `/api/v1/namespaces/a/configmaps`. */
  readonly #getForbidden = new Set<string>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#exchange = new Exchange(options);
  }

  /**
   * Lists one page. Yields objects as soon as they are complete; returns the list's metadata.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  list(source: WatchTarget, query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult> {
    return this.#list(source, query, MAX_PAGE_SECONDS, signal);
  }

  /**
   * Watches. Yields the events that arrive together; returns when the server ends the watch. `onAnswer` is called when
   * the server has accepted the request. After the headers, there is no deadline: only the signal ends the watch.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async *watch(
    source: WatchTarget,
    query: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void> {
    const { resourceVersion, timeoutSeconds, sendInitialEvents } = query;
    const path = listPath(source, {
      watch: "true",
      allowWatchBookmarks: "true",
      timeoutSeconds,
      resourceVersion,
      ...(sendInitialEvents && { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" }),
    });
    try {
      const bytes = this.#exchange.bytes({ method: "GET", path, seconds: Infinity, onAnswer, signal });
      yield* decodeLines(this.#counted(bytes)) as AsyncGenerator<WatchEvent[], void>;
    } catch (error) {
      throw readable(error, `GET ${path}`);
    }
  }

  /**
   * Reads the current version of an object. `undefined`: it no longer exists, or the source no longer selects it.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
    const collection = collectionPath({ kind: ref.kind, namespace: ref.namespace });
    if (this.#getForbidden.has(collection)) return await this.#readByList(source, ref, signal);
    try {
      const object = await this.request("GET", `${collection}/${ref.name}`, signal);
      if (!isNamed(object, ref.kind)) {
        throw new AnswerError(`GET ${collection}/${ref.name}: the answer is not an object`);
      }
      const isSelected = matchesSelector(parseSelector(source.labelSelector ?? ""), object.metadata.labels);
      return isSelected ? object : undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A 404 without this reason comes from something else, such as a proxy
      if (error.status === 404 && error.reason === "NotFound") return undefined;
      if (!error.isForbidden) throw error;
      this.#getForbidden.add(collection);
      this.#options.onGetForbidden?.({ ...source, namespace: ref.namespace }, error);
      return await this.#readByList(source, ref, signal);
    }
  }

  /** Reads an object by a list of one, which needs no permission besides list. */
  async #readByList(source: Source, { namespace, name }: ObjectRef, signal: AbortSignal) {
    const found: KubeObject[] = [];
    for await (const objects of this.#list({ ...source, namespace, name }, {}, MAX_OBJECT_SECONDS, signal)) {
      found.push(...objects);
    }
    return found[0];
  }

  /**
   * Makes one request and reads its JSON answer.
   *
   * @param path from the root, query included
   * @throws {ApiError | AnswerError | TransportError | CredentialsError}
   */
  async request(method: ApiRequest["method"], path: string, signal: AbortSignal, body?: Body): Promise<unknown> {
    const request: ApiRequest = { method, path, seconds: MAX_OBJECT_SECONDS, signal, ...(body && { body }) };
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of this.#counted(this.#exchange.bytes(request))) {
      text += decoder.decode(chunk, { stream: true });
    }
    try {
      return JSON.parse(text + decoder.decode());
    } catch (error) {
      throw readable(error, `${method} ${path}`);
    }
  }

  /**
   * The namespace in the credentials.
   *
   * @throws {CredentialsError}
   */
  namespace(): Promise<string> {
    return this.#exchange.namespace();
  }

  close(): void {
    this.#exchange.close();
  }

  async *#list(
    source: WatchTarget,
    query: ListQuery,
    seconds: number,
    signal: AbortSignal,
  ): AsyncGenerator<KubeObject[], ListResult> {
    const path = listPath(source, { ...query });
    try {
      const bytes = this.#exchange.bytes({ method: "GET", path, seconds, signal }, CHUNK_SIZE);
      const list = yield* objectsOf(decodeList(this.#counted(bytes)), source.kind);
      const { resourceVersion, continue: next } = list.metadata ?? {};
      if (resourceVersion === undefined) throw new AnswerError(`GET ${path}: the answer is not a list`);
      return { resourceVersion, ...(next && { continue: next }) };
    } catch (error) {
      throw readable(error, `GET ${path}`);
    }
  }

  async *#counted(bytes: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of bytes) {
      this.#options.onRead?.(chunk.length);
      yield chunk;
    }
  }
}

type List = Record<string, unknown> & { metadata?: Partial<ListResult> };

/**
 * Yields the items. Throws on an item without a name, because the list then did not come from an API server.
 *
 * @throws {SyntaxError}
 */
async function* objectsOf(
  list: AsyncGenerator<unknown[], List>,
  kind: WatchTarget["kind"],
): AsyncGenerator<KubeObject[], List> {
  try {
    while (true) {
      const { done, value: items } = await list.next();
      if (done) return items;
      if (!items.every((item) => isNamed(item, kind))) throw new SyntaxError("an item of the list is not an object");
      yield items;
    }
  } finally {
    await list.return({});
  }
}

type Query = Record<string, string | number | undefined>;

/** `/api/v1/namespaces/a/configmaps`. */
function collectionPath({ kind, namespace }: WatchTarget): string {
  return `${namespace === undefined ? "/api/v1" : `/api/v1/namespaces/${namespace}`}/${pluralOf(kind)}`;
}

/** `/api/v1/namespaces/a/configmaps?labelSelector=app`. */
function listPath(source: WatchTarget, query: Query): string {
  const { labelSelector, name } = source;
  const all: Query = {
    labelSelector,
    fieldSelector: name === undefined ? undefined : `metadata.name=${name}`,
    ...query,
  };
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(all)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  return `${collectionPath(source)}?${parameters}`;
}

/** Adds the request to an error that was thrown while its answer was decoded. */
function readable(error: unknown, request: string): unknown {
  if (!(error instanceof SyntaxError)) return error;
  return new AnswerError(`${request}: the answer is not the API server's JSON, or it was cut: ${error.message}`, {
    cause: error,
  });
}
