/** The sidecar in place of kiwigrid's image: what the users of each Helm chart see. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { afterRequests, requestsOf } from "../support/request_count.ts";
import { type Kind, stories, type Story } from "../support/story.ts";
import { freePort } from "../support/free_port.ts";
import { Grafana, Jenkins, pollAsLoki, type RulesSeen } from "./applications.ts";
import * as charts from "./charts.ts";
import { clusterRole, complaints, inPod } from "./in_pod.ts";

/** The charts' service accounts, and what each chart's Role or ClusterRole lets it read. */
const GRAFANA = { name: "grafana", token: "grafana-token" };
const JENKINS = { name: "jenkins", token: "jenkins-token" };
const LOKI = { name: "loki", token: "loki-token" };
const STACK = { name: "stack", token: "stack-token" };

const story = stories({ users: [GRAFANA, JENKINS, LOKI, STACK] });

const KIWIGRID = { DEFAULTS: "kiwigrid" };
const PASSWORD = "pässword";
const dashboard = (title: string) => JSON.stringify({ title });
const datasource = (name: string) => `apiVersion: 1\ndatasources:\n  - name: ${name}\n`;

function create(at: Story, kind: Kind, name: string, label: string, data: Record<string, string>, namespace?: string) {
  return at.create(kind, name, { data, labels: { [label]: "1" }, ...(namespace === undefined ? {} : { namespace }) });
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

story("Grafana: two sidecars in one pod, which want one port, and Grafana that comes up late", async (at) => {
  await at.allow(GRAFANA.name, { resources: ["configmaps", "secrets"] });
  const [dashboards, datasources] = [join(at.dir, "dashboards"), join(at.dir, "datasources")];
  const application = new Grafana({ dashboards, datasources }, PASSWORD);
  await using _stopped = application;
  await create(at, "ConfigMap", "one", "grafana_dashboard", { "one.json": dashboard("one") });
  await create(at, "Secret", "main", "grafana_datasource", { "main.yaml": datasource("main") });
  // Not DEFAULT: the charts name no port, so both want the same one
  const HEALTH_PORT = String(freePort());
  const options = { port: application.port, password: PASSWORD, extra: { ...KIWIGRID, HEALTH_PORT } };
  const sidecars = [
    await inPod(at, GRAFANA, charts.grafana("dashboards", { ...options, folder: dashboards })),
    await inPod(at, GRAFANA, charts.grafana("datasources", { ...options, folder: datasources })),
  ] as const;
  await Promise.all(sidecars.map((sidecar) => sidecar.logged("Initial sync complete, sidecar is ready.")));
  assertFolderEquals(dashboards, { "one.json": dashboard("one") });
  assertFolderEquals(datasources, { "main.yaml": datasource("main") });
  await eventually(() => {
    const warnings = sidecars.flatMap((sidecar) => sidecar.findAll("no health endpoints: cannot listen on port"));
    assert.deepEqual(warnings.map(({ level }) => level), ["WARN"]);
  });
  assert.equal((await sidecars[0].health("/healthz")).status, 200);

  await pause(2);
  assert.deepEqual(application.calls, []);
  application.start();
  await eventually(() => assert.equal(application.reloads.length, 2));
  const told = Object.fromEntries(application.reloads.map(({ path, files }) => [path, Object.keys(files)]));
  assert.deepEqual(told, {
    "/api/admin/provisioning/dashboards/reload": ["one.json"],
    "/api/admin/provisioning/datasources/reload": ["main.yaml"],
  });

  await create(at, "ConfigMap", "two", "grafana_dashboard", { "two.json": dashboard("two") });
  await at.change("ConfigMap", "one", { data: { "one.json": dashboard("changed") } });
  await eventually(() => {
    const { files } = application.reloads.at(-1) ?? { files: {} };
    assert.deepEqual(files, { "one.json": dashboard("changed"), "two.json": dashboard("two") });
  });
  await at.delete("ConfigMap", "one");
  await eventually(() => assert.deepEqual(Object.keys(application.reloads.at(-1)?.files ?? {}), ["two.json"]));
  assert.ok(application.calls.length <= 5, `${application.calls.length} calls`);
  assert.ok(application.calls.every(({ method, status }) => method === "POST" && status === 200));
  const times: number[] = [];
  for (const sidecar of sidecars) {
    assert.equal(sidecar.lines.find(({ text }) => text.includes(PASSWORD)), undefined);
    const { code, ms } = await sidecar.stop();
    assert.equal(code, 0);
    times.push(ms);
  }
  // One of them may have waited for a busy machine
  assert.ok(Math.min(...times) < 1000, `${times} ms`);
});

story("Grafana: the init container of alerts lists once, writes and ends", async (at) => {
  await at.allow(GRAFANA.name, { resources: ["configmaps", "secrets"] });
  await create(at, "ConfigMap", "alert", "grafana_alert", { "alert.yaml": "groups: []\n" });
  await create(at, "ConfigMap", "other", "grafana_dashboard", { "other.json": "{}" });
  const sidecar = await inPod(at, GRAFANA, charts.grafanaInitAlerts(at.folder, freePort(), KIWIGRID));
  assert.deepEqual(await sidecar.exited(), { code: 0, signal: null });
  assertFolderEquals(at.folder, { "alert.yaml": "groups: []\n" });
  assert.deepEqual(complaints(sidecar), []);
});

story(
  "Grafana: the native sidecar of dashboards is ready before Grafana, and calls it for later changes only",
  async (at) => {
    await at.allow(GRAFANA.name, { resources: ["configmaps", "secrets"] });
    const application = new Grafana({ dashboards: at.folder }, PASSWORD);
    await using _stopped = application;
    await create(at, "ConfigMap", "one", "grafana_dashboard", { "one.json": dashboard("one") });
    const options = { port: application.port, password: PASSWORD, folder: at.folder, extra: KIWIGRID };
    const sidecar = await inPod(at, GRAFANA, charts.grafanaInitDashboards(options, freePort()));
    await eventually(async () => assert.equal((await sidecar.health("/healthz")).status, 200));
    assertFolderEquals(at.folder, { "one.json": dashboard("one") });
    application.start();
    await pause(1);
    assert.deepEqual(application.calls, []);
    await create(at, "ConfigMap", "two", "grafana_dashboard", { "two.json": dashboard("two") });
    await eventually(() => assert.equal(application.reloads.length, 1));
    assert.deepEqual(Object.keys(application.reloads[0]?.files ?? {}), ["one.json", "two.json"]);
    assert.deepEqual(complaints(sidecar), []);
  },
);

story("kube-prometheus-stack: dashboards of all namespaces, datasources of its own", async (at) => {
  await clusterRole(at, STACK.name);
  const [dashboards, datasources] = [join(at.dir, "dashboards"), join(at.dir, "datasources")];
  const application = new Grafana({ dashboards, datasources }, PASSWORD);
  await using _stopped = application;
  application.start();
  const other = await at.makeNamespace(`${at.namespace}-other`);
  await create(at, "ConfigMap", "near", "grafana_dashboard", { "near.json": dashboard("near") });
  await create(at, "ConfigMap", "far", "grafana_dashboard", { "far.json": dashboard("far") }, other);
  await create(at, "ConfigMap", "own", "grafana_datasource", { "own.yaml": datasource("own") });
  await create(at, "ConfigMap", "foreign", "grafana_datasource", { "foreign.yaml": datasource("foreign") }, other);
  await at.create("ConfigMap", "off", { data: { "off.json": "{}" }, labels: { grafana_dashboard: "0" } });
  const common = { port: application.port, password: PASSWORD };
  const HEALTH_PORT = String(freePort());
  const sidecars = [
    await inPod(
      at,
      STACK,
      charts.kubePrometheusStack("dashboards", {
        ...common,
        folder: dashboards,
        extra: { ...KIWIGRID, HEALTH_PORT },
      }),
    ),
    await inPod(
      at,
      STACK,
      charts.kubePrometheusStack("datasources", {
        ...common,
        folder: datasources,
        extra: { ...KIWIGRID, HEALTH_PORT },
      }),
    ),
  ];
  await Promise.all(sidecars.map((sidecar) => sidecar.logged("Initial sync complete, sidecar is ready.")));
  const found = [...Deno.readDirSync(dashboards)].map(({ name }) => name).filter((name) => name.endsWith(".json"));
  for (const name of ["near.json", "far.json"]) assert.ok(found.includes(name), `${name} is not among ${found}`);
  assert.ok(!found.includes("off.json"));
  assertFolderEquals(datasources, { "own.yaml": datasource("own") });
  await eventually(() => assert.equal(new Set(application.reloads.map(({ path }) => path)).size, 2));
  await create(at, "ConfigMap", "late", "grafana_dashboard", { "late.json": dashboard("late") }, other);
  await eventually(() => assert.ok("late.json" in (application.reloads.at(-1)?.files ?? {})));
});

story("Jenkins: the init container, then the sidecar that tells Jenkins once it is up", async (at) => {
  await at.allow(JENKINS.name, { resources: ["configmaps"] });
  const [pod, label] = ["jenkins-0", "jenkins-jenkins-config"];
  const application = new Jenkins(at.folder, pod);
  await using _stopped = application;
  await create(at, "ConfigMap", "base", label, { "base.yaml": "jenkins: {}\n" });
  await create(at, "Secret", "secret", label, { "secret.yaml": "no: rights\n" });
  const options = { folder: at.folder, namespace: at.namespace, healthPort: freePort(), pod, extra: KIWIGRID };

  const init = await inPod(at, JENKINS, charts.jenkinsInit(options));
  assert.deepEqual(await init.exited(), { code: 0, signal: null });
  assertFolderEquals(at.folder, { "base.yaml": "jenkins: {}\n" });

  const sidecar = await inPod(at, JENKINS, charts.jenkinsReload(options, application.port));
  await sidecar.ready();
  await create(at, "ConfigMap", "more", label, { "more.yaml": "unclassified: {}\n" });
  await eventually(() =>
    assertFolderEquals(at.folder, { "base.yaml": "jenkins: {}\n", "more.yaml": "unclassified: {}\n" })
  );
  await pause(0.5);
  application.start();
  await eventually(() => assert.ok(application.calls.length > 0));
  application.isReady = true;
  await eventually(() => assert.equal(application.reloads.length, 1));
  assert.deepEqual(Object.keys(application.reloads[0]?.files ?? {}), ["base.yaml", "more.yaml"]);
  await pause(1);
  assert.equal(application.reloads.length, 1);
  assert.equal(sidecar.lines.find(({ text }) => text.includes(`casc-reload-token=${pod}`)), undefined);
});

story("Jenkins: with sleepTime it lists, and sees changes and removals", async (at) => {
  await at.allow(JENKINS.name, { resources: ["configmaps"] });
  const [pod, label] = ["jenkins-0", "jenkins-jenkins-config"];
  const application = new Jenkins(at.folder, pod);
  await using _stopped = application;
  application.start();
  application.isReady = true;
  const logFile = join(at.dir, "file.log");
  const logConfig = join(at.dir, "auto-reload-config.yaml");
  await Deno.writeTextFile(logConfig, charts.jenkinsLogConfig(logFile, "LOGFMT"));
  const extra = { ...KIWIGRID, LOG_CONFIG: logConfig };
  const options = { folder: at.folder, namespace: at.namespace, healthPort: freePort(), pod, extra };
  await create(at, "ConfigMap", "base", label, { "base.yaml": "a: 1\n", "gone.yaml": "b: 1\n" });
  const sidecar = await inPod(at, JENKINS, charts.jenkinsReload(options, application.port, 1));
  await eventually(() => assert.equal(application.reloads.length, 1));
  await at.change("ConfigMap", "base", { data: { "base.yaml": "a: 2\n", "gone.yaml": null } });
  await eventually(() => assert.equal(application.reloads.length, 2));
  assertFolderEquals(at.folder, { "base.yaml": "a: 2\n" });
  await eventually(() => assert.match(Deno.readTextFileSync(logFile), /level=INFO msg=.*Initial sync complete/));
  // Python's StreamHandler writes to stderr
  assert.ok(sidecar.lines.every(({ stream }) => stream === "stderr"), sidecar.tail());
});

story(
  "Jenkins: without DEFAULTS=kiwigrid the chart's Role is too small, and the init container says so",
  async (at) => {
    await at.allow(JENKINS.name, { resources: ["configmaps"] });
    const options = { folder: at.folder, namespace: at.namespace, healthPort: freePort(), pod: "jenkins-0" };
    const init = await inPod(at, JENKINS, charts.jenkinsInit(options));
    assert.equal((await init.exited()).code, 3);
    const errors = init.lines.filter(({ level }) => level === "ERROR").map(({ msg }) => msg);
    assert.ok(errors.some((message) => message.includes("list secrets")), errors.join("\n"));
  },
);

story("Loki: its probes pass, and what it reads while files change is always whole", async (at) => {
  await at.allow(LOKI.name, { resources: ["configmaps", "secrets"] });
  const rules = (version: number, size: number) =>
    `groups:\n  - name: version-${version}\n    rules: []\n${"# filling\n".repeat(size)}# end\n`;
  const inTenant = { labels: { loki_rule: "" }, annotations: { "k8s-sidecar-target-directory": "fake" } };
  await at.create("ConfigMap", "a", { ...inTenant, data: { "a.yaml": rules(0, 1) } });
  await at.create("Secret", "b", { ...inTenant, data: { "b.yaml": rules(0, 1) } });
  const sidecar = await inPod(at, LOKI, charts.lokiRules(at.folder, freePort(), at.namespace));
  await eventually(async () => assert.equal((await sidecar.health("/healthz")).status, 200));

  const polling = new AbortController();
  const seen: RulesSeen = { polls: 0, texts: new Map() };
  const polled = pollAsLoki(at.folder, seen, polling.signal);
  const hasSeenMuch = () =>
    seen.polls > 100 && ["a.yaml", "b.yaml"].every((name) => (seen.texts.get(name) ?? []).length > 3);
  const probes: number[] = [];
  let last: Record<"a.yaml" | "b.yaml", string> = { "a.yaml": "", "b.yaml": "" };
  // On a busy machine all changes may come while Loki, or the sidecar, waits for its turn: then there are more
  for (let version = 1; version <= 40 || (version <= 800 && !hasSeenMuch()); version++) {
    last = { "a.yaml": rules(version, version % 2 === 0 ? 1 : 10_000), "b.yaml": rules(version, version % 3) };
    await at.change("ConfigMap", "a", { data: { "a.yaml": last["a.yaml"] } });
    await at.change("Secret", "b", { data: { "b.yaml": last["b.yaml"] } });
    if (version % 10 === 0) probes.push((await sidecar.health("/healthz")).status);
  }
  await eventually(() => {
    assertFolderEquals(at.folder, { "fake/a.yaml": last["a.yaml"], "fake/b.yaml": last["b.yaml"] });
    for (const name of ["a.yaml", "b.yaml"] as const) assert.equal(seen.texts.get(name)?.at(-1), last[name]);
  });
  polling.abort();
  await polled;
  assert.ok(hasSeenMuch(), `${seen.polls} polls`);
  for (const name of ["a.yaml", "b.yaml"] as const) {
    for (const text of seen.texts.get(name) ?? []) {
      assert.ok(text.startsWith("groups:") && text.endsWith("# end\n"), `part of ${name} was seen`);
    }
  }
  // Nothing stays in a tenant's directory but rules: Loki would take it for some
  assert.deepEqual([...Deno.readDirSync(join(at.folder, "fake"))].map(({ name }) => name).sort(), ["a.yaml", "b.yaml"]);
  assert.ok(probes.every((status) => status === 200), probes.join());
  assert.deepEqual(complaints(sidecar), []);
});

story(
  "Loki: a watch that the client ends, because both timeouts are the same, is nothing to complain about",
  async (at) => {
    await at.allow(LOKI.name, { resources: ["configmaps", "secrets"] });
    const settings = charts.lokiRules(at.folder, freePort(), at.namespace);
    const sidecar = await inPod(at, LOKI, { ...settings, WATCH_SERVER_TIMEOUT: "3", WATCH_CLIENT_TIMEOUT: "3" });
    await sidecar.ready();
    // Each kind's watch ends three times
    await afterRequests(sidecar, await requestsOf(sidecar) + 6);
    await at.create("ConfigMap", "late", { labels: { loki_rule: "" }, data: { "late.yaml": "groups: []\n" } });
    await eventually(() => assertFolderEquals(at.folder, { "late.yaml": "groups: []\n" }));
    const [nothing, ...others] = complaints(sidecar);
    assert.match(nothing ?? "", /nothing is selected: there are no configmaps and secrets with labels loki_rule/);
    assert.deepEqual(others, []);
    assert.equal((await sidecar.health("/livez")).status, 200);
  },
);
