/** The health endpoints. What they say is derived from what the watchers did, not from being alive to say it. */
import type { Clock } from "../runtime/clock.ts";
import { Heartbeat } from "../runtime/heartbeat.ts";

/** How one watcher fares: whether it hangs, and when it last had an answer. */
export class Progress {
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat;
  #contactAt: number;

  /** @param what names the source: `secrets in all namespaces` */
  constructor(readonly what: string, clock: Clock) {
    this.#clock = clock;
    this.#heartbeat = new Heartbeat(`the watch of ${what}`, clock);
    this.#contactAt = clock.now();
  }

  /** For the watcher. */
  get heartbeat(): Heartbeat {
    return this.#heartbeat;
  }

  /** There was a sign of the API server. */
  contact(): void {
    this.#contactAt = this.#clock.now();
  }

  /** Seconds since the last sign of the API server. */
  get silence(): number {
    return (this.#clock.now() - this.#contactAt) / 1000;
  }

  /** Why the watcher counts as stuck; `undefined`: it does not. */
  get stuck(): string | undefined {
    return this.#heartbeat.overdue;
  }
}

/** What health is derived from. */
export interface HealthState {
  progress: readonly Progress[];
  /** Why the first sync is not complete, in one line; `undefined` once it is. */
  notReady(): string | undefined;
}

/** An answer of a health endpoint: a reason means 503. */
export function checkHealth(path: string, state: HealthState): { reason: string | undefined } | undefined {
  const stuck = () => state.progress.map((progress) => progress.stuck).find((reason) => reason !== undefined);
  switch (path) {
    case "/healthz":
      return { reason: state.notReady() ?? stuck() };
    case "/livez":
      return { reason: stuck() };
    case "/readyz":
      return { reason: state.notReady() };
    default:
      return undefined;
  }
}

export interface HealthServerOptions {
  port: number;
  /** `undefined`: dual stack, else IPv4. */
  host?: string;
  state: HealthState;
  /** The text behind `/metrics`. */
  metrics: () => string;
  log: {
    info(message: string, properties?: Record<string, unknown>): void;
    warn(message: string, properties?: Record<string, unknown>): void;
  };
}

/** Serves until `close`. A port that cannot be had is one warning: files are kept all the same. */
export function serveHealth(options: HealthServerOptions): { close(): Promise<void> } {
  const { port, host, log } = options;
  let failure: unknown;
  for (const hostname of host === undefined ? ["::", "0.0.0.0"] : [host]) {
    try {
      const server = Deno.serve({
        port,
        hostname,
        onListen: () =>
          log.info(`health endpoints: http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/healthz`),
      }, (request) => answer(request, options));
      return { close: () => server.shutdown() };
    } catch (error) {
      failure = error;
      // IPv4 is tried only where there is no IPv6: a busy port is busy on both
      if (error instanceof Deno.errors.AddrInUse) break;
    }
  }
  const reason = failure instanceof Error ? failure.message : String(failure);
  log.warn(
    `no health endpoints: cannot listen on port ${port}: ${reason}. Set HEALTH_PORT to a free one, or LIVENESS=false`,
  );
  return { close: () => Promise.resolve() };
}

function answer(request: Request, { state, metrics }: HealthServerOptions): Response {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") return text(405, "use GET");
  if (pathname === "/metrics") return text(200, metrics(), "text/plain; version=0.0.4; charset=utf-8");
  const health = checkHealth(pathname, state);
  if (health === undefined) return text(404, "try /healthz, /livez, /readyz or /metrics");
  return health.reason === undefined ? text(200, "ok") : text(503, health.reason);
}

function text(status: number, body: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(`${body.trimEnd()}\n`, { status, headers: { "content-type": type } });
}
