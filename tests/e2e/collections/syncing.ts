/** Several collections as Grafana needs them: each with its folder, its webhook and its faults. */
import assert from "node:assert/strict";
import { ApiFront } from "../../support/api_front.ts";
import { Application } from "../../support/application.ts";
import { readOnly, where } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import { type AddStory, inClusterAddress, type Story } from "../../support/story.ts";
import { ConfigPlace } from "./place.ts";

export const READER = { name: "config-map-reader", token: "config-map-reader-token" };

const FIVE = ["datasources", "alerting", "plugins", "dashboards", "org2"];

/** Each kind of configuration has a label of its own. */
const labelOf = (at: Story, name: string) => `${at.label}-${name}`;

async function createFive(at: Story): Promise<void> {
  for (const name of FIVE) {
    const labels = { [labelOf(at, name)]: "1" };
    await at.create("ConfigMap", name, { labels, data: { [`${name}.yaml`]: name } });
  }
  await at.create("Secret", "datasources", { labels: { [labelOf(at, "datasources")]: "1" }, data: { "s.yaml": "s" } });
}

export function tellOfSyncing(story: AddStory): void {
  story("Five collections follow their objects, each into its folder", async (at) => {
    await using grafana = new Application();
    const config = new ConfigPlace(at);
    await createFive(at);
    config.write(FIVE.map((name) => ({ name, label: labelOf(at, name), notify: { webhook: { url: grafana.url } } })), {
      notify: { quietPeriod: "100ms", onFirstSync: false },
    });
    const sidecar = await config.startReady();
    const first = Object.fromEntries(FIVE.map((name) => [name, { [`${name}.yaml`]: name }]));
    await config.holds({ ...first, datasources: { "datasources.yaml": "datasources", "s.yaml": "s" } });
    assert.equal(grafana.calls.length, 0);

    await at.change("ConfigMap", "alerting", { data: { "alerting.yaml": "changed" } });
    await at.change("Secret", "datasources", { data: { "s.yaml": null, "t.yaml": "t" } });
    await at.delete("ConfigMap", "plugins");
    await at.change("ConfigMap", "org2", {
      labels: { [labelOf(at, "org2")]: null, [labelOf(at, "dashboards")]: "1" },
    });
    await config.holds({
      alerting: { "alerting.yaml": "changed" },
      datasources: { "datasources.yaml": "datasources", "t.yaml": "t" },
      plugins: {},
      dashboards: { "dashboards.yaml": "dashboards", "org2.yaml": "org2" },
      org2: {},
    });
    await eventually(() => assert.equal(grafana.calls.length, 5));

    const written = sidecar.findAll(/wrote .*alerting\.yaml/);
    assert.deepEqual(written.map(({ fields }) => fields.collection), ["alerting", "alerting"]);
    assert.equal(sidecar.findAll("Initial sync complete").length, 5);
    const counts = await Promise.all(FIVE.map((name) => sidecar.metric(`k8s_sidecar_files{collection="${name}"}`)));
    assert.deepEqual(counts, [2, 1, 0, 2, 0]);
  });

  story("Collections that select the same objects list and watch them once", async (at) => {
    await using front = await ApiFront.start(at.controlPlane);
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    config.write(FIVE.map((name) => ({ name })), { namespaces: [at.namespace] });
    await config.startReady({ ...await at.serviceAccount(), ...inClusterAddress(front.url) });
    await config.holds(Object.fromEntries(FIVE.map((name) => [name, { "a.txt": "a" }])));
    // A streaming list, which an older API server refuses; then a list and a watch
    const asked = (plural: string) => {
      const paths = front.requests.map(({ path }) => path).filter((path) => path.includes(`/${plural}?`));
      const isStream = (path: string) => path.includes("sendInitialEvents");
      const isWatch = (path: string) => path.includes("watch=true") && !isStream(path);
      const streams = paths.filter(isStream).length;
      const watches = paths.filter(isWatch).length;
      return { streams, watches, lists: paths.length - streams - watches };
    };
    for (const plural of ["configmaps", "secrets"]) {
      await eventually(() => {
        const { streams, watches, lists } = asked(plural);
        assert.ok(streams <= 1 && lists <= 1 && watches <= 1 && watches === lists, JSON.stringify(asked(plural)));
        assert.ok(streams + watches > 0);
      });
    }
  });

  story("LABEL and FOLDER are the collection default beside those of the file", async (at) => {
    const config = new ConfigPlace(at);
    await createFive(at);
    await at.create("ConfigMap", "own", { data: { "own.txt": "own" } });
    config.write([{ name: "alerting", label: labelOf(at, "alerting") }]);
    const sidecar = await config.startReady({ LABEL: at.label, FOLDER: config.folder("files") });
    await config.holds({ files: { "own.txt": "own" }, alerting: { "alerting.yaml": "alerting" } });
    assert.deepEqual(sidecar.findAll("wrote").map(({ fields }) => fields.collection).sort(), ["alerting", "default"]);
    assert.equal(await sidecar.metric('k8s_sidecar_files{collection="default"}'), 1);

    // The environment stays when the file changes
    config.write([{ name: "plugins", label: labelOf(at, "plugins") }]);
    await config.holds({ files: { "own.txt": "own" }, plugins: { "plugins.yaml": "plugins" }, alerting: {} });
    assert.deepEqual(config.records("alerting"), []);
  });

  story("A source that is forbidden holds up no other collection", async (at) => {
    const config = new ConfigPlace(at);
    await at.allow(READER.name, { resources: ["configmaps"] });
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    await at.create("Secret", "s", { data: { "s.txt": "s" } });
    config.write([{ name: "maps", resource: "configmap" }, { name: "secrets", resource: "secret" }], {
      namespaces: [at.namespace],
    });
    const sidecar = await config.start(await at.serviceAccount(READER.token));
    await config.holds({ maps: { "a.txt": "a" } });
    const { status, text } = await sidecar.health("/readyz");
    assert.equal(status, 503);
    assert.match(text, /^secrets: not synced yet: secrets in .*: not allowed to /);
    await at.change("ConfigMap", "a", { data: { "a.txt": "b" } });
    await config.holds({ maps: { "a.txt": "b" } });
    await at.allow(READER.name, { resources: ["secrets"] });
    await config.holds({ secrets: { "s.txt": "s" } });
  });

  story("A webhook that is dead, and one that never answers, hold up no other collection", async (at) => {
    await using dead = new Application({ closed: true });
    await using silent = new Application();
    await using healthy = new Application();
    silent.hold();
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    const notified = (app: Application) => ({ quietPeriod: "50ms", webhook: { url: app.url } });
    config.write([
      { name: "dead", notify: notified(dead) },
      { name: "silent", notify: notified(silent) },
      { name: "healthy", notify: notified(healthy) },
    ]);
    await config.startReady();
    for (const text of ["b", "c"]) {
      const calls = healthy.calls.length;
      await at.change("ConfigMap", "a", { data: { "a.txt": text } });
      await config.holds({ dead: { "a.txt": text }, silent: { "a.txt": text }, healthy: { "a.txt": text } });
      await eventually(() => assert.ok(healthy.calls.length > calls));
    }
    assert.equal(silent.mostOpen, 1);

    // Neither of them delays a new version of the file
    const begun = performance.now();
    config.write([{ name: "healthy", notify: notified(healthy) }]);
    await config.holds({ dead: {}, silent: {}, healthy: { "a.txt": "c" } });
    assert.ok(performance.now() - begun < 5000);
  });

  const { name, ignore } = where("mounts", "A folder that is read-only holds up no other collection");
  story(name, async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    config.write([{ name: "broken" }, { name: "fine" }]);
    Deno.mkdirSync(config.folder("broken"));
    {
      using _ = readOnly(config.folder("broken"));
      const sidecar = await config.start();
      await config.holds({ fine: { "a.txt": "a" } });
      await eventually(async () => {
        const { status, text } = await sidecar.health("/readyz");
        assert.equal(status, 503);
        assert.match(text, /^broken: not synced yet: .*[Rr]ead-only file system/);
      });
      await at.change("ConfigMap", "a", { data: { "a.txt": "b" } });
      await config.holds({ fine: { "a.txt": "b" } });
    }
    await config.holds({ broken: { "a.txt": "b" } });
  }, { ignore });
}
