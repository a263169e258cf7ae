/** The HTTP server for probes and metrics. */
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { MetricsFormat } from "../runtime/metrics_registry.ts";
import { formatFor, MEDIA_TYPES } from "./metrics/exposition.ts";
import { checkHealth, type HealthState } from "./health.ts";
import { type HttpRequest, type HttpResponse, Responder } from "./responder.ts";

export interface ServerOptions {
  port: number;
  /** Address to listen on; `undefined` for dual stack, or IPv4 where there is no IPv6. */
  host: string | undefined;
  health: HealthState;
  /** The text of `/metrics`. */
  metrics: (format: MetricsFormat) => string;
  clock: Clock;
  log: Pick<Log, "info" | "warn">;
}

/** Serves until `close`. If it cannot listen, it only logs a warning, because files can be written without it. */
export function startServer(options: ServerOptions): { close(): Promise<void> } {
  const { port, clock, log } = options;
  try {
    const { listener, hostname } = listen(options);
    const responder = new Responder({ respond: (request) => answer(request, options), clock });
    const served = responder.serve(listener);
    log.info(`health endpoints: http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/healthz`);
    return {
      close() {
        responder.close();
        return served;
      },
    };
  } catch (error) {
    log.warn(
      `no health endpoints: cannot listen on port ${port}: ${
        messageOf(error)
      }. Set HEALTH_PORT to a free port, or LIVENESS=false`,
    );
    return { close: () => Promise.resolve() };
  }
}

function listen({ port, host }: ServerOptions): { listener: Deno.Listener; hostname: string } {
  if (host !== undefined) return { listener: Deno.listen({ port, hostname: host }), hostname: host };
  try {
    return { listener: Deno.listen({ port, hostname: "::" }), hostname: "::" };
  } catch (error) {
    // A port that is in use on IPv6 is in use on IPv4 too
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return { listener: Deno.listen({ port, hostname: "0.0.0.0" }), hostname: "0.0.0.0" };
  }
}

function answer({ method, url, headers }: HttpRequest, { health, metrics }: ServerOptions): HttpResponse {
  if (method !== "GET" && method !== "HEAD") return text(405, "use GET");
  if (url.pathname === "/metrics") {
    const format = formatFor(headers.get("accept"));
    return { status: 200, type: MEDIA_TYPES[format], body: metrics(format) };
  }
  const state = checkHealth(url.pathname, health);
  if (state === undefined) return text(404, "try /healthz, /livez, /readyz or /metrics");
  return state.reason === undefined ? text(200, "ok") : text(503, state.reason);
}

function text(status: number, body: string): HttpResponse {
  return { status, type: "text/plain; charset=utf-8", body: `${body.trimEnd()}\n` };
}
