/**
 * Every setting, in one table: it parses the environment, prints `--help` and writes the README's tables.
 * Names, defaults and meanings are the project's contract with its users.
 */
import {
  absolutePath,
  boolean,
  bytes,
  count,
  factor,
  fileMode,
  httpUrl,
  listOf,
  oneOf,
  port,
  seconds,
  type SettingType,
  text,
  wholeSeconds,
} from "./setting_types.ts";

export interface Setting<T> {
  section: string;
  meaning: string;
  type: SettingType<Exclude<T, undefined>>;
  /** As it would stand in the environment. */
  default?: string;
  /** The default under `DEFAULTS=kiwigrid`, where it differs. */
  kiwigrid?: string;
  /** What the tables show when the default is no plain value. */
  shownDefault?: string;
  /** Another name, used when the first is not set. */
  alias?: string;
  /** Never printed. */
  secret?: true;
  /** What of a value may be printed, when it is not all of it. */
  redact?: (value: string) => string;
}

type Details = Omit<Setting<unknown>, "section" | "meaning" | "type">;

function inSection(section: string) {
  return {
    /** A setting that always has a value. */
    withDefault<const T>(type: SettingType<T>, byDefault: string, meaning: string, details: Details = {}): Setting<T> {
      return { section, meaning, type: type as SettingType<Exclude<T, undefined>>, default: byDefault, ...details };
    },
    /** A setting that may be absent. */
    optional<const T>(type: SettingType<T>, meaning: string, details: Details = {}): Setting<T | undefined> {
      return { section, meaning, type: type as SettingType<Exclude<T, undefined>>, ...details };
    },
  };
}

const selection = inSection("Selection");
const files = inSection("Files");
const watching = inSection("Watching");
const telling = inSection("Telling the application");
const kubernetes = inSection("Kubernetes side");
const care = inSection("Being looked after");

const namespaces = listOf("namespaces", (item) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(item));
const isNamedObject = (item: string) =>
  /^(([a-z0-9][-a-z0-9]*\/)?(configmaps?|secrets?)\/)?[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/i.test(item);

export const SETTINGS = {
  LABEL: selection.optional(
    text,
    "Label key to select by. Without `LABEL_VALUE` a whole label selector is accepted too: `app in (a,b),!draft`. Not needed with `RESOURCE_NAME`",
    { shownDefault: "required" },
  ),
  LABEL_VALUE: selection.optional(text, "Value that the label must have", { shownDefault: "any value" }),
  NAMESPACE: selection.optional(
    {
      accepts: `ALL, or ${namespaces.accepts}`,
      parse: (text) => text.trim() === "ALL" ? "ALL" : namespaces.parse(text),
    },
    "`ALL`, or namespaces separated by commas",
    { default: "ALL", kiwigrid: "", shownDefault: "`ALL`; with `DEFAULTS=kiwigrid` the pod's own" },
  ),
  RESOURCE: selection.withDefault(
    oneOf(["configmap", "secret", "both"]),
    "both",
    "Kinds to watch: `configmap`, `secret` or `both`",
    { kiwigrid: "configmap" },
  ),
  RESOURCE_NAME: selection.optional(
    listOf("names as name, kind/name or namespace/kind/name (kind: configmap or secret)", isNamedObject),
    "Watch these objects by name instead of by label: `name`, `kind/name` or `namespace/kind/name`, separated by commas. RBAC `resourceNames` is enough",
  ),
  DEFAULTS: selection.withDefault(
    oneOf(["kopf", "kiwigrid"]),
    "kopf",
    "`kiwigrid` takes that image's defaults where they differ: `NAMESPACE` = the pod's own, `RESOURCE=configmap`, `WATCH_SERVER_TIMEOUT=60`, `WATCH_CLIENT_TIMEOUT=66`, `LOG_FORMAT=JSON`",
  ),

  FOLDER: files.optional(text, "Where files go; made if missing", { shownDefault: "required" }),
  FOLDER_ANNOTATION: files.withDefault(
    text,
    "k8s-sidecar-target-directory",
    "Annotation on an object that sends its files elsewhere; a relative value is under `FOLDER`. Changing or removing it moves the files",
  ),
  ALLOWED_FOLDERS: files.optional(
    listOf("absolute paths", (item) => item.startsWith("/")),
    "More roots, separated by commas, that an annotation may point into. An object that points elsewhere is refused",
  ),
  DEFAULT_FILE_MODE: files.withDefault(fileMode, "644", "Mode of the files, exact whatever the umask"),
  UNIQUE_FILENAMES: files.withDefault(
    boolean,
    "false",
    "Name files `namespace_<namespace>.<configmap|secret>_<name>.<key>`, so that no two objects claim one path",
  ),
  ENABLE_5XX: files.withDefault(boolean, "false", "`*.url` keys: accept the body of a 5xx answer as content"),
  URL_MAX_BYTES: files.withDefault(
    bytes,
    "64Mi",
    "Largest body that a `.url` key may bring; `Ki`, `Mi`, `Gi` are understood",
  ),
  RESYNC_PERIOD: files.withDefault(
    seconds(),
    "600",
    "Seconds between full relists that also compare the disk and heal what someone else changed; `0` for never",
  ),
  CHECK_PERIOD: files.withDefault(
    seconds(),
    "60",
    "Seconds between two looks at the disk: an object whose file is missing or was changed by someone else is read again, and the file restored. Asks the API server nothing while all is well; `0` for never",
  ),
  STATE_FILE: files.optional(
    { accepts: "an absolute path, or none", parse: (text) => text === "none" ? text : absolutePath.parse(text) },
    "Where ownership is recorded, so that files of objects deleted while the sidecar was down are removed; `none` for off",
    { shownDefault: "`FOLDER/..k8s-sidecar-<hash of the selection>/state/record`" },
  ),
  IGNORE_ALREADY_PROCESSED: files.optional(boolean, "Accepted. Always so here: an unchanged object costs nothing"),

  METHOD: watching.withDefault(
    oneOf(["WATCH", "LIST", "SLEEP"]),
    "WATCH",
    "`WATCH` for ever; `LIST` once and exit; `SLEEP` lists every `SLEEP_TIME` seconds",
  ),
  SLEEP_TIME: watching.withDefault(seconds({ min: 0.1 }), "60", "Seconds between two lists of `METHOD=SLEEP`"),
  WATCH_SERVER_TIMEOUT: watching.withDefault(
    wholeSeconds,
    "600",
    "Seconds after which the API server ends a watch; sent as `timeoutSeconds`",
    { kiwigrid: "60" },
  ),
  WATCH_CLIENT_TIMEOUT: watching.withDefault(
    seconds({ min: 0.1 }),
    "660",
    "Seconds a watch request may live before the client ends it and resumes where it was. A connection that went dead is noticed within it",
    { kiwigrid: "66" },
  ),
  ERROR_THROTTLE_SLEEP: watching.withDefault(
    seconds({ min: 0.01 }),
    "1",
    "First delay after an error, in seconds; doubles to 30 with jitter, reset by success",
  ),
  KUBECONFIG: watching.optional(
    text,
    "Kubeconfig file, or several with `:` between them; every auth method that `@kubernetes/client-node` knows",
    { shownDefault: "in-cluster where there is a service account, else `~/.kube/config`" },
  ),
  SERVICE_ACCOUNT_DIR: watching.withDefault(
    absolutePath,
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "Where `token`, `ca.crt` and `namespace` are. With `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` it makes the in-cluster credentials",
  ),
  SKIP_TLS_VERIFY: watching.withDefault(boolean, "false", "Do not verify the API server's certificate"),
  DISABLE_X509_STRICT_VERIFICATION: watching.optional(boolean, "Accepted. Old cluster CAs work without it"),

  REQ_URL: telling.optional(httpUrl, "Called after files changed", { redact: withoutUrlSecrets }),
  REQ_METHOD: telling.withDefault(oneOf(["GET", "POST"]), "GET", "`GET` or `POST`"),
  REQ_PAYLOAD: telling.optional(text, "JSON body of a POST; text that is not JSON is sent as a JSON string", {
    secret: true,
  }),
  REQ_RETRY_TOTAL: telling.withDefault(count, "5", "Retries of one call in all; for `*.url` too"),
  REQ_RETRY_CONNECT: telling.withDefault(count, "10", "Retries after errors of connecting"),
  REQ_RETRY_READ: telling.withDefault(count, "5", "Retries after errors of reading"),
  REQ_RETRY_BACKOFF_FACTOR: telling.withDefault(factor, "1.1", "Delay before retry n: this many seconds × 2^(n-1)"),
  REQ_TIMEOUT: telling.withDefault(seconds({ min: 0.1 }), "10", "Seconds to wait for an answer"),
  REQ_USERNAME: telling.optional(text, "Basic auth"),
  REQ_PASSWORD: telling.optional(text, "Basic auth", { secret: true }),
  REQ_USERNAME_FILE: telling.optional(text, "Same from a file, read at each use; the flag `--req-username-file` wins"),
  REQ_PASSWORD_FILE: telling.optional(text, "Same from a file, read at each use; the flag `--req-password-file` wins"),
  REQ_BASIC_AUTH_ENCODING: telling.withDefault(
    oneOf(["latin1", "utf-8"], { "iso-8859-1": "latin1", "latin-1": "latin1", utf8: "utf-8" }),
    "latin1",
    "How user name and password become bytes: `latin1` or `utf-8`",
  ),
  REQ_SKIP_INIT: telling.withDefault(boolean, "false", "No call for the first sync"),
  REQ_SKIP_TLS_VERIFY: telling.withDefault(
    boolean,
    "false",
    "Do not verify certificates of `REQ_URL` and `*.url` hosts",
  ),
  SCRIPT: telling.optional(
    absolutePath,
    "Run after files changed and before `REQ_URL`; one that is not executable is run by `sh`. Gets `SIDECAR_CHANGED_FILES`, a JSON list",
  ),
  SCRIPT_TIMEOUT: telling.withDefault(seconds({ min: 0.1 }), "60", "Seconds after which the script is killed"),
  NOTIFY_QUIET_PERIOD: telling.withDefault(
    seconds(),
    "0.25",
    "Seconds that files must have been quiet before a notification",
  ),
  NOTIFY_MAX_WAIT: telling.withDefault(seconds(), "5", "Seconds after which it comes at the latest"),

  EVENT_LOGGING: kubernetes.withDefault(
    boolean,
    "false",
    "Post Events on the object (`kubectl get events`): files written, removed, refused and why. Needs RBAC `events: create, patch`",
  ),
  FINALIZERS: kubernetes.withDefault(
    boolean,
    "false",
    "A selected object carries a finalizer and goes only once its files are gone. Needs RBAC `patch`",
  ),
  FINALIZER_NAME: kubernetes.withDefault(
    {
      accepts: "a qualified name such as example.com/files",
      parse: (text) =>
        /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?\/[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(text) ? text : undefined,
    },
    "deno-k8s-sidecar/files",
    "Its name; give each of several sidecars that select the same objects its own",
  ),

  LIVENESS: care.withDefault(boolean, "true", "Serve the health endpoints"),
  HEALTH_PORT: care.withDefault(
    port,
    "8080",
    "Their port, also as `HEALTHCHECK_PORT`. A busy port is one warning, never a failure",
    { alias: "HEALTHCHECK_PORT" },
  ),
  HEALTH_HOST: care.optional(text, "Their address", { shownDefault: "dual stack, else IPv4" }),
  VERBOSE: care.withDefault(boolean, "false", "Debug level"),
  DEBUG: care.withDefault(boolean, "false", "Debug level and one line per API request"),
  LOG_LEVEL: care.optional(
    oneOf(["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"], { WARNING: "WARN", FATAL: "CRITICAL" }),
    "`DEBUG`, `INFO`, `WARN`, `ERROR` or `CRITICAL`; wins over the two above",
    { shownDefault: "`INFO`" },
  ),
  LOG_FORMAT: care.optional(oneOf(["JSON", "LOGFMT", "TEXT"]), "`JSON`, `LOGFMT` or `TEXT`", {
    kiwigrid: "JSON",
    shownDefault: "`TEXT` on a terminal, else `JSON`",
  }),
  LOG_TZ: care.withDefault(oneOf(["LOCAL", "UTC"]), "LOCAL", "`LOCAL` or `UTC`"),
  LOG_CONFIG: care.optional(
    text,
    "Path of a Python dictConfig file: root level, StreamHandler, RotatingFileHandler, JSON or LOGFMT",
  ),
};

/** User info and query values of what was meant to be a URL. */
function withoutUrlSecrets(text: string): string {
  // A password may hold what ends a host, which is what made it no URL
  return text.replace(/^([^/]*\/\/)?.*@/s, "$1***@").replace(/([?&][^=&]*=)[^&]*/g, "$1***");
}

export type SettingName = keyof typeof SETTINGS;

/** The value of every setting, typed by its row of the table. */
export type SettingValues = { [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never };

/** One setting that cannot be understood: which, what it says, what is accepted. */
export interface Fault {
  setting: string;
  message: string;
}

/** `METHOD="x": accepted is WATCH, LIST or SLEEP`; a secret's value is left out. */
export function faultOf(setting: string, value: string, accepted: string, secret = false): Fault {
  const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return {
    setting,
    message: secret ? `${setting} (value not shown): ${accepted}` : `${setting}=${JSON.stringify(shown)}: ${accepted}`,
  };
}

/**
 * Reads every setting from an environment. An empty string means unset. What cannot be understood becomes a fault and
 * leaves the default in its place.
 */
export function readSettings(env: Record<string, string | undefined>): { values: SettingValues; faults: Fault[] } {
  const faults: Fault[] = [];
  const kiwigrid = SETTINGS.DEFAULTS.type.parse(env.DEFAULTS || "kopf") === "kiwigrid";
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const byDefault = (kiwigrid ? row.kiwigrid : undefined) ?? row.default;
    values[name] = byDefault ? row.type.parse(byDefault) : undefined;
    const spelling = [name, row.alias].find((spelling) => spelling !== undefined && env[spelling]);
    const text = spelling === undefined ? undefined : env[spelling];
    if (spelling === undefined || !text) continue;
    const value = row.type.parse(text);
    const shown = row.redact?.(text) ?? text;
    if (value === undefined) faults.push(faultOf(spelling, shown, `accepted is ${row.type.accepts}`, row.secret));
    else values[name] = value;
  }
  return { values: values as SettingValues, faults };
}
