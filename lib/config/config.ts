/** Turns an environment into a frozen, typed Config. The names of environment variables are used nowhere else. */
import type { CredentialsSource } from "../http/basic_auth.ts";
import type { RetryLimits } from "../http/retry.ts";
import type { LogLevel } from "../log/log.ts";
import type { LogFormat } from "../log/log_format.ts";
import type { Kind } from "../objects/kind.ts";
import { faultsOf, warningsOf } from "./config_checks.ts";
import { readLabel } from "./label_and_value.ts";
import { misspeltSettings } from "./misspelt.ts";
import { type Fault, readSettings } from "./read_settings.ts";
import type { SettingValues } from "./settings.ts";
import { deepFreeze } from "../runtime/deep_freeze.ts";
import { given } from "../runtime/given.ts";

/** The objects of a collection. */
export interface Selection {
  /** Label selector in the API's syntax; `undefined` if objects are watched by name. */
  labelSelector?: string;
  /** Objects to watch by name instead of by label. */
  names: readonly NamedObject[];
  kinds: readonly Kind[];
  /** `OWN` is the namespace of the credentials. */
  namespaces: "ALL" | "OWN" | readonly string[];
  /** Label selector for namespaces, when all are watched. */
  namespaceSelector?: string;
  /** Names of namespaces to leave out; `*` stands for any characters. */
  namespaceExclude: readonly string[];
}

export interface NamedObject {
  name: string;
  kind?: Kind;
  namespace?: string;
}

/** The files of a collection. */
export interface FileSettings {
  folder: string;
  folderAnnotation: string;
  allowedFolders: readonly string[];
  /** The whole volume of the folder is allowed, too. */
  allowsVolume: boolean;
  folderPerNamespace: boolean;
  /** Which object wins a path that several objects claim, by creation. */
  collisions: "oldest" | "newest";
  /** Seconds between the deletion of an object and the removal of its files. */
  removeDelay: number;
  /** `false`: files are rewritten in place. */
  atomicWrites: boolean;
  /** Keys that end in `.gz` are unpacked. */
  decompress: boolean;
  /** Permission bits. */
  mode: number;
  uniqueFilenames: boolean;
  /** An object with more keys is refused. */
  maxFilesPerObject: number;
  /** Path of the record of owned files; `undefined` for the default inside the folder. */
  stateFile?: string | "none";
  /** Maximum size of the content of one `.url` key, of those of an object and of all, in bytes; `Infinity` for no limit. */
  urlMaxBytes: number;
  urlMaxBytesPerObject: number;
  urlMaxBytesTotal: number;
  enable5xx: boolean;
}

/** How the application is notified of changed files. Times are in seconds. */
export interface NotificationSettings {
  quietPeriod: number;
  maxWait: number;
  skipInit: boolean;
  webhook?: { url: string; method: "GET" | "POST"; payload?: string };
  script?: { path: string; timeout: number };
}

/** HTTP requests to all servers other than the API server. Times are in seconds. */
export interface RequestSettings extends CredentialsSource {
  retry: RetryLimits;
  timeout: number;
  encoding: "latin1" | "utf-8";
  tokenFile?: string;
  headers: Readonly<Record<string, string>>;
  /** PEM files with CAs to trust besides the system's. */
  caFiles: readonly string[];
  netrc?: string;
  skipTlsVerify: boolean;
  /** Hosts that `.url` keys may ask; `undefined` for any but this pod, link-local addresses and the API server. */
  urlAllowedHosts?: readonly string[];
  /** For one download in all. */
  urlTimeout: number;
  /** Downloads that run at one time. */
  urlMaxOpen: number;
}

/** One selection, one folder, one notification. */
export interface Collection {
  selection: Selection;
  files: FileSettings;
  notification: NotificationSettings;
}

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
  collections: readonly Collection[];
  requests: RequestSettings;
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

/** Values from the command line; they take precedence over the environment. */
export interface Flags {
  reqUsernameFile?: string;
  reqPasswordFile?: string;
}

/**
 * Reads the whole configuration. Never throws: `faults` lists all invalid settings, and `config` contains their
 * defaults.
 */
export function parseConfig(
  env: Record<string, string | undefined>,
  flags: Flags = {},
): { config: Config; faults: Fault[] } {
  const { values, faults, warnings } = readSettings(env);
  // If RESOURCE_NAME is set but invalid, do not report a missing LABEL
  const isNamed = faults.some(({ setting }) => setting === "RESOURCE_NAME");
  faults.push(...faultsOf(isNamed ? { ...values, RESOURCE_NAME: [] } : values));

  const collection: Collection = {
    selection: {
      ...given("labelSelector", values.RESOURCE_NAME === undefined ? readLabel(values).selector : undefined),
      names: (values.RESOURCE_NAME ?? []).map(parseNamedObject),
      kinds: KINDS_OF[values.RESOURCE],
      namespaces: values.NAMESPACE ?? "OWN",
      ...given("namespaceSelector", values.NAMESPACE_SELECTOR),
      namespaceExclude: values.NAMESPACE_EXCLUDE ?? [],
    },
    files: {
      folder: values.FOLDER ?? "",
      folderAnnotation: values.FOLDER_ANNOTATION,
      allowedFolders: values.ALLOWED_FOLDERS ?? [],
      allowsVolume: values.ALLOWED_FOLDERS === undefined && values.DEFAULTS === "kiwigrid",
      folderPerNamespace: values.FOLDER_PER_NAMESPACE,
      collisions: values.COLLISIONS,
      removeDelay: values.REMOVE_DELAY,
      atomicWrites: values.ATOMIC_WRITES,
      decompress: values.DECOMPRESS,
      mode: values.DEFAULT_FILE_MODE,
      uniqueFilenames: values.UNIQUE_FILENAMES,
      maxFilesPerObject: values.MAX_FILES_PER_OBJECT,
      ...given("stateFile", values.STATE_FILE),
      urlMaxBytes: values.URL_MAX_BYTES,
      urlMaxBytesPerObject: values.URL_MAX_BYTES_PER_OBJECT,
      urlMaxBytesTotal: values.URL_MAX_BYTES_TOTAL,
      enable5xx: values.ENABLE_5XX,
    },
    notification: {
      quietPeriod: values.NOTIFY_QUIET_PERIOD,
      maxWait: values.NOTIFY_MAX_WAIT,
      skipInit: values.REQ_SKIP_INIT,
      ...given(
        "webhook",
        values.REQ_URL === undefined
          ? undefined
          : { url: values.REQ_URL, method: values.REQ_METHOD, ...given("payload", values.REQ_PAYLOAD) },
      ),
      ...given(
        "script",
        values.SCRIPT === undefined ? undefined : { path: values.SCRIPT, timeout: values.SCRIPT_TIMEOUT },
      ),
    },
  };
  const config: Config = {
    method: values.METHOD,
    collections: [collection],
    requests: {
      retry: {
        total: values.REQ_RETRY_TOTAL,
        connect: values.REQ_RETRY_CONNECT,
        read: values.REQ_RETRY_READ,
        backoffFactor: values.REQ_RETRY_BACKOFF_FACTOR,
      },
      timeout: values.REQ_TIMEOUT,
      ...given("username", values.REQ_USERNAME),
      ...given("password", values.REQ_PASSWORD),
      ...given("usernameFile", flags.reqUsernameFile ?? values.REQ_USERNAME_FILE),
      ...given("passwordFile", flags.reqPasswordFile ?? values.REQ_PASSWORD_FILE),
      encoding: values.REQ_BASIC_AUTH_ENCODING,
      ...given("tokenFile", values.REQ_TOKEN_FILE),
      headers: values.REQ_HEADERS ?? {},
      caFiles: [values.REQ_CA_FILE, env.REQUESTS_CA_BUNDLE, env.SSL_CERT_FILE].filter((file) => !!file) as string[],
      ...given("netrc", values.NETRC),
      skipTlsVerify: values.REQ_SKIP_TLS_VERIFY,
      ...given("urlAllowedHosts", values.URL_ALLOWED_HOSTS),
      urlTimeout: values.URL_TIMEOUT,
      urlMaxOpen: values.URL_MAX_OPEN,
    },
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
  return { config: deepFreeze(config), faults };
}

const KINDS_OF: Record<SettingValues["RESOURCE"], readonly Kind[]> = {
  configmap: ["ConfigMap"],
  secret: ["Secret"],
  both: ["ConfigMap", "Secret"],
};

/** `name`, `kind/name` or `namespace/kind/name`. */
function parseNamedObject(item: string): NamedObject {
  const [name = "", kind, namespace] = item.split("/").reverse();
  return {
    name,
    ...given("kind", kind === undefined ? undefined : kindOf(kind)),
    ...given("namespace", namespace),
  };
}

function kindOf(word: string): Kind {
  return word.toLowerCase().startsWith("secret") ? "Secret" : "ConfigMap";
}
