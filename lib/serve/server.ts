/** The HTTP server for probes and metrics. */
import type { Log } from "../log/log.ts";
import { messageOf } from "../runtime/message_of.ts";
import { checkHealth, type HealthState } from "./health.ts";

export interface ServerOptions {
  port: number;
  /** Address to listen on; `undefined` for dual stack, or IPv4 where there is no IPv6. */
  host: string | undefined;
  health: HealthState;
  /** The text of `/metrics`. */
  metrics: () => string;
  log: Pick<Log, "info" | "warn">;
}

/** Serves until `close`. If it cannot listen, it only logs a warning, because files are kept without it. */
export function startServer(options: ServerOptions): { close(): Promise<void> } {
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
      // A port that is in use on IPv6 is in use on IPv4 too
      if (error instanceof Deno.errors.AddrInUse) break;
    }
  }
  log.warn(
    `no health endpoints: cannot listen on port ${port}: ${
      messageOf(failure)
    }. Set HEALTH_PORT to a free port, or LIVENESS=false`,
  );
  return { close: () => Promise.resolve() };
}

function answer(request: Request, { health, metrics }: ServerOptions): Response {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") return text(405, "use GET");
  if (pathname === "/metrics") return text(200, metrics(), "text/plain; version=0.0.4; charset=utf-8");
  const state = checkHealth(pathname, health);
  if (state === undefined) return text(404, "try /healthz, /livez, /readyz or /metrics");
  return state.reason === undefined ? text(200, "ok") : text(503, state.reason);
}

function text(status: number, body: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(`${body.trimEnd()}\n`, { status, headers: { "content-type": type } });
}
