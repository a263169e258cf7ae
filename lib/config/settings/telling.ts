/** The settings of the section "Telling the application". */
import { anyAsDefault, anyAsFalse, pythonFloat, pythonInteger } from "../kiwigrid_values.ts";
import { absolutePath, boolean, count, factor, httpUrl, jsonHeaders, oneOf, seconds, text } from "../setting_types.ts";
import { inSection } from "../setting.ts";

const telling = inSection("Telling the application");

export const TELLING_SETTINGS = {
  REQ_URL: telling.optional(httpUrl, "URL to call after files changed", {
    key: "notify.webhook.url",
    redact: withoutUrlSecrets,
  }),
  REQ_METHOD: telling.withDefault(oneOf(["GET", "POST"]), "GET", "`GET` or `POST`", {
    key: "notify.webhook.method",
    kiwigridReads: anyAsDefault,
  }),
  REQ_PAYLOAD: telling.optional(text, "JSON body of a POST; text that is not JSON is sent as a JSON string", {
    key: "notify.webhook.payload",
    form: "json",
    secret: true,
  }),
  REQ_RETRY_TOTAL: telling.withDefault(
    count,
    "5",
    "Maximum retries of one call while `REQ_URL` is unavailable (no connection; 408, 429, 502, 503, 504), and of one download of a `*.url` key",
    { key: "notify.webhook.retry.total", kiwigridReads: pythonInteger },
  ),
  REQ_RETRY_CONNECT: telling.withDefault(
    count,
    "10",
    "Maximum retries after connection errors, within `REQ_RETRY_TOTAL`; for `*.url` too",
    { key: "notify.webhook.retry.connect", kiwigridReads: pythonInteger },
  ),
  REQ_RETRY_READ: telling.withDefault(
    count,
    "5",
    "Maximum retries after a connection that broke before the answer, within `REQ_RETRY_TOTAL`; for `*.url` after timeouts, too",
    { key: "notify.webhook.retry.read", kiwigridReads: pythonInteger },
  ),
  REQ_RETRY_BACKOFF_FACTOR: telling.withDefault(factor, "1.1", "Delay before retry n, in seconds: this × 2^(n-1)", {
    key: "notify.webhook.retry.backoffFactor",
    kiwigridReads: pythonFloat,
  }),
  REQ_TIMEOUT: telling.withDefault(
    seconds({ min: 0.1 }),
    "10",
    "Seconds to wait for a response. A call of `REQ_URL` that was sent is not repeated after that time: it stays open for up to 5 minutes",
    { key: "notify.webhook.timeout", kiwigridReads: pythonFloat },
  ),
  REQ_USERNAME: telling.optional(text, "User name for basic auth", {
    key: "notify.webhook.basicAuth.username",
    form: "textOrReference",
  }),
  REQ_PASSWORD: telling.optional(text, "Password for basic auth", {
    key: "notify.webhook.basicAuth.password",
    form: "reference",
    secret: true,
  }),
  REQ_USERNAME_FILE: telling.optional(
    text,
    "File with the user name, read at each use; `REQ_USERNAME` is used while it cannot be read. The flag `--req-username-file` takes precedence",
    { key: "notify.webhook.basicAuth.username.file" },
  ),
  REQ_PASSWORD_FILE: telling.optional(
    text,
    "File with the password, read at each use; `REQ_PASSWORD` is used while it cannot be read. The flag `--req-password-file` takes precedence",
    { key: "notify.webhook.basicAuth.password.file" },
  ),
  REQ_BASIC_AUTH_ENCODING: telling.withDefault(
    oneOf(["latin1", "utf-8"], { "iso-8859-1": "latin1", "latin-1": "latin1", utf8: "utf-8" }),
    "latin1",
    "Encoding of user name and password: `latin1` or `utf-8`",
    { key: "notify.webhook.basicAuth.encoding", kiwigridReads: anyAsDefault },
  ),
  REQ_SKIP_INIT: telling.withDefault(boolean, "false", "Do not call `REQ_URL` for the first sync", {
    key: "notify.onFirstSync",
    form: "negated",
    kiwigridReads: anyAsFalse,
  }),
  REQ_SKIP_TLS_VERIFY: telling.withDefault(
    boolean,
    "false",
    "Do not verify the certificates of `REQ_URL` and of `*.url` hosts",
    { key: "notify.webhook.tls.skipVerify", kiwigridReads: anyAsFalse },
  ),
  SCRIPT: telling.optional(
    absolutePath,
    "Script to run after files changed and before `REQ_URL` is called; run by `sh` unless it is executable. `SIDECAR_CHANGED_FILES` is a JSON list of the files. `REQ_URL` is called even if it fails",
    { key: "notify.script.path", kiwigridReads: anyAsDefault },
  ),
  SCRIPT_TIMEOUT: telling.withDefault(seconds({ min: 0.1 }), "60", "Seconds after which the script is killed", {
    key: "notify.script.timeout",
  }),
  NOTIFY_QUIET_PERIOD: telling.withDefault(
    seconds(),
    "0.25",
    "Seconds without a further change before a notification",
    { key: "notify.quietPeriod" },
  ),
  NOTIFY_MAX_WAIT: telling.withDefault(
    seconds(),
    "5",
    "Maximum delay of a notification after the first change, in seconds",
    { key: "notify.maxWait" },
  ),
  REQ_TOKEN_FILE: telling.optional(
    text,
    "File with a bearer token for `REQ_URL`, read at each use. Takes precedence over basic auth; an `Authorization` in `REQ_HEADERS` takes precedence over both",
    { key: "notify.webhook.bearer.file" },
  ),
  REQ_HEADERS: telling.optional(
    jsonHeaders,
    "More headers for `REQ_URL`, as a JSON object of strings",
    { key: "notify.webhook.headers", secret: true },
  ),
  REQ_CA_FILE: telling.optional(
    text,
    "PEM file with CAs to trust for `REQ_URL` and `*.url`, besides the system's. `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE` are used, too",
    { key: "notify.webhook.tls.caFile" },
  ),
  NETRC: telling.optional(
    text,
    "netrc file with credentials for `REQ_URL`, unless it has others, and for the hosts of `*.url` keys",
    { key: "urls.netrc" },
  ),
};

/** Hides user info and query values, even in text that is not a valid URL. */
function withoutUrlSecrets(text: string): string {
  // A password with an unescaped "/" or "?" makes the text no valid URL
  return text.replace(/^([^/]*\/\/)?.*@/s, "$1***@").replace(/([?&][^=&]*=)[^&]*/g, "$1***");
}
