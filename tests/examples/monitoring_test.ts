/** The alerts fire when they should and only then, and nothing in `examples/monitoring/` names a metric that is not there. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";
import { tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { promtool, PROMTOOL_MISSING } from "../support/promtool.ts";
import { exampleObjects, exampleText } from "./example_files.ts";

const RULES = fileURLToPath(new URL("../../examples/monitoring/alert-rules.yaml", import.meta.url));

interface Rule {
  alert: string;
  expr: string;
}

const { groups } = parse(exampleText("monitoring/alert-rules.yaml")) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap(({ rules }) => rules);

/** A series and its value in each minute, as promtool writes it. Time begins at 0. */
type Series = Record<string, string>;

const SOURCE = '{collection="a",source="secrets",pod="p"}';

/** For each alert, what makes it fire within an hour, and what is as near to it and harmless. */
const CASES: Record<string, { fires: Series[]; silent: Series[] }> = {
  K8sSidecarNotSynced: {
    fires: [{ [`k8s_sidecar_synced${SOURCE}`]: "0x60" }],
    silent: [{ [`k8s_sidecar_synced${SOURCE}`]: "0x8 1x60" }, { [`k8s_sidecar_synced${SOURCE}`]: "1x60" }],
  },
  K8sSidecarNoContact: {
    fires: [
      { 'k8s_sidecar_last_contact_timestamp_seconds{source="secrets"}': "0x60" },
      { 'k8s_sidecar_last_contact_timestamp_seconds{source="secrets"}': "0+60x30 1800x60" },
    ],
    silent: [
      { 'k8s_sidecar_last_contact_timestamp_seconds{source="secrets"}': "0+60x90" },
      // An idle watch between two ends
      { 'k8s_sidecar_last_contact_timestamp_seconds{source="secrets"}': "2950x60" },
    ],
  },
  K8sSidecarNotificationPending: {
    fires: [{ 'k8s_sidecar_notification_pending_since_timestamp_seconds{collection="a"}': "0x20 1200x40" }],
    silent: [
      { 'k8s_sidecar_notification_pending_since_timestamp_seconds{collection="a"}': "0x60" },
      { 'k8s_sidecar_notification_pending_since_timestamp_seconds{collection="a"}': "0x50 3100x10" },
    ],
  },
  K8sSidecarWriteErrors: {
    fires: [{ 'k8s_sidecar_write_errors_total{collection="a",code="ENOSPC"}': "0x20 0+1x40" }],
    silent: [
      { 'k8s_sidecar_write_errors_total{collection="a",code="ENOSPC"}': "0x60" },
      { 'k8s_sidecar_write_errors_total{collection="a",code="ENOSPC"}': "0x20 1x40" },
    ],
  },
  K8sSidecarObjectsRefused: {
    fires: [{ 'k8s_sidecar_refused_objects{collection="a",reason="folder"}': "0x20 1x40" }],
    silent: [{ 'k8s_sidecar_refused_objects{collection="a",reason="folder"}': "0x57 1x3" }],
  },
  K8sSidecarCollisions: {
    fires: [{ 'k8s_sidecar_collisions{collection="a"}': "0x20 1x40" }],
    silent: [{ 'k8s_sidecar_collisions{collection="a"}': "0x57 1x3" }],
  },
  K8sSidecarDownloadsFailing: {
    fires: [
      { 'k8s_sidecar_url_downloads_total{collection="a",result="failure"}': "0x10 0+1x50" },
      { 'k8s_sidecar_url_downloads_total{collection="a",result="refused"}': "0x10 0+1x50" },
    ],
    silent: [
      { 'k8s_sidecar_url_downloads_total{collection="a",result="success"}': "0+1x60" },
      { 'k8s_sidecar_url_downloads_total{collection="a",result="failure"}': "0x40 1x20" },
    ],
  },
  K8sSidecarSlow: {
    fires: [histogram({ "5.0": "0x60", "10.0": "0+1x60", "+Inf": "0+1x60" })],
    silent: [
      histogram({ "5.0": "0+1x60", "10.0": "0+1x60", "+Inf": "0+1x60" }),
      histogram({ "5.0": "0x60", "+Inf": "0x60" }),
    ],
  },
  K8sSidecarConfigInvalid: {
    fires: [{ "k8s_sidecar_config_last_reload_successful": "1x20 0x40" }],
    silent: [{ "k8s_sidecar_config_last_reload_successful": "1x20 0x3 1x40" }],
  },
};

function histogram(buckets: Record<string, string>): Series {
  return Object.fromEntries(
    Object.entries(buckets).map(([le, values]) => [`k8s_sidecar_propagation_seconds_bucket{le="${le}"}`, values]),
  );
}

Deno.test("every alert has a case in which it fires and one in which it does not", () => {
  assert.deepEqual(Object.keys(CASES).sort(), rules.map(({ alert }) => alert).sort());
});

Deno.test({
  name: "promtool finds the alert rules correct",
  ignore: PROMTOOL_MISSING,
  async fn() {
    const { success, said } = await promtool(["check", "rules", RULES]);
    assert.ok(success && said.includes(`SUCCESS: ${rules.length} rules found`), said);
  },
});

for (const [alert, { fires, silent }] of Object.entries(CASES)) {
  Deno.test({
    name: `${alert} fires when it should, and only then`,
    ignore: PROMTOOL_MISSING,
    async fn() {
      using folder = tempFolder();
      const test = (series: Series, isFiring: boolean) => ({
        interval: "1m",
        input_series: Object.entries(series).map(([series, values]) => ({ series, values })),
        promql_expr_test: [{
          expr: `count by (alertname) (ALERTS{alertstate="firing"})`,
          eval_time: "60m",
          exp_samples: isFiring ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
        }],
      });
      const tests = [...fires.map((series) => test(series, true)), ...silent.map((series) => test(series, false))];
      const path = `${folder.path}/test.yaml`;
      Deno.writeTextFileSync(path, JSON.stringify({ rule_files: [RULES], evaluation_interval: "1m", tests }));
      const { success, said } = await promtool(["test", "rules", path]);
      assert.ok(success, said);
    },
  });
}

Deno.test("prometheusrule.yaml has the rules of alert-rules.yaml", () => {
  const [rule] = exampleObjects().get("monitoring/prometheusrule.yaml") ?? [];
  assert.deepEqual(rule?.spec.groups, groups);
});

/** A dashboard's panels, as far as they matter here. */
interface Dashboard {
  uid: string;
  panels: { id: number; title: string; targets: { expr: string }[] }[];
}

function dashboard(): Dashboard {
  const [object] = exampleObjects().get("monitoring/dashboard.yaml") ?? [];
  assert.deepEqual([object?.kind, object?.metadata], ["ConfigMap", {
    name: "k8s-sidecar-dashboard",
    namespace: "default",
    labels: { grafana_dashboard: "1" },
  }]);
  return JSON.parse(object?.data["k8s-sidecar.json"]);
}

Deno.test("alerts and dashboard use metrics that the sidecar has, with labels that they have", () => {
  const { families } = new SidecarMetrics({
    build: { version: "", revision: "" },
    clock: new FakeClock(),
    wallClock: () => 0,
  });
  const known = new Map(families.map(({ name, labels }) => [name, labels]));
  const used = new Set<string>();
  for (const expr of [...rules, ...dashboard().panels.flatMap(({ targets }) => targets)].map(({ expr }) => expr)) {
    const names = expr.match(/\b(k8s_sidecar|reloader|process)_\w+/g) ?? [];
    assert.ok(names.length > 0, expr);
    const labels = new Set(["namespace", "pod", "container", "instance", "le"]);
    for (const name of names.map((name) => name.replace(/_bucket$/, ""))) {
      assert.ok(known.has(name), `${name} in ${expr}`);
      used.add(name);
      for (const label of known.get(name) ?? []) labels.add(label);
    }
    const wanted = [...expr.matchAll(/(?:by|without|on) \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", "));
    const matched = [...expr.matchAll(/[{,](\w+)(?:=|!=|=~)"/g)].map(([, label = ""]) => label);
    for (const label of [...wanted, ...matched]) assert.ok(labels.has(label), `${label} in ${expr}`);
  }
  const unused = [...known.keys()].filter((name) => !used.has(name) && name.startsWith("k8s_sidecar_"));
  assert.deepEqual(unused, [
    "k8s_sidecar_last_sync_timestamp_seconds",
    "k8s_sidecar_config_last_reload_success_timestamp_seconds",
  ]);
});

Deno.test({
  name: "promtool can parse every query of the dashboard",
  ignore: PROMTOOL_MISSING,
  async fn() {
    const exprs = dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = exprs.map((expr, index) => ({ record: `panel_${index}`, expr: filled(expr) }));
    using folder = tempFolder();
    Deno.writeTextFileSync(`${folder.path}/rules.yaml`, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const { success, said } = await promtool(["check", "rules", `${folder.path}/rules.yaml`]);
    assert.ok(success, said);
  },
});

/** With values for Grafana's variables. */
function filled(expr: string): string {
  return expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$\w+/g, ".*");
}

Deno.test("the panels of the dashboard have ids and titles of their own", () => {
  const { panels } = dashboard();
  for (const values of [panels.map(({ id }) => id), panels.map(({ title }) => title)]) {
    assert.equal(new Set<unknown>(values).size, panels.length);
  }
});
