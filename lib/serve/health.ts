/** The health endpoints. What they say is derived from what the watchers did, not from being alive to say it. */
import type { Clock } from "../runtime/clock.ts";

/**
 * What one watcher did last. A watcher that made no progress for longer than its own timeouts allow is stuck, whatever
 * the reason.
 */
export class Progress {
  readonly #clock: Clock;
  readonly #allowed: number;
  #at: number;

  /**
   * @param what names the watcher in a reason
   * @param allowed seconds
   */
  constructor(readonly what: string, allowed: number, clock: Clock) {
    this.#clock = clock;
    this.#allowed = allowed;
    this.#at = clock.now();
  }

  /** @param pause seconds that the watcher now waits on purpose */
  made(pause = 0): void {
    this.#at = this.#clock.now() + pause * 1000;
  }

  /** Seconds since the last sign of progress. */
  get silence(): number {
    return (this.#clock.now() - this.#at) / 1000;
  }

  /** Why the watcher counts as stuck; `undefined`: it does not. */
  get stuck(): string | undefined {
    const { silence } = this;
    if (silence <= this.#allowed) return undefined;
    return `no sign of the API server for ${
      Math.round(silence)
    } s (allowed: ${this.#allowed} s) while watching ${this.what}`;
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
