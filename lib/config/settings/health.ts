/** The settings of the section "Health and logs". */
import { anyAsDefault, pythonInteger } from "../kiwigrid_values.ts";
import { boolean, host, oneOf, port, seconds, text } from "../setting_types.ts";
import { inSection } from "../setting.ts";

const health = inSection("Health and logs");

export const HEALTH_SETTINGS = {
  LIVENESS: health.withDefault(
    boolean,
    "true",
    "Serve `/healthz`, `/livez`, `/readyz`, `/metrics`, `/status` and the page at `/`",
    {
      kiwigridReads: anyAsDefault,
    },
  ),
  HEALTH_PORT: health.withDefault(
    port,
    "8080",
    "Port of the health endpoints, also as `HEALTHCHECK_PORT`. If it is in use, the sidecar logs a warning and runs without them",
    { alias: "HEALTHCHECK_PORT", kiwigridReads: anyAsDefault },
  ),
  HEALTH_HOST: health.optional(host, "Address of the health endpoints", { shownDefault: "dual stack, else IPv4" }),
  STATUS_PAGE: health.withDefault(
    oneOf(["local", "all", "none"]),
    "local",
    "Who may see `/status` and the page at `/`: `local` (through `kubectl port-forward`, or from the pod itself), `all` or `none`",
  ),
  VERBOSE: health.withDefault(boolean, "false", "Log at debug level", { kiwigridReads: anyAsDefault }),
  DEBUG: health.withDefault(boolean, "false", "Log at debug level, with a line for each API request", {
    kiwigridReads: anyAsDefault,
  }),
  LOG_LEVEL: health.optional(
    oneOf(["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"], { WARNING: "WARN", FATAL: "CRITICAL" }),
    "`DEBUG`, `INFO`, `WARN`, `ERROR` or `CRITICAL`; takes precedence over `VERBOSE` and `DEBUG`",
    { shownDefault: "`INFO`", kiwigridReads: anyAsDefault },
  ),
  LOG_FORMAT: health.optional(oneOf(["JSON", "LOGFMT", "TEXT"]), "Format of the log: `JSON`, `LOGFMT` or `TEXT`", {
    kiwigrid: "JSON",
    shownDefault: "`TEXT` on a terminal, else `JSON`",
    kiwigridReads: anyAsDefault,
  }),
  LOG_TZ: health.withDefault(oneOf(["LOCAL", "UTC"]), "LOCAL", "Time zone of the log: `LOCAL` or `UTC`", {
    kiwigridReads: anyAsDefault,
  }),
  LOG_CONFIG: health.optional(
    text,
    "Python dictConfig file; supports the root level, StreamHandler, RotatingFileHandler and the formats JSON and LOGFMT",
  ),
  K8S_CONTACT_THRESHOLD_SECONDS: health.optional(
    seconds({ min: 1 }),
    "Seconds without an answer of the API server, to any request, after which `/healthz` and `/livez` turn 503. Unset: an API server that is away turns no probe red",
    { shownDefault: "never", kiwigridReads: pythonInteger },
  ),
};
