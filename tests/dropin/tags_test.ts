/** Charts whose users need one of the image's other tags, or a folder beside FOLDER. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort } from "../support/free_port.ts";
import { assertFolderEquals } from "../support/oracle.ts";
import { stories } from "../support/story.ts";
import { Grafana } from "./applications.ts";
import * as charts from "./charts.ts";
import { clusterRole, complaints, inPod } from "./in_pod.ts";

const GRAFANA = { name: "grafana", token: "grafana-token" };
const LOKI = { name: "loki", token: "loki-token" };
const PERSES = { name: "perses", token: "perses-token" };

const story = stories({ users: [GRAFANA, LOKI, PERSES] });

const PASSWORD = "pässword";
const dashboard = (title: string) => JSON.stringify({ title });

story("Loki: with kiwigrid's tag FOLDER may be a tenant's directory", async (at) => {
  await at.allow(LOKI.name, { resources: ["configmaps", "secrets"] });
  const labels = { loki_rule: "" };
  await at.create("ConfigMap", "a", { labels, data: { "a.yaml": "groups: []\n" } });
  const tenant = join(at.folder, "fake");
  const sidecar = await inPod(at, LOKI, { ...charts.KIWIGRID_TAG, ...charts.lokiRules(tenant, freePort()) });
  await sidecar.ready();
  assertFolderEquals(tenant, { "a.yaml": "groups: []\n" });
  // Loki takes every file of the directory for rules, and no directory
  const files = [...Deno.readDirSync(tenant)].filter(({ isFile }) => isFile).map(({ name }) => name);
  assert.deepEqual(files, ["a.yaml"]);
  assert.deepEqual(complaints(sidecar), []);
});

story("Perses: ConfigMaps of all namespaces, and no right to Secrets", async (at) => {
  await clusterRole(at, PERSES.name, ["configmaps"]);
  const other = await at.makeNamespace(`${at.namespace}-other`);
  const labels = { "perses.dev/resource": "true" };
  await at.create("ConfigMap", "near", { labels, data: { "near.json": "{}" } });
  await at.create("ConfigMap", "far", { labels, data: { "far.json": "{}" }, namespace: other });
  const sidecar = await inPod(at, PERSES, { ...charts.KIWIGRID_TAG, ...charts.perses(at.folder, freePort()) });
  await sidecar.ready();
  assertFolderEquals(at.folder, { "near.json": "{}", "far.json": "{}" });
  assert.deepEqual(complaints(sidecar), []);
});

story("Mimir: its dashboards' annotation points beside Grafana's default folder", async (at) => {
  await clusterRole(at, GRAFANA.name);
  const application = new Grafana({ dashboards: at.folder }, PASSWORD);
  await using _stopped = application;
  application.start();
  const labels = { grafana_dashboard: "1" };
  const annotations = { "k8s-sidecar-target-directory": join(at.folder, "Mimir Dashboards") };
  await at.create("ConfigMap", "mimir", { labels, annotations, data: { "mimir.json": dashboard("mimir") } });
  await at.create("ConfigMap", "other", { labels, data: { "other.json": dashboard("other") } });
  const extra = {
    ...charts.KIWIGRID_TAG,
    ALLOWED_FOLDERS: at.folder,
    NAMESPACE: "ALL",
    HEALTH_PORT: String(freePort()),
  };
  const options = { port: application.port, password: PASSWORD, folder: join(at.folder, "General"), extra };
  const sidecar = await inPod(at, GRAFANA, {
    ...charts.grafana("dashboards", options),
    FOLDER_ANNOTATION: "k8s-sidecar-target-directory",
  });
  await sidecar.ready();
  assertFolderEquals(options.folder, { "other.json": dashboard("other") });
  assertFolderEquals(join(at.folder, "Mimir Dashboards"), { "mimir.json": dashboard("mimir") });
  assert.deepEqual(complaints(sidecar), []);
});
