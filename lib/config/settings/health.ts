/** The settings of the section "Health and logs". */
import { boolean, oneOf, port, seconds, text } from "../setting_types.ts";
import { inSection } from "../setting.ts";

const health = inSection("Health and logs");

export const HEALTH_SETTINGS = {
  LIVENESS: health.withDefault(boolean, "true", "Serve `/healthz`, `/livez`, `/readyz` and `/metrics`"),
  HEALTH_PORT: health.withDefault(
    port,
    "8080",
    "Port of the health endpoints, also as `HEALTHCHECK_PORT`. If it is in use, the sidecar logs a warning and runs without them",
    { alias: "HEALTHCHECK_PORT" },
  ),
  HEALTH_HOST: health.optional(text, "Address of the health endpoints", { shownDefault: "dual stack, else IPv4" }),
  VERBOSE: health.withDefault(boolean, "false", "Log at debug level"),
  DEBUG: health.withDefault(boolean, "false", "Log at debug level, with a line for each API request"),
  LOG_LEVEL: health.optional(
    oneOf(["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"], { WARNING: "WARN", FATAL: "CRITICAL" }),
    "`DEBUG`, `INFO`, `WARN`, `ERROR` or `CRITICAL`; takes precedence over `VERBOSE` and `DEBUG`",
    { shownDefault: "`INFO`" },
  ),
  LOG_FORMAT: health.optional(oneOf(["JSON", "LOGFMT", "TEXT"]), "Format of the log: `JSON`, `LOGFMT` or `TEXT`", {
    kiwigrid: "JSON",
    shownDefault: "`TEXT` on a terminal, else `JSON`",
  }),
  LOG_TZ: health.withDefault(oneOf(["LOCAL", "UTC"]), "LOCAL", "Time zone of the log: `LOCAL` or `UTC`"),
  LOG_CONFIG: health.optional(
    text,
    "Python dictConfig file; supports the root level, StreamHandler, RotatingFileHandler and the formats JSON and LOGFMT",
  ),
  K8S_CONTACT_THRESHOLD_SECONDS: health.optional(
    seconds({ min: 1 }),
    "Seconds without an answer of the API server after which `/healthz` and `/livez` turn 503. Unset: an API server that is away turns no probe red",
    { shownDefault: "never" },
  ),
};
