/** The files of collections in the examples: each has no faults, and folders that its pod mounts. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseConfigFile } from "../../lib/config/config_file.ts";
import { exampleObjects, exampleText, exampleValues, podSpecOf, sidecarsOf } from "./example_files.ts";

/** What the chart sets. */
const GRAFANA = { REQ_USERNAME: "admin", REQ_PASSWORD: "secret" };
const MODELINE = /^# yaml-language-server: \$schema=https:\/\/\S+\/schema\/config\.schema\.json\n/;

/** The folders of its collections. */
function foldersOf(text: string, path: string, env: Record<string, string> = {}): string[] {
  assert.match(text, MODELINE, path);
  const { collections, faults, warnings } = parseConfigFile(text, { path, env });
  assert.deepEqual([faults, warnings], [[], []], path);
  return collections.map(({ files }) => files.folder);
}

function assertMounted(folders: readonly string[], mounts: readonly { mountPath: string; readOnly?: boolean }[]): void {
  const writable = mounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath);
  const missing = folders.filter((folder) => !writable.some((path) => `${folder}/`.startsWith(`${path}/`)));
  assert.deepEqual(missing, []);
}

for (const path of ["grafana-one-sidecar-values.yaml", "kube-prometheus-stack-one-sidecar-values.yaml"]) {
  Deno.test(`${path} mounts the folders of its collections, for Grafana, too`, () => {
    const values = exampleValues().get(path) as Record<string, unknown>;
    // deno-lint-ignore no-explicit-any
    const chart = (values.grafana ?? values) as any;
    const [manifest] = chart.extraObjects;
    // What the chart's functions give
    const configMap = parse(manifest.replaceAll(/\{\{.*?\}\}/g, "release"));
    assert.equal(configMap.kind, "ConfigMap");
    const [volume] = chart.extraContainerVolumes;
    assert.equal(volume.configMap.name.replaceAll(/\{\{.*?\}\}/g, "release"), configMap.metadata.name);
    const folders = foldersOf(configMap.data["config.yaml"], path, GRAFANA);
    assert.equal(folders.length, 3);
    const { extraMounts, env, startupProbe } = chart.sidecar.dashboards;
    assertMounted(folders, extraMounts);
    assertMounted(folders, chart.extraEmptyDirMounts);
    const config = extraMounts.find(({ name }: { name: string }) => name === volume.name);
    assert.equal(env.CONFIG_FILE, `${config.mountPath}/config.yaml`);
    assert.equal(startupProbe.httpGet.path, "/readyz");
  });
}

Deno.test("collections-deployment.yaml and collections-kustomize mount their file and its folders", () => {
  const cases = [
    { path: "collections-deployment.yaml", name: "collections" },
    { path: "collections-kustomize/deployment.yaml", name: "collections-config" },
  ];
  for (const { path, name } of cases) {
    const objects = exampleObjects().get(path) ?? [];
    const spec = objects.map(podSpecOf).find((spec) => spec !== undefined);
    assert.ok(spec, path);
    // deno-lint-ignore no-explicit-any
    const [sidecar] = sidecarsOf(spec) as any[];
    // deno-lint-ignore no-explicit-any
    const volume = (spec as any).volumes.find(({ configMap }: any) => configMap?.name === name);
    const config = sidecar.volumeMounts.find((mount: { name: string }) => mount.name === volume?.name);
    assert.equal(sidecar.env[0].value, `${config?.mountPath}/config.yaml`, path);
    const own = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
    const text = own?.data["config.yaml"] ?? exampleText("collections-kustomize/config.yaml");
    assertMounted(foldersOf(text, path), sidecar.volumeMounts);
  }
});

Deno.test("collections-kustomize keeps the ConfigMap's name when its content changes", () => {
  const { configMapGenerator: [generator] } = parse(exampleText("collections-kustomize/kustomization.yaml"));
  assert.deepEqual(generator.files, ["config.yaml"]);
  assert.equal(generator.options.disableNameSuffixHash, true);
});
