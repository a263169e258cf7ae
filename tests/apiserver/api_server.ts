/**
 * A Kubernetes API server in this process: ConfigMaps, Secrets, Namespaces and Events over HTTP on a loopback port.
 *
 * It is honest: the same conformance tests run against it and against a real kube-apiserver. What it does not have: TLS,
 * RBAC, server-side apply, managedFields, protobuf.
 */
import { discovery } from "./discovery.ts";
import { Registry, type RegistryOptions } from "./registry.ts";
import { route } from "./routes.ts";
import { StatusError, unauthorized } from "./status.ts";
import { Store, type StoreOptions } from "./store.ts";

export interface EmbeddedApiServerOptions extends StoreOptions, RegistryOptions {
  /** Default 0: any free one. */
  port?: number;
  /** The bearer token that every request but the health checks must carry. Default: none is asked for. */
  token?: string;
  /** `false`: lists and watches of all namespaces are forbidden, as to a Role. Default: true. */
  clusterWide?: boolean;
  /** Milliseconds between the bookmarks of a watch that allows them. Default: one minute. */
  bookmarkIntervalMs?: number;
}

const DEFAULT_BOOKMARK_INTERVAL_MS = 60_000;
const PUBLIC_PATHS = new Set(["/healthz", "/livez", "/readyz", "/version"]);

export class EmbeddedApiServer {
  /** Versions and history, for `store.compact()`. */
  readonly store: Store;
  /** Reads and changes objects by the API's rules without HTTP. */
  readonly registry: Registry;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #closing = new AbortController();
  readonly #token: string | undefined;
  readonly #clusterWide: boolean;
  readonly #bookmarkIntervalMs: number;

  private constructor(options: EmbeddedApiServerOptions) {
    this.store = new Store(options);
    this.registry = new Registry(this.store, options);
    this.#token = options.token;
    this.#clusterWide = options.clusterWide ?? true;
    this.#bookmarkIntervalMs = options.bookmarkIntervalMs ?? DEFAULT_BOOKMARK_INTERVAL_MS;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: options.port ?? 0, onListen() {} },
      (request) => this.#answer(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Listens as soon as it returns. @throws {Deno.errors.AddrInUse} when the port is taken. */
  static start(options: EmbeddedApiServerOptions = {}): EmbeddedApiServer {
    return new EmbeddedApiServer(options);
  }

  /** Ends the watches cleanly, lets other requests finish, and stops listening. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    try {
      const url = new URL(request.url);
      this.#authenticate(url.pathname, request.headers);
      const found = request.method === "GET" ? discovery(url) : undefined;
      if (found !== undefined) return found;
      const context = {
        registry: this.registry,
        signal: this.#closing.signal,
        clusterWide: this.#clusterWide,
        bookmarkIntervalMs: this.#bookmarkIntervalMs,
      };
      return await route(context, url, request);
    } catch (error) {
      if (error instanceof StatusError) return Response.json(error.status, { status: error.status.code });
      throw error;
    }
  }

  #authenticate(path: string, headers: Headers): void {
    if (this.#token === undefined || PUBLIC_PATHS.has(path)) return;
    if (headers.get("authorization") !== `Bearer ${this.#token}`) throw unauthorized();
  }
}
