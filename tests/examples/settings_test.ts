/** The examples set nothing that the sidecar does not know or would refuse. */
import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { environmentOf, exampleObjects, exampleText, exampleValues, podSpecOf, sidecarsOf } from "./example_files.ts";

const DOCS = new URL("../../docs/", import.meta.url);

/** Read from outside the table of settings. */
const OTHERS = ["POD_NAME"];

/** The values of Grafana's chart that one sidecar for all needs. */
const ONE_SIDECAR = new RegExp(
  `^(${
    [
      /sidecar\.image\.(registry|repository|tag)/,
      /sidecar\.(dashboards|datasources|alerts|plugins|notifiers)\.enabled/,
      /sidecar\.dashboards\.(label|searchNamespace|initDashboards|restartPolicy|startupProbe\..*|env\.[A-Z_]+)/,
      /sidecar\.dashboards\.extraMounts\.\d\.(name|mountPath|readOnly)/,
      /extraEmptyDirMounts\.\d\.(name|mountPath)/,
      /extraContainerVolumes\.\d\.(name|configMap\.name)/,
      /extraObjects\.\d/,
    ].map(({ source }) => source).join("|")
  })$`,
);

/** The chart of each values file, and the values of it that concern its sidecars. */
const CHARTS = {
  "grafana-one-sidecar-values.yaml": {
    chart: "grafana",
    version: "12.11.1",
    repository: "https://grafana-community.github.io/helm-charts",
    accepts: ONE_SIDECAR,
  },
  "grafana-values.yaml": {
    chart: "grafana",
    version: "12.11.1",
    repository: "https://grafana-community.github.io/helm-charts",
    accepts: /^sidecar\.(image\.(registry|repository|tag)|(dashboards|datasources|alerts)\.(enabled|env\.[A-Z_]+))$/,
  },
  "jenkins-values.yaml": {
    chart: "jenkins",
    version: "5.9.53",
    repository: "https://charts.jenkins.io",
    accepts: /^controller\.sidecars\.configAutoReload\.(image\.(registry|repository|tag)|env\.\d\.(name|value))$/,
  },
  "kube-prometheus-stack-one-sidecar-values.yaml": {
    chart: "kube-prometheus-stack",
    version: "88.5.3",
    repository: "https://prometheus-community.github.io/helm-charts",
    accepts: new RegExp(`^grafana\\.(forceDeployDatasources$|(?=${ONE_SIDECAR.source.slice(1)}))`),
  },
  "kube-prometheus-stack-values.yaml": {
    chart: "kube-prometheus-stack",
    version: "88.5.3",
    repository: "https://prometheus-community.github.io/helm-charts",
    accepts: /^grafana\.sidecar\.(image\.(registry|repository|tag)|(dashboards|datasources)\.env\.[A-Z_]+)$/,
  },
  "loki-values.yaml": {
    chart: "loki",
    version: "18.11.0",
    repository: "https://grafana-community.github.io/helm-charts",
    accepts: /^sidecar\.(image\.(registry|repository|tag)|rules\.(enabled|folder))$/,
  },
  "mimir-dashboards-values.yaml": {
    chart: "grafana",
    version: "12.11.1",
    repository: "https://grafana-community.github.io/helm-charts",
    accepts:
      /^sidecar\.(image\.\w+|dashboards\.(enabled|searchNamespace|\w+Annotation|defaultFolderName|provider\.\w+|env\.\w+))$/,
  },
  "perses-values.yaml": {
    chart: "perses",
    version: "0.23.2",
    repository: "https://perses.github.io/helm-charts",
    accepts: /^sidecar\.(enabled|image\.(registry|repository|tag))$/,
  },
};

Deno.test("every sidecar in the examples has a configuration without faults and warnings", () => {
  let count = 0;
  for (const [path, objects] of exampleObjects()) {
    for (const object of objects) {
      for (const sidecar of sidecarsOf(podSpecOf(object) ?? { containers: [] })) {
        count++;
        const env = environmentOf(sidecar, "default");
        const { config, faults } = parseConfig(env);
        assert.deepEqual(faults, [], path);
        assert.deepEqual(config.warnings, [], path);
        assert.deepEqual(Object.keys(env).filter((name) => !isKnown(name)), [], path);
      }
    }
  }
  assert.equal(count, 7);
});

Deno.test("every values file swaps the image, and sets only what the sidecar knows", () => {
  const files = exampleValues();
  assert.deepEqual([...files.keys()], Object.keys(CHARTS));
  for (const [path, values] of files) {
    const found = { images: 0, tag: "", defaults: [] as (string | undefined)[] };
    visit(values, (name, value) => {
      if (name === "image") {
        found.images++;
        const { registry, repository, tag } = value as Record<string, string>;
        assert.deepEqual([registry, repository], ["ghcr.io", "deno-k8s-sidecar/deno-k8s-sidecar"], path);
        found.tag = tag ?? "";
      }
      if (name !== "env") return;
      const env: Record<string, string> = Array.isArray(value)
        ? Object.fromEntries(value.map(({ name, value }) => [name, value]))
        : value as Record<string, string>;
      assert.deepEqual(Object.keys(env).filter((key) => !isKnown(key)), [], path);
      assert.deepEqual(parseConfig({ LABEL: "a", FOLDER: "/a", ...env }).faults, [], path);
      found.defaults.push(env.DEFAULTS);
    });
    assert.equal(found.images, 1, path);
    // The chart's other sidecars get the image, too, also those that the file does not mention
    const isForAll = found.tag.endsWith("-kiwigrid");
    if (!isForAll) assert.ok(found.defaults.length > 0, path);
    for (const value of found.defaults) assert.equal(value, isForAll ? undefined : "kiwigrid", path);
  }
});

Deno.test("every values file sets only values that its chart has", () => {
  for (const [path, values] of exampleValues()) {
    const { accepts } = CHARTS[path as keyof typeof CHARTS];
    assert.deepEqual(leavesOf(values).filter((leaf) => !accepts.test(leaf)), [], path);
  }
});

Deno.test("every values file says which chart it is for and how to install it", () => {
  for (const [path, { chart, version, repository }] of Object.entries(CHARTS)) {
    const text = exampleText(path);
    assert.match(text, new RegExp(`^# Values for the Helm chart "${chart}", version ${version}[:,]`), path);
    assert.match(text, new RegExp(`^# +helm repo add \\S+ ${repository}$`, "m"), path);
    assert.match(text, new RegExp(`^# +helm upgrade --install \\S+ \\S+/${chart} --version ${version} `, "m"), path);
    assert.match(text.replace(/\s*\\\n# +/g, " "), new RegExp(` -f ${path}$`, "m"), path);
    assert.match(text, /^# How to see that it works: docs\/migrating\.md/m, path);
  }
});

function isKnown(name: string): boolean {
  return name in SETTINGS || OTHERS.includes(name);
}

function visit(value: unknown, see: (name: string, value: unknown) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    see(name, item);
    visit(item, see);
  }
}

/** The paths of all values, such as `sidecar.image.tag`. */
function leavesOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, item]) => leavesOf(item, path === "" ? name : `${path}.${name}`));
}

Deno.test("every example, or its folder, is named in a document", () => {
  const names = ["README.md", "SECURITY.md", ...[...Deno.readDirSync(DOCS)].map(({ name }) => `docs/${name}`)];
  const text = names.filter((name) => name.endsWith(".md"))
    .map((name) => Deno.readTextFileSync(new URL(`../../${name}`, import.meta.url))).join();
  const unnamed = [...Deno.readDirSync(new URL("../../examples/", import.meta.url))]
    .filter(({ name }) => !text.includes(`examples/${name}`) && name !== "demo.ts");
  assert.deepEqual(unnamed.map(({ name }) => name), []);
});
