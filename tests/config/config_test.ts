import assert from "node:assert/strict";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import type { Collection, Flags } from "../../lib/config/collection_settings.ts";

const MINIMAL = { LABEL: "app", FOLDER: "/files" };

function configOf(env: Record<string, string>, flags: Flags = {}): Config {
  const { config, faults } = parseConfig({ ...MINIMAL, ...env }, flags);
  assert.deepEqual(faults, []);
  return config;
}

function collectionOf(env: Record<string, string>): Collection {
  return configOf(env).collections[0]!;
}

function faultsOf(env: Record<string, string>): string[] {
  return parseConfig(env).faults.map(({ message }) => message);
}

Deno.test("parseConfig() needs LABEL and FOLDER only", () => {
  assert.deepEqual(configOf({}), {
    method: "WATCH",
    collections: [{
      name: "default",
      onRemove: "delete",
      sharedFolder: false,
      selection: {
        labelSelector: "app",
        names: [],
        kinds: ["ConfigMap", "Secret"],
        namespaces: "ALL",
        namespaceExclude: [],
      },
      files: {
        folder: "/files",
        folderAnnotation: "k8s-sidecar-target-directory",
        allowedFolders: [],
        allowsVolume: false,
        folderPerNamespace: false,
        collisions: "oldest",
        removeDelay: 0,
        atomicWrites: true,
        decompress: false,
        mode: 0o644,
        uniqueFilenames: false,
        maxFilesPerObject: 5000,
        urlMaxBytes: 64 * 2 ** 20,
        urlMaxBytesPerObject: 256 * 2 ** 20,
        urlMaxBytesTotal: 2 ** 30,
        enable5xx: false,
      },
      notification: { quietPeriod: 0.25, maxWait: 5, skipInit: false },
      requests: {
        retry: { total: 5, connect: 10, read: 5, backoffFactor: 1.1 },
        timeout: 10,
        encoding: "latin1",
        headers: {},
        headerFiles: {},
        caFiles: [],
        skipTlsVerify: false,
        urlTimeout: 60,
        urlMaxOpen: 4,
      },
    }],
    events: false,
    finalizerName: "deno-k8s-sidecar/files",
    watch: {
      serverTimeout: 600,
      clientTimeout: 660,
      firstBackoff: 1,
      resyncPeriod: 600,
      checkPeriod: 60,
      sleepTime: 60,
    },
    api: { serviceAccountDir: "/var/run/secrets/kubernetes.io/serviceaccount", skipTlsVerify: false },
    health: { enabled: true, port: 8080, statusPage: "local" },
    log: { level: "INFO", levelIsSet: false, utc: false, apiRequests: false },
    startsLikeKiwigrid: false,
    warnings: [],
  });
});

Deno.test("parseConfig() wants NAMESPACE=ALL beside NAMESPACE_SELECTOR", () => {
  const env = { LABEL: "app", FOLDER: "/f", NAMESPACE_SELECTOR: "team=x" };
  assert.equal(configOf(env).collections[0]?.selection.namespaceSelector, "team=x");
  for (const more of [{ NAMESPACE: "a,b" }, { DEFAULTS: "kiwigrid" }]) {
    const { faults } = parseConfig({ ...env, ...more });
    assert.deepEqual(faults.map(({ message }) => message), [
      'NAMESPACE_SELECTOR="team=x": expected NAMESPACE=ALL beside it',
    ]);
  }
  assert.deepEqual(parseConfig({ ...env, DEFAULTS: "kiwigrid", NAMESPACE: "ALL" }).faults, []);
});

Deno.test("parseConfig() warns of limits of downloads below URL_MAX_BYTES", () => {
  const env = { LABEL: "app", FOLDER: "/f", URL_MAX_BYTES: "512Mi" };
  assert.match(configOf(env).warnings.join("\n"), /^URL_MAX_BYTES_PER_OBJECT is less than URL_MAX_BYTES: .*$/);
  assert.deepEqual(configOf({ ...env, URL_MAX_BYTES_PER_OBJECT: "0" }).warnings, []);
});

Deno.test("parseConfig() warns of REMOVE_DELAY with FINALIZERS", () => {
  const env = { LABEL: "app", FOLDER: "/f", REMOVE_DELAY: "5" };
  assert.deepEqual(configOf(env).warnings, []);
  assert.match(configOf({ ...env, FINALIZERS: "true" }).warnings.join(), /^REMOVE_DELAY has no effect with FINALIZERS/);
});

Deno.test("parseConfig() puts every setting in its place", () => {
  const env = {
    LABEL_VALUE: "1",
    NAMESPACE: "a,b",
    RESOURCE: "secret",
    FOLDER_ANNOTATION: "dir",
    ALLOWED_FOLDERS: "/x",
    DEFAULT_FILE_MODE: "600",
    UNIQUE_FILENAMES: "true",
    MAX_FILES_PER_OBJECT: "100",
    ENABLE_5XX: "true",
    URL_MAX_BYTES: "1Mi",
    URL_MAX_BYTES_PER_OBJECT: "10Mi",
    URL_MAX_BYTES_TOTAL: "0",
    URL_ALLOWED_HOSTS: "example.com",
    URL_TIMEOUT: "30",
    URL_MAX_OPEN: "2",
    RESYNC_PERIOD: "0",
    CHECK_PERIOD: "30",
    STATE_FILE: "none",
    METHOD: "sleep",
    SLEEP_TIME: "5",
    WATCH_SERVER_TIMEOUT: "60",
    WATCH_CLIENT_TIMEOUT: "66",
    ERROR_THROTTLE_SLEEP: "2",
    KUBECONFIG: "/kube",
    SERVICE_ACCOUNT_DIR: "/sa",
    SKIP_TLS_VERIFY: "true",
    REQ_URL: "http://localhost/reload",
    REQ_METHOD: "POST",
    REQ_PAYLOAD: "x",
    REQ_RETRY_TOTAL: "1",
    REQ_RETRY_CONNECT: "2",
    REQ_RETRY_READ: "3",
    REQ_RETRY_BACKOFF_FACTOR: "4",
    REQ_TIMEOUT: "6",
    REQ_USERNAME: "user",
    REQ_PASSWORD: "password",
    REQ_USERNAME_FILE: "/user",
    REQ_PASSWORD_FILE: "/password",
    REQ_BASIC_AUTH_ENCODING: "utf-8",
    REQ_SKIP_INIT: "true",
    REQ_SKIP_TLS_VERIFY: "true",
    SCRIPT: "/script",
    SCRIPT_TIMEOUT: "7",
    NOTIFY_QUIET_PERIOD: "8",
    NOTIFY_MAX_WAIT: "9",
    EVENT_LOGGING: "true",
    FINALIZERS: "true",
    FINALIZER_NAME: "a/b",
    LIVENESS: "false",
    HEALTH_PORT: "81",
    HEALTH_HOST: "::1",
    STATUS_PAGE: "none",
    NAMESPACE_EXCLUDE: "c",
    FOLDER_PER_NAMESPACE: "true",
    COLLISIONS: "newest",
    REMOVE_DELAY: "6",
    ATOMIC_WRITES: "false",
    DECOMPRESS: "true",
    REQ_TOKEN_FILE: "/token",
    REQ_HEADERS: '{"a":"b"}',
    REQ_CA_FILE: "/ca",
    REQUESTS_CA_BUNDLE: "/bundle",
    SSL_CERT_FILE: "/certs",
    NETRC: "/netrc",
    K8S_CONTACT_THRESHOLD_SECONDS: "5",
    LOG_LEVEL: "ERROR",
    LOG_FORMAT: "TEXT",
    LOG_TZ: "UTC",
    LOG_CONFIG: "/log",
  };
  assert.deepEqual(configOf(env), {
    method: "SLEEP",
    collections: [{
      name: "default",
      onRemove: "delete",
      sharedFolder: false,
      selection: {
        labelSelector: "app=1",
        names: [],
        kinds: ["Secret"],
        namespaces: ["a", "b"],
        namespaceExclude: ["c"],
      },
      files: {
        folder: "/files",
        folderAnnotation: "dir",
        allowedFolders: ["/x"],
        allowsVolume: false,
        folderPerNamespace: true,
        collisions: "newest",
        removeDelay: 6,
        atomicWrites: false,
        decompress: true,
        mode: 0o600,
        uniqueFilenames: true,
        maxFilesPerObject: 100,
        stateFile: "none",
        urlMaxBytes: 2 ** 20,
        urlMaxBytesPerObject: 10 * 2 ** 20,
        urlMaxBytesTotal: Infinity,
        enable5xx: true,
      },
      notification: {
        quietPeriod: 8,
        maxWait: 9,
        skipInit: true,
        webhook: { url: "http://localhost/reload", method: "POST", payload: "x" },
        script: { path: "/script", timeout: 7 },
      },
      requests: {
        retry: { total: 1, connect: 2, read: 3, backoffFactor: 4 },
        timeout: 6,
        username: "user",
        password: "password",
        usernameFile: "/user",
        passwordFile: "/password",
        encoding: "utf-8",
        tokenFile: "/token",
        headers: { a: "b" },
        headerFiles: {},
        caFiles: ["/ca", "/bundle", "/certs"],
        netrc: "/netrc",
        skipTlsVerify: true,
        urlAllowedHosts: ["example.com"],
        urlTimeout: 30,
        urlMaxOpen: 2,
      },
    }],
    events: true,
    finalizer: "a/b",
    finalizerName: "a/b",
    watch: { serverTimeout: 60, clientTimeout: 66, firstBackoff: 2, resyncPeriod: 0, checkPeriod: 30, sleepTime: 5 },
    api: { kubeconfig: "/kube", serviceAccountDir: "/sa", skipTlsVerify: true },
    health: { enabled: false, port: 81, host: "::1", statusPage: "none", contactThreshold: 5 },
    log: { level: "ERROR", levelIsSet: true, format: "TEXT", utc: true, apiRequests: false, configFile: "/log" },
    startsLikeKiwigrid: false,
    warnings: [
      "REMOVE_DELAY has no effect with FINALIZERS: an object exists until its files are removed. Set one of them",
    ],
  });
});

Deno.test("parseConfig() is about the pod's own namespace and ConfigMaps under DEFAULTS=kiwigrid", () => {
  const { selection } = collectionOf({ DEFAULTS: "kiwigrid" });
  assert.deepEqual([selection.namespaces, selection.kinds], ["OWN", ["ConfigMap"]]);
});

Deno.test("parseConfig() takes what it accepts and does not need", () => {
  assert.deepEqual(
    configOf({ IGNORE_ALREADY_PROCESSED: "true", DISABLE_X509_STRICT_VERIFICATION: "true" }),
    configOf({}),
  );
});

Deno.test("parseConfig() prefers LOG_LEVEL to VERBOSE and DEBUG", () => {
  const levelOf = (env: Record<string, string>) => {
    const { level, levelIsSet, apiRequests } = configOf(env).log;
    return [level, levelIsSet, apiRequests];
  };
  assert.deepEqual(levelOf({ VERBOSE: "true" }), ["DEBUG", true, false]);
  assert.deepEqual(levelOf({ DEBUG: "true" }), ["DEBUG", true, true]);
  assert.deepEqual(levelOf({ DEBUG: "true", LOG_LEVEL: "warn" }), ["WARN", true, true]);
  assert.deepEqual(levelOf({ VERBOSE: "false" }), ["INFO", false, false]);
});

Deno.test("parseConfig() prefers flags to variables", () => {
  const env = { REQ_USERNAME_FILE: "/env/user", REQ_PASSWORD_FILE: "/env/password" };
  const { requests } = configOf(env, { reqPasswordFile: "/flag/password" }).collections[0]!;
  assert.deepEqual([requests.usernameFile, requests.passwordFile], ["/env/user", "/flag/password"]);
});

Deno.test("parseConfig() makes the label selector from LABEL and LABEL_VALUE", () => {
  const selectorOf = (env: Record<string, string>) => collectionOf(env).selection.labelSelector;
  assert.equal(selectorOf({ LABEL: "grafana.com/dashboard" }), "grafana.com/dashboard");
  assert.equal(selectorOf({ LABEL: "a", LABEL_VALUE: "1" }), "a=1");
  assert.equal(selectorOf({ LABEL: "a", LABEL_VALUE: "" }), "a");
  assert.equal(selectorOf({ LABEL: "app in (a,b),!draft" }), "app in (a,b),!draft");
  assert.equal(selectorOf({ LABEL: "app in (a,b),tier", LABEL_VALUE: "x" }), "app in (a,b),tier=x");
  assert.equal(selectorOf({ LABEL: " !draft, x.io/tier ", LABEL_VALUE: " x " }), "!draft, x.io/tier=x");
});

Deno.test("parseConfig() joins LABEL and any LABEL_VALUE as kiwigrid does", () => {
  const selectorOf = (LABEL_VALUE: string) =>
    collectionOf({ DEFAULTS: "kiwigrid", LABEL_VALUE }).selection.labelSelector;
  assert.equal(selectorOf("1,b"), "app=1,b");
  assert.equal(selectorOf("1,env in (a,b)"), "app=1,env in (a,b)");
  const [fault] = faultsOf({ ...MINIMAL, DEFAULTS: "kiwigrid", LABEL_VALUE: "b c" });
  assert.match(fault!, /^LABEL_VALUE="b c": expected a label value/);
});

Deno.test("parseConfig() selects by name when RESOURCE_NAME is set", () => {
  const { faults, config } = parseConfig({ FOLDER: "/f", RESOURCE_NAME: "a,ConfigMaps/b,team/secret/c.d" });
  assert.deepEqual(faults, []);
  const { labelSelector, names } = config.collections[0]!.selection;
  assert.equal(labelSelector, undefined);
  assert.deepEqual(names, [
    { name: "a" },
    { name: "b", kind: "ConfigMap" },
    { name: "c.d", kind: "Secret", namespace: "team" },
  ]);
});

Deno.test("parseConfig() reports what is missing or wrong in a selection", () => {
  assert.deepEqual(faultsOf({}), [
    "LABEL is required: the label key to select by",
    "FOLDER is required: the folder that files are written to",
  ]);
  assert.deepEqual(faultsOf({ LABEL: "", FOLDER: "" }), faultsOf({}));
  const wrong: [env: Record<string, string>, message: RegExp][] = [
    [{ LABEL: "a in (" }, /^LABEL="a in \(": expected a label key or selector; ./],
    [{ LABEL: "not a key" }, /^LABEL="not a key": expected a label key or selector; ./],
    [{ LABEL: "a", LABEL_VALUE: "b c" }, /^LABEL_VALUE="b c": expected a label value/],
    [{ LABEL: "!a", LABEL_VALUE: "1" }, /^LABEL="!a": expected a label key, or a selector that ends in one, because /],
    [{ LABEL: "a,b=c", LABEL_VALUE: "1" }, /^LABEL="a,b=c": expected a label key, or .* because LABEL_VALUE is set$/],
    [{ LABEL: "a in (b)", LABEL_VALUE: "1" }, /^LABEL="a in \(b\)": expected a label key, or a selector that ends/],
    [{ LABEL: "a b", LABEL_VALUE: "1" }, /^LABEL="a b": expected a label key or selector; ./],
    [{ LABEL: "a", LABEL_VALUE: "1,b" }, /^LABEL_VALUE="1,b": expected a label value/],
    [{ LABEL: " " }, /^LABEL=" ": expected a label key or selector/],
    [{ FOLDER: "~/files" }, /^FOLDER="~\/files": only a shell replaces ~ .* Write the path in full, or \.\/~ /],
    [{ FOLDER: "~" }, /^FOLDER="~": only a shell /],
    [{ FOLDER: "/a\0b" }, /^FOLDER="\/a\\u0000b": expected a path$/],
    [{ LABEL: "", RESOURCE_NAME: "pod/a" }, /^RESOURCE_NAME="pod\/a": expected names/],
  ];
  for (const [env, message] of wrong) {
    const faults = faultsOf({ ...MINIMAL, ...env });
    assert.equal(faults.length, 1, JSON.stringify([env, faults]));
    assert.match(faults[0]!, message);
  }
});

Deno.test("parseConfig() tells every fault at once", () => {
  const faults = parseConfig({ LABEL: "a b", METHOD: "x", HEALTH_PORT: "y", DEFAULTS: "z", REQ_URL: "w" }).faults;
  assert.deepEqual(
    faults.map(({ setting }) => setting),
    ["DEFAULTS", "METHOD", "REQ_URL", "HEALTH_PORT", "LABEL", "FOLDER"],
  );
});

Deno.test("parseConfig() shows no secret in its faults", () => {
  const env = { REQ_URL: "htp://me:geheim@localhost?token=geheim", REQ_PASSWORD: "geheim", REQ_PAYLOAD: "geheim" };
  const faults = faultsOf(env);
  assert.deepEqual(faults[0], 'REQ_URL="htp://***@localhost?token=***": expected an http:// or https:// URL');
  assert.doesNotMatch(faults.join("\n"), /geheim/);
  for (const password of ["half/geheim", "half#geheim", "half?geheim", "half@geheim"]) {
    const [fault] = faultsOf({ REQ_URL: `http://me:${password}@grafana:port/api` });
    assert.equal(fault, 'REQ_URL="http://***@grafana:port/api": expected an http:// or https:// URL');
  }
});

Deno.test("parseConfig() warns of settings that do not go together", () => {
  const cases: [env: Record<string, string>, warning: RegExp][] = [
    [{ WATCH_CLIENT_TIMEOUT: "59", WATCH_SERVER_TIMEOUT: "60" }, /^WATCH_CLIENT_TIMEOUT=59 is shorter .*=60:/],
    [{ REQ_URL: "http://a", REQ_USERNAME: "u" }, /^REQ_USERNAME is set without REQ_PASSWORD:/],
    [{ REQ_URL: "http://a", REQ_PASSWORD_FILE: "/p" }, /^REQ_PASSWORD is set without REQ_USERNAME:/],
    [{ REQ_URL: "http://a", REQ_PAYLOAD: "{}" }, /^REQ_PAYLOAD is set with REQ_METHOD=GET:/],
    [{ LABLE_VALUE: "1" }, /^LABLE_VALUE is not a setting .* did you mean LABEL_VALUE\?$/],
    [{ NAMESPACE: "ALL,x" }, /^NAMESPACE="ALL,x": ALL includes the other namespaces$/],
    [{ DEFAULTS: "kiwigrid", LABEL_VALUE: "1,b" }, /^LABEL_VALUE="1,b": expected a label value.* selector is app=1,b$/],
  ];
  for (const [env, warning] of cases) {
    const { warnings } = configOf(env);
    assert.equal(warnings.length, 1, JSON.stringify([env, warnings]));
    assert.match(warnings[0]!, warning);
  }
  const fine: Record<string, string>[] = [
    { WATCH_CLIENT_TIMEOUT: "60", WATCH_SERVER_TIMEOUT: "60" },
    { NAMESPACE: "ALL" },
    { METHOD: "LIST", WATCH_CLIENT_TIMEOUT: "1" },
    { REQ_USERNAME: "u" },
    { REQ_URL: "http://a", REQ_USERNAME: "u", REQ_PASSWORD_FILE: "/p" },
    { REQ_URL: "http://a", REQ_PAYLOAD: "{}", REQ_METHOD: "POST" },
  ];
  for (const env of fine) assert.deepEqual(configOf(env).warnings, [], JSON.stringify(env));
});

Deno.test("parseConfig() gives a Config that is frozen to its depth", () => {
  const unfrozen: string[] = [];
  const look = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null) return;
    if (!Object.isFrozen(value)) unfrozen.push(path);
    for (const [name, inner] of Object.entries(value)) look(inner, `${path}.${name}`);
  };
  look(configOf({ NAMESPACE: "a", REQ_URL: "http://a", SCRIPT: "/s", ALLOWED_FOLDERS: "/a" }), "config");
  assert.deepEqual(unfrozen, []);
});
