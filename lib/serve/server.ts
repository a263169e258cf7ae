/** The HTTP server for probes, metrics and the status. */
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { MetricsFormat } from "../runtime/metrics_registry.ts";
import { formatFor, MEDIA_TYPES } from "./metrics/exposition.ts";
import { checkHealth, type HealthState } from "./health.ts";
import { type HttpRequest, type HttpResponse, Responder, text } from "./responder.ts";
import { INSTANCE_HEADER, type Status } from "./status.ts";
import { refusalOf, type StatusPolicy } from "./status_policy.ts";

export interface ServerOptions {
  port: number;
  /** Address to listen on; `undefined` for dual stack, or IPv4 where there is no IPv6. */
  host: string | undefined;
  health: HealthState;
  /** The text of `/metrics`. */
  metrics: (format: MetricsFormat) => string;
  /** Writes the status of this moment, as JSON or as a page. */
  status: (write: (status: Status) => string) => Promise<string>;
  /** STATUS_PAGE. */
  statusPage: StatusPolicy;
  /** Tells this sidecar from others, which may have the port in the same pod. */
  instance: () => string;
  clock: Clock;
  log: Pick<Log, "info" | "warn">;
}

const NO_STORE = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Serves until `close`. If it cannot listen, it only logs a warning, because files can be written without it. */
export function startServer(options: ServerOptions): { close(): Promise<void> } {
  const { port, clock, log } = options;
  try {
    const { listener, hostname } = listen(options);
    const responder = new Responder({
      respond: (request) => answer(request, options),
      headers: () => ({ [INSTANCE_HEADER]: options.instance() }),
      clock,
    });
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

async function answer(request: HttpRequest, options: ServerOptions): Promise<HttpResponse> {
  const { method, url, headers } = request;
  const { health, metrics, statusPage } = options;
  if (method !== "GET" && method !== "HEAD") return text(405, "use GET");
  if (url.pathname === "/metrics") {
    const format = formatFor(headers.get("accept"));
    return { status: 200, type: MEDIA_TYPES[format], body: metrics(format) };
  }
  if (url.pathname === "/status" || url.pathname === "/") {
    const refusal = refusalOf(request, statusPage);
    if (refusal !== undefined) return { ...text(403, refusal), headers: NO_STORE };
    return await statusAnswer(url, options);
  }
  const state = checkHealth(url.pathname, health);
  if (state === undefined) return text(404, "try /, /healthz, /livez, /readyz, /metrics or /status");
  return state.reason === undefined ? text(200, "ok") : text(503, state.reason);
}

/** `/status`, or the page, which is loaded when it is asked for the first time. */
async function statusAnswer({ pathname, searchParams }: URL, { status, log }: ServerOptions): Promise<HttpResponse> {
  try {
    if (pathname === "/status") {
      const body = await status((status) => JSON.stringify(status));
      return { status: 200, type: "application/json; charset=utf-8", body, headers: NO_STORE };
    }
    const { pageHeaders, statusPage } = await import("./page/page.ts");
    const body = await status((status) => [...statusPage(status, searchParams)].join(""));
    return { status: 200, type: "text/html; charset=utf-8", body, headers: await pageHeaders() };
  } catch (error) {
    log.warn(`${pathname} cannot be answered, which is a bug of the sidecar: ${messageOf(error)}`);
    return { ...text(500, "internal error: see the log of the sidecar"), headers: NO_STORE };
  }
}
