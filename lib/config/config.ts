/** Turns an environment into a frozen, typed Config. The names of environment variables are used nowhere else. */
import type { LogLevel } from "../log/log.ts";
import type { LogFormat } from "../log/log_format.ts";
import { type Collection, collectionOf, type Flags } from "./collection_settings.ts";
import { applicationsPortWarnings } from "./applications_port.ts";
import { faultsOf, warningsOf } from "./config_checks.ts";
import { misspeltSettings } from "./misspelt.ts";
import { type Fault, readSettings } from "./read_settings.ts";
import { deepFreeze } from "../runtime/deep_freeze.ts";
import { given } from "../runtime/given.ts";

/** Times of list and watch, in seconds. */
export interface WatchSettings {
  serverTimeout: number;
  clientTimeout: number;
  firstBackoff: number;
  /** 0 for never. */
  resyncPeriod: number;
  /** Between two checks of the disk; 0: never. */
  checkPeriod: number;
  sleepTime: number;
}

export interface ApiSettings {
  kubeconfig?: string;
  serviceAccountDir: string;
  skipTlsVerify: boolean;
}

export interface HealthSettings {
  enabled: boolean;
  port: number;
  host?: string;
  /** Who may see `/status`. */
  statusPage: "local" | "all" | "none";
  /** Seconds without an answer of the API server after which the sidecar is not live; `undefined`: never. */
  contactThreshold?: number;
}

export interface LogSettings {
  level: LogLevel;
  /** LOG_LEVEL, VERBOSE or DEBUG is set, so the level of LOG_CONFIG is not used. */
  levelIsSet: boolean;
  /** `undefined` for TEXT on a terminal, else JSON. */
  format?: LogFormat;
  utc: boolean;
  /** Log a line for each API request. */
  apiRequests: boolean;
  configFile?: string;
}

export interface Config {
  method: "WATCH" | "LIST" | "SLEEP";
  /** CONFIG_FILE. */
  configFile?: string;
  /** That of the environment, if there is one, and those of CONFIG_FILE. */
  collections: readonly Collection[];
  events: boolean;
  /** The finalizer to put on objects; `undefined` for none. */
  finalizer?: string;
  /** The finalizer that `remove-finalizers` removes. */
  finalizerName: string;
  watch: WatchSettings;
  api: ApiSettings;
  health: HealthSettings;
  log: LogSettings;
  /** DEFAULTS=kiwigrid: a setting with which that image starts is a warning, not a fault. */
  startsLikeKiwigrid: boolean;
  /** One line for each setting that is ignored, misspelt, or has no effect. */
  warnings: readonly string[];
}

/**
 * Reads the environment; `load_config.ts` adds the collections of CONFIG_FILE. Never throws: `faults` lists all invalid
 * settings, and `config` contains their defaults.
 */
export function parseConfig(
  env: Record<string, string | undefined>,
  flags: Flags = {},
): { config: Config; faults: Fault[] } {
  const { values, faults, warnings } = readSettings(env);
  // If RESOURCE_NAME is set but invalid, do not report a missing LABEL
  const isNamed = faults.some(({ setting }) => setting === "RESOURCE_NAME");
  // Beside CONFIG_FILE the environment need not make a collection
  const hasCollection = values.CONFIG_FILE === undefined || isNamed ||
    [values.LABEL, values.RESOURCE_NAME, values.FOLDER].some((value) => value !== undefined);
  if (hasCollection) faults.push(...faultsOf(isNamed ? { ...values, RESOURCE_NAME: [] } : values));

  const config: Config = {
    method: values.METHOD,
    ...given("configFile", values.CONFIG_FILE),
    collections: hasCollection ? [collectionOf(values, env, flags)] : [],
    events: values.EVENT_LOGGING,
    ...given("finalizer", values.FINALIZERS ? values.FINALIZER_NAME : undefined),
    finalizerName: values.FINALIZER_NAME,
    watch: {
      serverTimeout: values.WATCH_SERVER_TIMEOUT,
      clientTimeout: values.WATCH_CLIENT_TIMEOUT,
      firstBackoff: values.ERROR_THROTTLE_SLEEP,
      resyncPeriod: values.RESYNC_PERIOD,
      checkPeriod: values.CHECK_PERIOD,
      sleepTime: values.SLEEP_TIME,
    },
    api: {
      ...given("kubeconfig", values.KUBECONFIG),
      serviceAccountDir: values.SERVICE_ACCOUNT_DIR,
      skipTlsVerify: values.SKIP_TLS_VERIFY,
    },
    health: {
      enabled: values.LIVENESS,
      port: values.HEALTH_PORT,
      ...given("host", values.HEALTH_HOST),
      statusPage: values.STATUS_PAGE,
      ...given("contactThreshold", values.K8S_CONTACT_THRESHOLD_SECONDS),
    },
    log: {
      level: values.LOG_LEVEL ?? (values.VERBOSE || values.DEBUG ? "DEBUG" : "INFO"),
      levelIsSet: values.LOG_LEVEL !== undefined || values.VERBOSE || values.DEBUG,
      ...given("format", values.LOG_FORMAT),
      utc: values.LOG_TZ === "UTC",
      apiRequests: values.DEBUG,
      ...given("configFile", values.LOG_CONFIG),
    },
    startsLikeKiwigrid: values.DEFAULTS === "kiwigrid",
    warnings: [...warnings, ...misspeltSettings(env), ...warningsOf(values)],
  };
  return {
    config: deepFreeze({ ...config, warnings: [...config.warnings, ...applicationsPortWarnings(config)] }),
    faults,
  };
}
