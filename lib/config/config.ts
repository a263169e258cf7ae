/** From an environment to one frozen, typed Config. Environment names stop here. */
import { isLabelKey, isLabelValue, parseSelector, SelectorError } from "../objects/label_selector.ts";
import type { Kind } from "../objects/kind.ts";
import { type Fault, faultOf, readSettings, type SettingValues } from "./settings.ts";

/** Which objects a collection is about. */
export interface Selection {
  /** Label selector as the API takes it; `undefined` when objects are watched by name. */
  labelSelector?: string;
  /** Objects to watch by name instead of by label. */
  names: readonly NamedObject[];
  kinds: readonly Kind[];
  /** `OWN`: the namespace that the credentials name. */
  namespaces: "ALL" | "OWN" | readonly string[];
}

export interface NamedObject {
  name: string;
  kind?: Kind;
  namespace?: string;
}

/** Where a collection's files go, and how. */
export interface FileSettings {
  folder: string;
  folderAnnotation: string;
  allowedFolders: readonly string[];
  /** Permission bits. */
  mode: number;
  uniqueFilenames: boolean;
  /** `undefined`: the default name inside the folder. */
  stateFile?: string | "none";
  /** Largest body of a `.url` key, in bytes. */
  urlMaxBytes: number;
  enable5xx: boolean;
}

/** How the application hears of changed files. Times are in seconds. */
export interface NotificationSettings {
  quietPeriod: number;
  maxWait: number;
  skipInit: boolean;
  webhook?: { url: string; method: "GET" | "POST"; payload?: string };
  script?: { path: string; timeout: number };
}

/** How HTTP requests other than the API server's are made. Times are in seconds. */
export interface RequestSettings {
  retry: { total: number; connect: number; read: number; backoffFactor: number };
  timeout: number;
  username?: string;
  password?: string;
  usernameFile?: string;
  passwordFile?: string;
  encoding: "latin1" | "utf-8";
  skipTlsVerify: boolean;
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
  /** 0: never. */
  resyncPeriod: number;
  /** Between two looks at the disk; 0: never. */
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
}

export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR" | "CRITICAL";

export interface LogSettings {
  level: LogLevel;
  /** `true`: LOG_LEVEL, VERBOSE or DEBUG named the level, so a LOG_CONFIG file does not decide it. */
  levelIsSet: boolean;
  /** `undefined`: text on a terminal, else JSON. */
  format?: "JSON" | "LOGFMT" | "TEXT";
  utc: boolean;
  /** One line per API request. */
  apiRequests: boolean;
  configFile?: string;
}

export interface Config {
  method: "WATCH" | "LIST" | "SLEEP";
  collections: readonly Collection[];
  requests: RequestSettings;
  events: boolean;
  /** The finalizer that objects carry; `undefined` when they carry none. */
  finalizer?: string;
  /** The name that `remove-finalizers` takes off. */
  finalizerName: string;
  watch: WatchSettings;
  api: ApiSettings;
  health: HealthSettings;
  log: LogSettings;
  /** What is odd but no fault, one line each. */
  warnings: readonly string[];
}

/** Values that may also come from the command line, where they win. */
export interface Flags {
  reqUsernameFile?: string;
  reqPasswordFile?: string;
}

/**
 * Reads the whole configuration. Never throws: everything that is wrong is in `faults`, all of it at once, and `config`
 * then holds defaults in the places concerned.
 */
export function parseConfig(
  env: Record<string, string | undefined>,
  flags: Flags = {},
): { config: Config; faults: Fault[] } {
  const { values, faults } = readSettings(env);
  // A RESOURCE_NAME that is not understood would have stood in the place of LABEL
  if (!faults.some(({ setting }) => setting === "RESOURCE_NAME")) faults.push(...selectionFaults(values));
  if (values.FOLDER === undefined) faults.push(missing("FOLDER", "the folder that files go to"));
  else if (values.FOLDER.includes("\0")) faults.push(faultOf("FOLDER", values.FOLDER, "accepted is a path"));

  const collection: Collection = {
    selection: {
      ...given("labelSelector", values.RESOURCE_NAME === undefined ? labelSelectorOf(values) : undefined),
      names: (values.RESOURCE_NAME ?? []).map(parseNamedObject),
      kinds: KINDS_OF[values.RESOURCE],
      namespaces: values.NAMESPACE ?? "OWN",
    },
    files: {
      folder: values.FOLDER ?? "",
      folderAnnotation: values.FOLDER_ANNOTATION,
      allowedFolders: values.ALLOWED_FOLDERS ?? [],
      mode: values.DEFAULT_FILE_MODE,
      uniqueFilenames: values.UNIQUE_FILENAMES,
      ...given("stateFile", values.STATE_FILE),
      urlMaxBytes: values.URL_MAX_BYTES,
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
      skipTlsVerify: values.REQ_SKIP_TLS_VERIFY,
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
    health: { enabled: values.LIVENESS, port: values.HEALTH_PORT, ...given("host", values.HEALTH_HOST) },
    log: {
      level: values.LOG_LEVEL ?? (values.VERBOSE || values.DEBUG ? "DEBUG" : "INFO"),
      levelIsSet: values.LOG_LEVEL !== undefined || values.VERBOSE || values.DEBUG,
      ...given("format", values.LOG_FORMAT),
      utc: values.LOG_TZ === "UTC",
      apiRequests: values.DEBUG,
      ...given("configFile", values.LOG_CONFIG),
    },
    warnings: warningsOf(values),
  };
  return { config: deepFreeze(config), faults };
}

function selectionFaults({ RESOURCE_NAME, LABEL, LABEL_VALUE }: SettingValues): Fault[] {
  if (RESOURCE_NAME !== undefined) return [];
  if (LABEL === undefined) return [missing("LABEL", "the label key to select by")];
  if (LABEL_VALUE === undefined) return selectorFaults(LABEL);
  const faults: Fault[] = [];
  if (!isLabelKey(LABEL.trim())) faults.push(faultOf("LABEL", LABEL, "with LABEL_VALUE set, accepted is a label key"));
  if (!isLabelValue(LABEL_VALUE.trim())) {
    faults.push(
      faultOf("LABEL_VALUE", LABEL_VALUE, "accepted is a label value: at most 63 letters, digits, -, _ and ."),
    );
  }
  return faults;
}

function selectorFaults(label: string): Fault[] {
  try {
    if (parseSelector(label).length > 0) return [];
    return [faultOf("LABEL", label, "accepted is a label key or selector; an empty one selects everything")];
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return [faultOf("LABEL", label, `accepted is a label key or selector; ${error.message}`)];
  }
}

function labelSelectorOf({ LABEL, LABEL_VALUE }: SettingValues): string | undefined {
  return LABEL === undefined || LABEL_VALUE === undefined ? LABEL : `${LABEL.trim()}=${LABEL_VALUE.trim()}`;
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

function warningsOf(values: SettingValues): string[] {
  const warnings: string[] = [];
  if (values.METHOD === "WATCH" && values.WATCH_CLIENT_TIMEOUT < values.WATCH_SERVER_TIMEOUT) {
    warnings.push(
      `WATCH_CLIENT_TIMEOUT=${values.WATCH_CLIENT_TIMEOUT} is shorter than WATCH_SERVER_TIMEOUT=${values.WATCH_SERVER_TIMEOUT}: ` +
        "every watch will be cut by the client. Make it the longer of the two",
    );
  }
  const user = values.REQ_USERNAME !== undefined || values.REQ_USERNAME_FILE !== undefined;
  const password = values.REQ_PASSWORD !== undefined || values.REQ_PASSWORD_FILE !== undefined;
  if (values.REQ_URL !== undefined && user !== password) {
    warnings.push(
      `REQ_${user ? "USERNAME" : "PASSWORD"} is set without REQ_${
        user ? "PASSWORD" : "USERNAME"
      }: calls go without basic auth`,
    );
  }
  if (values.REQ_URL !== undefined && values.REQ_PAYLOAD !== undefined && values.REQ_METHOD === "GET") {
    warnings.push("REQ_PAYLOAD is set with REQ_METHOD=GET: a GET carries no body, so it is not sent");
  }
  return warnings;
}

function missing(setting: string, what: string): Fault {
  return { setting, message: `${setting} is not set: it is required, ${what}` };
}

/** A property that is left out when there is no value, as `exactOptionalPropertyTypes` wants it. */
function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: T };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
