import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { CONFIG_MAPS } from "../apiserver/resources.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { refusal } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";
import { outcome } from "../support/outcome.ts";
import { type LogLine, SidecarProcess } from "../support/sidecar_process.ts";
import { until } from "../support/local_servers.ts";
import { CONFIG_MAP, pod, workplace } from "../support/workplace.ts";

Deno.test("--help lists every variable, whatever the environment is", async () => {
  const { code, stdout, stderr } = await outcome({ METHOD: "nonsense" }, { args: ["--help"] });
  assert.deepEqual([code, stderr], [0, []]);
  const names = new Set(stdout.map((line) => line.trim().split(" ")[0]));
  assert.deepEqual(Object.keys(SETTINGS).filter((name) => !names.has(name)), []);
});

Deno.test("--version prints the version and ends with code 0", async () => {
  const { code, stdout } = await outcome({}, { args: ["--version"] });
  assert.deepEqual([code, stdout.length], [0, 1]);
  assert.ok(stdout[0]?.startsWith(project.version), stdout.join("\n"));
});

Deno.test("a wrong configuration ends with code 2 and all its faults", async () => {
  using folder = tempFolder();
  await Deno.writeTextFile(`${folder.path}/log.yaml`, "version: 2\nroot: {}\n");
  const { code, stderr } = await outcome({
    LABEL: "not a\nkey",
    METHOD: "POLL",
    HEALTH_PORT: "http",
    FOLDER: `${folder.path}/log.yaml/files`,
    SCRIPT: "/nowhere/script",
    LOG_CONFIG: `${folder.path}/log.yaml`,
    KUBECONFIG: "/nowhere/config",
  }, { args: ["--verbose"] });
  assert.equal(code, 2);
  const starts = [
    '"--verbose" ',
    "METHOD=",
    "HEALTH_PORT=",
    "LABEL=",
    "LOG_CONFIG=",
    "FOLDER=",
    "SCRIPT=",
    "KUBECONFIG=",
  ];
  assert.equal(stderr.length, starts.length, stderr.join("\n"));
  for (const [index, start] of starts.entries()) {
    assert.ok(stderr[index]?.startsWith(`configuration error: ${start}`), `${start} ${stderr[index]}`);
  }
});

Deno.test("missing LABEL and FOLDER end with code 2", async () => {
  const { code, stderr } = await outcome({ LABEL: "", KUBECONFIG: "/nowhere/config" });
  assert.equal(code, 2);
  assert.deepEqual(stderr.slice(0, 2), [
    "configuration error: LABEL is required: the label key to select by",
    "configuration error: FOLDER is required: the folder that files are written to",
  ]);
});

/** The messages of one level. */
function messagesOf(lines: readonly LogLine[], level: string): string[] {
  return lines.filter(({ fields }) => fields?.level === level).map(({ msg }) => msg);
}

Deno.test("a misspelt name is named before the fault that it causes", async () => {
  const { code, stderr, lines } = await outcome({ LABLE: "app", FOLDR: "/nowhere", KUBECONFIG: "/nowhere/config" });
  assert.equal(code, 2);
  assert.match(stderr[0]!, /LABEL is required/);
  assert.deepEqual(messagesOf(lines, "WARN"), [
    "FOLDR is not a setting and has no effect: did you mean FOLDER?",
    "LABLE is not a setting and has no effect: did you mean LABEL?",
  ]);
});

Deno.test("METHOD=LIST works beside service links, with one warning each", async () => {
  using place = workplace();
  const env = { LABEL: "app", FOLDER: place.files, METHOD: "LIST", HEALTHCHECK_PORT: "tcp://10.96.12.34:80" };
  const { code, lines } = await outcome({ ...env, HEALTH_PORT: "tcp://10.96.12.35:80" }, {
    args: ["--manifests", place.manifests],
  });
  assert.equal(code, 0, JSON.stringify(lines));
  const warnings = messagesOf(lines, "WARN");
  assert.deepEqual(warnings.map((warning) => warning.slice(0, warning.indexOf(": "))), [
    'HEALTH_PORT="tcp://10.96.12.35:80"',
    'HEALTHCHECK_PORT="tcp://10.96.12.34:80"',
  ]);
});

Deno.test("any other METHOD watches under DEFAULTS=kiwigrid, with a warning", async () => {
  using place = workplace();
  const lenient = {
    METHOD: "file",
    LOG_CONFIG: "/nowhere/log.yaml",
    UNIQUE_FILENAMES: "no",
    SCRIPT: "/nowhere/script",
  };
  const env = { LABEL: "app", FOLDER: place.files, DEFAULTS: "kiwigrid", ...lenient };
  await using sidecar = SidecarProcess.start(env, { args: ["--manifests", place.manifests] });
  await sidecar.ready();
  assert.equal(await Deno.readTextFile(`${place.files}/one.txt`), "first");
  const warnings = messagesOf(sidecar.lines, "WARN").map((warning) => warning.slice(0, warning.indexOf("=")));
  assert.deepEqual(warnings, ["UNIQUE_FILENAMES", "METHOD", "LOG_CONFIG", "SCRIPT"]);
});

Deno.test("a KUBECONFIG that is missing in a pod is one warning", async () => {
  await using here = await pod();
  here.api.registry.create(CONFIG_MAPS, "default", structuredClone(CONFIG_MAP));
  const { code, lines } = await outcome({ ...here.env, KUBECONFIG: "/nowhere/config" });
  assert.equal(code, 0, JSON.stringify(lines));
  assert.equal(await Deno.readTextFile(`${here.files}/one.txt`), "first");
  const [warning, ...more] = messagesOf(lines, "WARN");
  assert.match(warning!, /^KUBECONFIG="\/nowhere\/config": no such file, so the service account in .* is used$/);
  assert.deepEqual(more, []);
});

Deno.test("a refused token is named with its file and what to check", async () => {
  await using here = await pod();
  await Deno.writeTextFile(`${here.env.SERVICE_ACCOUNT_DIR}/token`, "another");
  const { code, lines } = await outcome(here.env);
  assert.equal(code, 3, JSON.stringify(lines));
  const warnings = messagesOf(lines, "WARN");
  assert.ok(warnings.length > 0);
  for (const warning of warnings) {
    assert.match(warning, /^https:\S+ refuses the credentials \(401 .*: the token in \S+\/token; check that this is/);
    assert.doesNotMatch(warning, /\/api\/v1|another/);
  }
});

for (const path of ["/nowhere/manifests", "a file"]) {
  Deno.test(`--manifests with ${path} instead of a folder ends with code 2 and one line`, async () => {
    using place = workplace();
    const manifests = path === "a file" ? `${place.manifests}/one.json` : path;
    const { code, stderr } = await outcome({ LABEL: "app", FOLDER: place.files }, { args: ["--manifests", manifests] });
    assert.equal(code, 2, stderr.join("\n"));
    assert.equal(stderr.length, 1, stderr.join("\n"));
    assert.match(stderr[0]!, /^configuration error: --manifests: .*(one\.json|nowhere)/);
  });
}

Deno.test("a secret value is never printed, wrong or right", async () => {
  using place = workplace();
  const secrets = {
    REQ_USERNAME: "admin",
    REQ_PASSWORD: "geheim-1",
    REQ_PAYLOAD: "geheim-2",
    REQ_URL: "http://me:geheim-3@127.0.0.1:1/reload?token=geheim-4",
    REQ_METHOD: "POST",
    REQ_RETRY_TOTAL: "0",
  };
  const good = { LABEL: "app", FOLDER: place.files, METHOD: "LIST", DEBUG: "true", ...secrets };
  const { code, lines } = await outcome(good, { args: ["--manifests", place.manifests] });
  assert.equal(code, 0);
  assert.ok(lines.some(({ text }) => text.includes("127.0.0.1:1")), "the failed call is told");
  const wrong = await outcome({ ...good, REQ_URL: "htp://geheim-3@x?token=geheim-4" }, {
    args: ["--req-password=geheim-1"],
  });
  assert.equal(wrong.code, 2);
  for (const { text } of [...lines, ...wrong.lines]) assert.doesNotMatch(text, /geheim/);
});

Deno.test("METHOD=LIST with --manifests makes the files and ends with code 0", async () => {
  using place = workplace();
  const env = { LABEL: "app", FOLDER: place.files, METHOD: "list" };
  const { code, lines } = await outcome(env, { args: ["--manifests", place.manifests] });
  assert.equal(code, 0, JSON.stringify(lines));
  assert.equal(await Deno.readTextFile(`${place.files}/one.txt`), "first");
  assert.deepEqual(lines.slice(0, 2).map(({ msg }) => msg), [
    `k8s-sidecar ${project.version}: METHOD=LIST, objects of ${place.manifests}`,
    `configmaps and secrets with labels app in all namespaces become files in ${place.files}`,
  ]);
});

Deno.test("--manifests needs no cluster, and warns of each setting that does", async () => {
  using place = workplace();
  const cluster = {
    KUBECONFIG: "/nowhere/config",
    EVENT_LOGGING: "true",
    FINALIZERS: "true",
    NAMESPACE_SELECTOR: "team=x",
    K8S_CONTACT_THRESHOLD_SECONDS: "60",
  };
  const { code, lines } = await outcome({ LABEL: "app", FOLDER: place.files, METHOD: "LIST", ...cluster }, {
    args: ["--manifests", place.manifests],
  });
  assert.equal(code, 0, JSON.stringify(lines));
  assert.deepEqual(lines.filter(({ fields }) => fields?.level === "WARN").map(({ msg }) => msg), [
    "EVENT_LOGGING has no effect with --manifests: it needs a cluster",
    "FINALIZERS has no effect with --manifests: it needs a cluster",
    "NAMESPACE_SELECTOR has no effect with --manifests: it needs a cluster",
    "K8S_CONTACT_THRESHOLD_SECONDS has no effect with --manifests: it needs a cluster",
  ]);
  assert.equal(await Deno.readTextFile(`${place.files}/one.txt`), "first");
});

Deno.test("remove-finalizers with --manifests ends with code 2", async () => {
  using place = workplace();
  const { code, stderr } = await outcome({ LABEL: "app" }, {
    args: ["remove-finalizers", "--manifests", place.manifests],
  });
  assert.equal(code, 2);
  assert.match(stderr[0]!, /^configuration error: --manifests does not go with remove-finalizers/);
});

Deno.test("METHOD=LIST ends with code 0 and an error line when a download fails or is refused", async () => {
  using place = workplace();
  const manifest = { ...CONFIG_MAP, data: { "one.txt.url": "http://127.0.0.1:1/" } };
  await Deno.writeTextFile(`${place.manifests}/one.json`, JSON.stringify(manifest));
  const retries = { REQ_TIMEOUT: "0.1", REQ_RETRY_TOTAL: "3", REQ_RETRY_BACKOFF_FACTOR: "0.1" };
  const env = { LABEL: "app", FOLDER: place.files, METHOD: "LIST", ...retries };
  const cases = [[{ URL_ALLOWED_HOSTS: "127.0.0.1" }, /cannot connect/], [{}, /URL_ALLOWED_HOSTS/]] as const;
  for (const [settings, reason] of cases) {
    const { code, lines } = await outcome({ ...env, ...settings }, { args: ["--manifests", place.manifests] });
    assert.equal(code, 0, JSON.stringify(lines));
    const errors = lines.filter(({ level }) => level === "ERROR").map(({ msg }) => msg);
    assert.equal(errors.length, 1, errors.join());
    assert.ok(errors[0]?.includes(`${place.files}/one.txt`), errors.join("\n"));
    assert.match(errors[0] ?? "", reason);
    assert.match(lines.at(-1)?.msg ?? "", /^List complete: 0 files are in place; 1 object was refused/);
  }
});

Deno.test("METHOD=LIST works with a pod's service account, TLS and token", async () => {
  await using here = await pod();
  here.api.registry.create(
    CONFIG_MAPS,
    "default",
    structuredClone(CONFIG_MAP),
  );
  const { code, lines } = await outcome(here.env);
  assert.equal(code, 0, JSON.stringify(lines));
  assert.equal(await Deno.readTextFile(`${here.files}/one.txt`), "first");
});

Deno.test("METHOD=LIST ends with code 3 when the API refuses or is gone", async () => {
  await using forbidden = await pod(() => refusal(403, "Forbidden", "configmaps is forbidden"));
  const refused = await outcome(forbidden.env);
  assert.equal(refused.code, 3);
  assert.ok(refused.lines.some(({ msg }) => msg.startsWith("incomplete: not allowed to list configmaps")));
  await using broken = await pod(() => new Response("<html>", { status: 502 }));
  assert.equal((await outcome(broken.env)).code, 3);
  await using away = await pod();
  assert.equal((await outcome({ ...away.env, KUBERNETES_SERVICE_PORT: "1" })).code, 3);
});

Deno.test("METHOD=LIST ends with code 0 and an error line when a path cannot be", async () => {
  using place = workplace();
  await Deno.mkdir(`${place.files}/one.txt/in-the-way`, { recursive: true });
  const env = { LABEL: "app", FOLDER: place.files, METHOD: "LIST", ERROR_THROTTLE_SLEEP: "0.01" };
  const { code, lines } = await outcome(env, { args: ["--manifests", place.manifests] });
  assert.equal(code, 0, JSON.stringify(lines));
  assert.ok(lines.some(({ level, msg }) => level === "ERROR" && msg.includes("one.txt: a directory is in the way")));
});

Deno.test("METHOD=LIST with a broken manifest ends with code 2", async () => {
  using place = workplace();
  const env = { LABEL: "app", FOLDER: place.files, METHOD: "LIST" };
  assert.equal((await outcome(env, { args: ["--manifests", place.manifests] })).code, 0);
  Deno.writeTextFileSync(`${place.manifests}/one.json`, "{");
  const { code, stderr } = await outcome(env, { args: ["--manifests", place.manifests] });
  assert.equal(code, 2);
  assert.match(stderr.join("\n"), /^configuration error: one\.json:1: /);
  assert.equal(await Deno.readTextFile(`${place.files}/one.txt`), "first");
});

Deno.test("a sidecar follows its manifests, and tells health the truth", async () => {
  using place = workplace();
  await using sidecar = SidecarProcess.start({ LABEL: "app", FOLDER: place.files, NOTIFY_QUIET_PERIOD: "0" }, {
    args: ["--manifests", place.manifests],
  });
  await sidecar.ready();
  for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await sidecar.health(path)).status, 200, path);
  assert.equal(await sidecar.metric("k8s_sidecar_files"), 1);
  assert.equal(listeningPorts(sidecar.pid).size, 1, "nothing listens but the health port");
  const changed = { ...CONFIG_MAP, data: { "one.txt": "second" } };
  await Deno.writeTextFile(`${place.manifests}/one.json`, JSON.stringify(changed));
  await until(() => Deno.readTextFileSync(`${place.files}/one.txt`) === "second");
  assert.deepEqual(Object.keys(sidecar.lines[0]?.fields ?? {}).slice(0, 3), ["time", "level", "msg"]);
});

/** The TCP ports that a process listens on; see proc(5). */
function listeningPorts(pid: number): Set<number> {
  const sockets = new Set<string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      sockets.add(Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
    } catch { /* it is closed by now */ }
  }
  const tables = ["tcp", "tcp6"].flatMap((table) => Deno.readTextFileSync(`/proc/${pid}/net/${table}`).split("\n"));
  const rows = tables.map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(([, , , state, , , , , , inode]) => state === "0A" && sockets.has(`socket:[${inode}]`));
  return new Set(listening.map(([, local]) => parseInt(local!.split(":")[1]!, 16)));
}

/** CONFIG_FILE with these lines. */
function configFileIn(place: { manifests: string }, ...lines: string[]): string {
  // Not in the folder of manifests
  const path = `${place.manifests}.config.yaml`;
  Deno.writeTextFileSync(path, lines.join("\n"));
  return path;
}

Deno.test("the collections of CONFIG_FILE need neither LABEL nor FOLDER", async () => {
  using place = workplace();
  const path = configFileIn(
    place,
    "version: 1",
    "collections:",
    `- { name: first, label: app, folder: ${place.files}/first }`,
    `- { name: second, label: app, folder: ${place.files}/second, fileMode: "0600" }`,
  );
  const env = { LABEL: "", METHOD: "LIST", CONFIG_FILE: path };
  const { code, lines } = await outcome(env, { args: ["--manifests", place.manifests] });
  assert.equal(code, 0, JSON.stringify(lines));
  for (const [name, mode] of [["first", 0o644], ["second", 0o600]] as const) {
    const file = `${place.files}/${name}/one.txt`;
    assert.equal(await Deno.readTextFile(file), "first");
    assert.equal((await Deno.stat(file)).mode! & 0o777, mode);
  }
});

Deno.test("faults of the environment, of CONFIG_FILE and of folders end with code 2, all at once", async () => {
  using place = workplace();
  const path = configFileIn(
    place,
    "version: 1",
    "collections:",
    `- { name: first, label: app, folder: /proc/first, fileMode: "0944" }`,
    `- { name: second, label: app, folder: second }`,
  );
  const { code, stderr } = await outcome({ LABEL: "app", CONFIG_FILE: path, KUBECONFIG: "/nowhere/config" });
  assert.equal(code, 2);
  assert.deepEqual(stderr.slice(0, 3), [
    "configuration error: FOLDER is required: the folder that files are written to, because LABEL or RESOURCE_NAME is set beside CONFIG_FILE",
    `configuration error: ${path}:3:61  collections[0].fileMode  "0944": expected three or four octal digits, such as "0644"`,
    `configuration error: ${path}:4:39  collections[1].folder  "second": expected an absolute path`,
  ]);
  assert.ok(stderr.some((line) => line.startsWith("configuration error: KUBECONFIG=")));
});

Deno.test("a folder of CONFIG_FILE that cannot be, and a CONFIG_FILE that is missing, end with code 2", async () => {
  using place = workplace();
  const path = configFileIn(place, "version: 1", "collections:", "- { name: first, label: app, folder: /proc/x }");
  const args = ["--manifests", place.manifests];
  const folder = await outcome({ LABEL: "", CONFIG_FILE: path }, { args });
  assert.equal(folder.code, 2);
  const fault = `configuration error: ${path}:3:38  collections[0].folder  "/proc/x": `;
  assert.equal(folder.stderr[0]?.slice(0, fault.length), fault);
  const missing = await outcome({ LABEL: "", CONFIG_FILE: "/nowhere/config.yaml" }, { args });
  assert.equal(missing.code, 2);
  assert.match(
    missing.stderr.join(),
    /^configuration error: CONFIG_FILE="\/nowhere\/config.yaml": it cannot be read: /,
  );
});

Deno.test("an unknown command is the only fault, whatever the settings lack", async () => {
  const { code, stderr } = await outcome({ METHOD: "POLL" }, { args: ["frob"] });
  assert.equal(code, 2);
  assert.deepEqual(stderr, ['configuration error: "frob" is not a valid argument: see --help']);
});
