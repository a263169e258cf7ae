/**
 * Every setting, in one table. It parses the environment, and `--help` and the tables in the documents are made from it.
 * Names, defaults and meanings are a contract with users.
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
  text,
  wholeSeconds,
} from "./setting_types.ts";
import { inSection, type Setting } from "./setting.ts";

const selection = inSection("Selection");
const files = inSection("Files");
const watching = inSection("Watching");
const telling = inSection("Telling the application");
const events = inSection("Events and finalizers");
const health = inSection("Health and logs");

const namespaces = listOf("namespaces", (item) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(item));
const isNamedObject = (item: string) =>
  /^(([a-z0-9][-a-z0-9]*\/)?(configmaps?|secrets?)\/)?[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/i.test(item);

export const SETTINGS = {
  LABEL: selection.optional(
    text,
    "Label key to select objects by. Without `LABEL_VALUE`, a full label selector is accepted too: `app in (a,b),!draft`. Not used with `RESOURCE_NAME`",
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
    "`kiwigrid` uses that image's defaults where they differ: `NAMESPACE` = the pod's own, `RESOURCE=configmap`, `WATCH_SERVER_TIMEOUT=60`, `WATCH_CLIENT_TIMEOUT=66`, `LOG_FORMAT=JSON`",
  ),

  FOLDER: files.optional(text, "Folder that files are written to; created if missing", { shownDefault: "required" }),
  FOLDER_ANNOTATION: files.withDefault(
    text,
    "k8s-sidecar-target-directory",
    "Annotation that names another folder for the files of an object; a relative path is under `FOLDER`. Changing or removing it moves the files",
  ),
  ALLOWED_FOLDERS: files.optional(
    listOf("absolute paths", (item) => item.startsWith("/")),
    "Folders besides `FOLDER`, separated by commas, that an annotation may point into. An object that points elsewhere is refused",
  ),
  DEFAULT_FILE_MODE: files.withDefault(fileMode, "644", "Mode of the files, regardless of the umask"),
  UNIQUE_FILENAMES: files.withDefault(
    boolean,
    "false",
    "Name files `namespace_<namespace>.<configmap|secret>_<name>.<key>`, so that no two objects claim the same path",
  ),
  ENABLE_5XX: files.withDefault(boolean, "false", "For `*.url` keys, accept the body of a 5xx response as content"),
  URL_MAX_BYTES: files.withDefault(
    bytes,
    "64Mi",
    "Maximum size of the content of a `*.url` key, in bytes or with `Ki`, `Mi` or `Gi`",
  ),
  RESYNC_PERIOD: files.withDefault(
    seconds(),
    "600",
    "Seconds between full relists, which also restore files that were changed by others; `0` for never",
  ),
  CHECK_PERIOD: files.withDefault(
    seconds(),
    "60",
    "Seconds between two looks at the disk: an object whose file is missing or was changed by someone else is read again, and the file restored. Asks the API server nothing while all is well; `0` for never",
  ),
  STATE_FILE: files.optional(
    { accepts: "an absolute path, or none", parse: (text) => text === "none" ? text : absolutePath.parse(text) },
    "File that records which files are ours, so that the files of objects deleted while the sidecar was down are removed; `none` for no record",
    { shownDefault: "`FOLDER/..k8s-sidecar-<hash of the selection>/state/record`" },
  ),
  IGNORE_ALREADY_PROCESSED: files.optional(
    boolean,
    "Accepted and ignored: unchanged objects are never processed again",
  ),

  METHOD: watching.withDefault(
    oneOf(["WATCH", "LIST", "SLEEP"]),
    "WATCH",
    "`WATCH` follows changes; `LIST` lists once and exits; `SLEEP` lists every `SLEEP_TIME` seconds",
  ),
  SLEEP_TIME: watching.withDefault(seconds({ min: 0.1 }), "60", "Seconds between lists with `METHOD=SLEEP`"),
  WATCH_SERVER_TIMEOUT: watching.withDefault(
    wholeSeconds,
    "600",
    "Seconds after which the API server ends a watch; sent as `timeoutSeconds`",
    { kiwigrid: "60" },
  ),
  WATCH_CLIENT_TIMEOUT: watching.withDefault(
    seconds({ min: 0.1 }),
    "660",
    "Seconds after which the client ends a watch and resumes it. A dead connection is detected within this time",
    { kiwigrid: "66" },
  ),
  ERROR_THROTTLE_SLEEP: watching.withDefault(
    seconds({ min: 0.01 }),
    "1",
    "Delay before the first retry, in seconds; doubles up to 30 with jitter, and is reset by success",
  ),
  KUBECONFIG: watching.optional(
    text,
    "Kubeconfig file, or several separated by `:`; supports every auth method of `@kubernetes/client-node`",
    { shownDefault: "in-cluster where there is a service account, else `~/.kube/config`" },
  ),
  SERVICE_ACCOUNT_DIR: watching.withDefault(
    absolutePath,
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "Folder of `token`, `ca.crt` and `namespace`, which make the in-cluster credentials together with `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`",
  ),
  SKIP_TLS_VERIFY: watching.withDefault(boolean, "false", "Do not verify the API server's certificate"),
  DISABLE_X509_STRICT_VERIFICATION: watching.optional(boolean, "Accepted and ignored: old cluster CAs work without it"),

  REQ_URL: telling.optional(httpUrl, "URL to call after files changed", { redact: withoutUrlSecrets }),
  REQ_METHOD: telling.withDefault(oneOf(["GET", "POST"]), "GET", "`GET` or `POST`"),
  REQ_PAYLOAD: telling.optional(text, "JSON body of a POST; text that is not JSON is sent as a JSON string", {
    secret: true,
  }),
  REQ_RETRY_TOTAL: telling.withDefault(count, "5", "Maximum retries of one call; for `*.url` too"),
  REQ_RETRY_CONNECT: telling.withDefault(count, "10", "Maximum retries after connection errors; for `*.url` too"),
  REQ_RETRY_READ: telling.withDefault(count, "5", "Maximum retries after read errors and timeouts; for `*.url` too"),
  REQ_RETRY_BACKOFF_FACTOR: telling.withDefault(factor, "1.1", "Delay before retry n, in seconds: this × 2^(n-1)"),
  REQ_TIMEOUT: telling.withDefault(seconds({ min: 0.1 }), "10", "Seconds to wait for a response"),
  REQ_USERNAME: telling.optional(text, "User name for basic auth"),
  REQ_PASSWORD: telling.optional(text, "Password for basic auth", { secret: true }),
  REQ_USERNAME_FILE: telling.optional(
    text,
    "File with the user name, read at each use; the flag `--req-username-file` takes precedence",
  ),
  REQ_PASSWORD_FILE: telling.optional(
    text,
    "File with the password, read at each use; the flag `--req-password-file` takes precedence",
  ),
  REQ_BASIC_AUTH_ENCODING: telling.withDefault(
    oneOf(["latin1", "utf-8"], { "iso-8859-1": "latin1", "latin-1": "latin1", utf8: "utf-8" }),
    "latin1",
    "Encoding of user name and password: `latin1` or `utf-8`",
  ),
  REQ_SKIP_INIT: telling.withDefault(boolean, "false", "Do not call `REQ_URL` for the first sync"),
  REQ_SKIP_TLS_VERIFY: telling.withDefault(
    boolean,
    "false",
    "Do not verify the certificates of `REQ_URL` and of `*.url` hosts",
  ),
  SCRIPT: telling.optional(
    absolutePath,
    "Script to run after files changed and before `REQ_URL` is called; run by `sh` unless it is executable. `SIDECAR_CHANGED_FILES` is a JSON list of the files",
  ),
  SCRIPT_TIMEOUT: telling.withDefault(seconds({ min: 0.1 }), "60", "Seconds after which the script is killed"),
  NOTIFY_QUIET_PERIOD: telling.withDefault(
    seconds(),
    "0.25",
    "Seconds without a further change before a notification",
  ),
  NOTIFY_MAX_WAIT: telling.withDefault(
    seconds(),
    "5",
    "Maximum delay of a notification after the first change, in seconds",
  ),

  EVENT_LOGGING: events.withDefault(
    boolean,
    "false",
    "Post Events on objects (`kubectl get events`) about files that were written, removed or refused. Needs RBAC `events: create, patch`",
  ),
  FINALIZERS: events.withDefault(
    boolean,
    "false",
    "Put a finalizer on selected objects, so that an object is deleted only after its files are. Needs RBAC `patch`",
  ),
  FINALIZER_NAME: events.withDefault(
    {
      accepts: "a qualified name such as example.com/files",
      parse: (text) =>
        /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?\/[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(text) ? text : undefined,
    },
    "deno-k8s-sidecar/files",
    "Name of the finalizer; must differ between sidecars that select the same objects",
  ),

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
};

/** Hides user info and query values, also of text that is not a URL. */
function withoutUrlSecrets(text: string): string {
  // A password with an unescaped "/" or "?" makes the text no valid URL
  return text.replace(/^([^/]*\/\/)?.*@/s, "$1***@").replace(/([?&][^=&]*=)[^&]*/g, "$1***");
}

export type SettingName = keyof typeof SETTINGS;

/** The value of every setting, typed by its row of the table. */
export type SettingValues = { [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never };
