import assert from "node:assert/strict";
import { faultOf, readSettings } from "../../lib/config/read_settings.ts";
import type { Setting } from "../../lib/config/setting.ts";
import { type SettingName, SETTINGS, type SettingValues } from "../../lib/config/settings.ts";

const ROWS = Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];

/** For every variable: its default, a text that is understood, that text's value, and one that is not understood. */
const CASES: {
  [N in SettingName]: [byDefault: SettingValues[N], text: string, value: SettingValues[N], bad?: string];
} = {
  LABEL: [undefined, "app in (a,b),!draft", "app in (a,b),!draft"],
  LABEL_VALUE: [undefined, "1", "1"],
  NAMESPACE: ["ALL", "one, two,one", ["one", "two"], "One"],
  RESOURCE: ["both", "SECRET", "secret", "secrets"],
  RESOURCE_NAME: [
    undefined,
    "a,configmap/b,ns/Secret/c.d",
    ["a", "configmap/b", "ns/Secret/c.d"],
    "pod/a",
  ],
  NAMESPACE_SELECTOR: [undefined, " team in (a,b)", "team in (a,b)", "team in"],
  NAMESPACE_EXCLUDE: [undefined, "kube-*, test", ["kube-*", "test"], "Kube"],
  DEFAULTS: ["kopf", "KiwiGrid", "kiwigrid", "kiwi"],
  CONFIG_FILE: [undefined, "/config.yaml", "/config.yaml"],
  FOLDER: [undefined, "relative/too", "relative/too"],
  FOLDER_ANNOTATION: ["k8s-sidecar-target-directory", "grafana_folder", "grafana_folder"],
  ALLOWED_FOLDERS: [undefined, "/a, /b", ["/a", "/b"], "/a,b"],
  DEFAULT_FILE_MODE: [0o644, "0600", 0o600, "999"],
  UNIQUE_FILENAMES: [false, "True", true, "1"],
  MAX_FILES_PER_OBJECT: [5000, "100", 100, "0"],
  ENABLE_5XX: [false, "true", true, "yes"],
  URL_MAX_BYTES: [64 * 2 ** 20, "1Ki", 1024, "1KB"],
  URL_MAX_BYTES_PER_OBJECT: [256 * 2 ** 20, "0", Infinity, "-1"],
  URL_MAX_BYTES_TOTAL: [2 ** 30, "2Gi", 2 ** 31, "none"],
  URL_ALLOWED_HOSTS: [undefined, "a.b, *.c:80,10.0.0.0/8", ["a.b", "*.c:80", "10.0.0.0/8"], "http://a"],
  URL_TIMEOUT: [60, "2.5", 2.5, "0"],
  URL_MAX_OPEN: [4, "1", 1, "0"],
  RESYNC_PERIOD: [600, "0", 0, "-1"],
  CHECK_PERIOD: [60, "0", 0, "-1"],
  FOLDER_PER_NAMESPACE: [false, "true", true, "yes"],
  COLLISIONS: ["oldest", "Newest", "newest", "first"],
  REMOVE_DELAY: [0, "2.5", 2.5, "-1"],
  ATOMIC_WRITES: [true, "false", false, "no"],
  DECOMPRESS: [false, "true", true, "gzip"],
  STATE_FILE: [undefined, "/state", "/state", "state"],
  IGNORE_ALREADY_PROCESSED: [undefined, "true", true, "maybe"],
  METHOD: ["WATCH", "list", "LIST", "POLL"],
  SLEEP_TIME: [60, "0.5", 0.5, "0"],
  WATCH_SERVER_TIMEOUT: [600, "60", 60, "0"],
  WATCH_CLIENT_TIMEOUT: [660, "66.5", 66.5, "1m"],
  ERROR_THROTTLE_SLEEP: [1, "5", 5, "0"],
  KUBECONFIG: [undefined, "/a:/b", "/a:/b"],
  SERVICE_ACCOUNT_DIR: ["/var/run/secrets/kubernetes.io/serviceaccount", "/sa", "/sa", "sa"],
  SKIP_TLS_VERIFY: [false, "TRUE", true, "on"],
  DISABLE_X509_STRICT_VERIFICATION: [undefined, "false", false, "no"],
  REQ_URL: [undefined, "http://localhost/reload", "http://localhost/reload", "localhost/reload"],
  REQ_METHOD: ["GET", "post", "POST", "PUT"],
  REQ_PAYLOAD: [undefined, '{"a":1}', '{"a":1}'],
  REQ_RETRY_TOTAL: [5, "0", 0, "-1"],
  REQ_RETRY_CONNECT: [10, "3", 3, "3.5"],
  REQ_RETRY_READ: [5, "3", 3, "three"],
  REQ_RETRY_BACKOFF_FACTOR: [1.1, "0.5", 0.5, "fast"],
  REQ_TIMEOUT: [10, "2.5", 2.5, "0"],
  REQ_USERNAME: [undefined, "admin", "admin"],
  REQ_PASSWORD: [undefined, " with blanks ", " with blanks "],
  REQ_USERNAME_FILE: [undefined, "/user", "/user"],
  REQ_PASSWORD_FILE: [undefined, "/password", "/password"],
  REQ_BASIC_AUTH_ENCODING: ["latin1", "UTF8", "utf-8", "ascii"],
  REQ_TOKEN_FILE: [undefined, "/token", "/token"],
  REQ_HEADERS: [undefined, '{"X-Scope-OrgID":"1"}', { "X-Scope-OrgID": "1" }, '{"a b":"1"}'],
  REQ_CA_FILE: [undefined, "/ca.crt", "/ca.crt"],
  NETRC: [undefined, "/netrc", "/netrc"],
  REQ_SKIP_INIT: [false, "true", true, "init"],
  REQ_SKIP_TLS_VERIFY: [false, "true", true, "tls"],
  SCRIPT: [undefined, "/script.sh", "/script.sh", "script.sh"],
  SCRIPT_TIMEOUT: [60, "5", 5, "0"],
  NOTIFY_QUIET_PERIOD: [0.25, "0", 0, "soon"],
  NOTIFY_MAX_WAIT: [5, "10", 10, "-5"],
  EVENT_LOGGING: [false, "true", true, "info"],
  FINALIZERS: [false, "true", true, "kopf"],
  FINALIZER_NAME: ["deno-k8s-sidecar/files", "example.com/Files", "example.com/Files", "files"],
  LIVENESS: [true, "FALSE", false, "off"],
  HEALTH_PORT: [8080, "8081", 8081, "http"],
  HEALTH_HOST: [undefined, "[::1]", "::1"],
  STATUS_PAGE: ["local", "ALL", "all", "everybody"],
  K8S_CONTACT_THRESHOLD_SECONDS: [undefined, "300", 300, "0"],
  VERBOSE: [false, "true", true, "very"],
  DEBUG: [false, "true", true, "2"],
  LOG_LEVEL: [undefined, "warning", "WARN", "TRACE"],
  LOG_FORMAT: [undefined, "logfmt", "LOGFMT", "XML"],
  LOG_TZ: ["LOCAL", "utc", "UTC", "CET"],
  LOG_CONFIG: [undefined, "/log.yaml", "/log.yaml"],
};

for (const [name, [byDefault, text, value, bad]] of Object.entries(CASES)) {
  Deno.test(`readSettings() knows ${name}: its default, its value, and what it does not accept`, () => {
    const read = (given: string) => readSettings({ [name]: given });
    const valueOf = (given: string) => read(given).values[name as SettingName];
    assert.deepEqual(readSettings({}).values[name as SettingName], byDefault);
    assert.deepEqual(valueOf(""), byDefault, "an empty string means unset");
    assert.deepEqual([valueOf(text), read(text).faults], [value, []]);
    if (bad === undefined) return;
    const row: Setting<unknown> = SETTINGS[name as SettingName];
    const shown = row.secret ? " (value not shown)" : `=${JSON.stringify(bad)}`;
    const message = `${name}${shown}: expected ${row.type.accepts}`;
    assert.deepEqual(read(bad).faults, [{ setting: name, message }]);
    assert.deepEqual(valueOf(bad), byDefault, "a fault leaves the default");
  });
}

Deno.test("every setting with a type is tested with a wrong value", () => {
  const untested = ROWS.filter(([name, { type }]) => type.accepts !== "any text" && CASES[name][3] === undefined);
  assert.deepEqual(untested, []);
});

Deno.test("readSettings() has kiwigrid's defaults under DEFAULTS=kiwigrid", () => {
  const kopf = readSettings({}).values;
  const kiwigrid = readSettings({ DEFAULTS: "kiwigrid" }).values;
  const differing = ROWS.map(([name]) => name).filter((name) => name !== "DEFAULTS" && kopf[name] !== kiwigrid[name]);
  assert.deepEqual(Object.fromEntries(differing.map((name) => [name, kiwigrid[name]])), {
    NAMESPACE: undefined,
    RESOURCE: "configmap",
    WATCH_SERVER_TIMEOUT: 60,
    WATCH_CLIENT_TIMEOUT: 66,
    COLLISIONS: "newest",
    LOG_FORMAT: "JSON",
  });
  const given = { NAMESPACE: "ALL", RESOURCE: "both", WATCH_SERVER_TIMEOUT: "600", LOG_FORMAT: "TEXT" };
  const { values } = readSettings({ DEFAULTS: "kiwigrid", ...given });
  assert.deepEqual(
    [values.NAMESPACE, values.RESOURCE, values.WATCH_SERVER_TIMEOUT, values.LOG_FORMAT],
    ["ALL", "both", 600, "TEXT"],
  );
});

Deno.test("readSettings() reads HEALTHCHECK_PORT when HEALTH_PORT is not set", () => {
  const portOf = (env: Record<string, string>) => readSettings(env).values.HEALTH_PORT;
  assert.equal(portOf({ HEALTHCHECK_PORT: "9000" }), 9000);
  assert.equal(portOf({ HEALTHCHECK_PORT: "9000", HEALTH_PORT: "" }), 9000);
  assert.equal(portOf({ HEALTHCHECK_PORT: "9000", HEALTH_PORT: "9001" }), 9001);
  const [fault] = readSettings({ HEALTHCHECK_PORT: "x" }).faults;
  assert.equal(fault?.message, 'HEALTHCHECK_PORT="x": expected a port from 1 to 65535');
});

Deno.test("readSettings() takes ALL among other namespaces for ALL, with a warning", () => {
  const { values, faults, warnings } = readSettings({ NAMESPACE: " team-a , ALL" });
  assert.deepEqual([values.NAMESPACE, faults], ["ALL", []]);
  assert.deepEqual(warnings, ['NAMESPACE=" team-a , ALL": ALL includes the other namespaces']);
  assert.deepEqual(readSettings({ NAMESPACE: " ALL , " }).warnings, []);
});

Deno.test("readSettings() takes a service link for unset, in every setting but a URL", () => {
  for (const [name, row] of ROWS) {
    for (
      const [link, spelling] of [["tcp://10.96.12.34:80", name], ["udp://[fd00::1]:53", row.alias ?? name]] as const
    ) {
      const { values, faults, warnings } = readSettings({ [spelling]: link });
      assert.deepEqual(values[name], CASES[name][0], name);
      if (row.type.isUrl) {
        assert.deepEqual([faults.length, warnings], [1, []], name);
        continue;
      }
      assert.deepEqual([faults, warnings.length], [[], 1], name);
      const shown = row.secret ? "(value not shown): " : `="${link}": `;
      assert.match(warnings[0]!, new RegExp(`^${spelling} ?${RegExp.escape(shown)}Kubernetes set this to the address`));
    }
  }
});

Deno.test("readSettings() reads an alias when the name holds a service link", () => {
  const env = { HEALTH_PORT: "tcp://10.96.12.34:80", HEALTHCHECK_PORT: "9000" };
  const { values, warnings } = readSettings(env);
  assert.deepEqual([values.HEALTH_PORT, warnings.length], [9000, 1]);
  assert.deepEqual(readSettings({ ...env, HEALTHCHECK_PORT: "sctp://10.96.12.34:81" }).warnings.length, 2);
  assert.deepEqual(readSettings({ HEALTH_PORT: "9001", HEALTHCHECK_PORT: "tcp://10.96.12.34:80" }).warnings, []);
});

/** Values that kiwigrid's image starts with, and what we make of them under DEFAULTS=kiwigrid. */
const TOLERATED: { [N in SettingName]?: Record<string, SettingValues[N]> } = {
  METHOD: { file: "WATCH", POLL: "WATCH" },
  UNIQUE_FILENAMES: { yes: false, "1": false },
  ENABLE_5XX: { on: false },
  FOLDER_PER_NAMESPACE: { yes: false },
  IGNORE_ALREADY_PROCESSED: { "1": false },
  REQ_SKIP_INIT: { "1": false },
  REQ_SKIP_TLS_VERIFY: { "1": false },
  SKIP_TLS_VERIFY: { yes: false },
  DISABLE_X509_STRICT_VERIFICATION: { "1": false },
  LIVENESS: { "1": true },
  VERBOSE: { "1": false },
  DEBUG: { "*": false },
  DEFAULT_FILE_MODE: { "rw-r--r--": 0o644, "0x1ff": 0o644, "999": 0o644 },
  SLEEP_TIME: { "1m": 60, "0": 60 },
  ERROR_THROTTLE_SLEEP: { "5s": 1 },
  WATCH_SERVER_TIMEOUT: { "0": 60, "60.5": 60 },
  WATCH_CLIENT_TIMEOUT: { "1m": 66 },
  REQ_METHOD: { PUT: "GET" },
  SCRIPT: { "script.sh": undefined },
  REQ_RETRY_TOTAL: { "+3": 3, "1_0": 10, "-1": 5 },
  REQ_RETRY_CONNECT: { "+3": 3, "-1": 10 },
  REQ_RETRY_READ: { " +3 ": 3, "-1": 5 },
  REQ_RETRY_BACKOFF_FACTOR: { "5e-1": 0.5, ".5": 0.5, inf: 1.1 },
  REQ_TIMEOUT: { "1e2": 100, "5.": 5, "0": 10, nan: 10 },
  REQ_BASIC_AUTH_ENCODING: { ascii: "latin1" },
  HEALTH_PORT: { http: 8080, "0": 8080 },
  K8S_CONTACT_THRESHOLD_SECONDS: { "0": undefined, "+90": 90 },
  LOG_LEVEL: { TRACE: undefined },
  LOG_FORMAT: { plain: "JSON" },
  LOG_TZ: { CET: "LOCAL" },
};

for (const [name, row] of ROWS.filter(([, { kiwigridReads }]) => kiwigridReads !== undefined)) {
  Deno.test(`readSettings() only warns about ${name} where kiwigrid's image starts`, () => {
    const cases = Object.entries(TOLERATED[name] ?? {});
    assert.ok(cases.length > 0, "no case");
    for (const [text, value] of cases) {
      const { values, faults, warnings } = readSettings({ DEFAULTS: "kiwigrid", [name]: text });
      assert.deepEqual([values[name], faults], [value, []], text);
      assert.equal(warnings.length, 1, text);
      const start = `${name}=${
        JSON.stringify(text)
      }: expected ${row.type.accepts}. With DEFAULTS=kiwigrid this is no fault: `;
      assert.ok(warnings[0]?.startsWith(start), warnings.join("\n"));
      assert.equal(readSettings({ [name]: text }).faults.length, 1, `${text} is a fault with other defaults`);
    }
  });
}

Deno.test("readSettings() names the value that is used in place of another", () => {
  const used = (env: Record<string, string>) =>
    readSettings({ DEFAULTS: "kiwigrid", ...env }).warnings.map((warning) => warning.replace(/.* no fault: /, ""));
  assert.deepEqual(used({ METHOD: "file" }), ["the default, WATCH, is used"]);
  assert.deepEqual(used({ REQ_TIMEOUT: "1e2" }), ["100 is used"]);
  assert.deepEqual(used({ UNIQUE_FILENAMES: "yes" }), ["false is used"]);
  assert.deepEqual(used({ SCRIPT: "script.sh" }), ["the default, none, is used"]);
  assert.deepEqual(used({ LOG_LEVEL: "TRACE" }), ["the default, INFO, is used"]);
  assert.deepEqual(used({ WATCH_CLIENT_TIMEOUT: "1m" }), ["the default, 66, is used"]);
});

Deno.test("readSettings() refuses what kiwigrid's image refuses, and what a default would open", () => {
  const wrong = {
    RESOURCE: "secrets",
    NAMESPACE: "One",
    REQ_URL: "tcp://10.96.12.34:80",
    REQ_RETRY_TOTAL: "five",
    REQ_TIMEOUT: "10s",
    DEFAULT_FILE_MODE: "00600",
    COLLISIONS: "first",
    FINALIZERS: "yes",
  };
  const { faults } = readSettings({ DEFAULTS: "kiwigrid", ...wrong });
  assert.deepEqual(new Set(faults.map(({ setting }) => setting)), new Set(Object.keys(wrong)));
});

Deno.test("every default is itself understood", () => {
  for (const [name, row] of ROWS) {
    for (const text of [row.default, row.kiwigrid]) {
      if (text) assert.notEqual(row.type.parse(text), undefined, `${name}=${text}`);
    }
  }
});

Deno.test("faultOf() shortens the value and hides a secret", () => {
  assert.equal(faultOf("METHOD", 'a"b\n', "expected x").message, 'METHOD="a\\"b\\n": expected x');
  assert.equal(faultOf("METHOD", "x".repeat(300), "no").message, `METHOD="${"x".repeat(200)}…": no`);
  assert.equal(faultOf("REQ_PASSWORD", "geheim", "no", true).message, "REQ_PASSWORD (value not shown): no");
});
