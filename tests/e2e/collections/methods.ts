/** Several collections with METHOD=LIST and SLEEP, with `--manifests`, finalizers and Events. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../support/oracle.ts";
import type { AddStory, Story } from "../../support/story.ts";
import { ConfigPlace } from "./place.ts";
import { READER } from "./syncing.ts";

const FINALIZER = "example.com/files";

async function finalizersOf(at: Story, name: string): Promise<string[] | undefined> {
  const path = `/api/v1/namespaces/${at.namespace}/configmaps/${name}`;
  const { status, body } = await at.controlPlane.request("GET", path);
  return status === 404 ? undefined : body.metadata.finalizers ?? [];
}

export function tellOfMethods(story: AddStory): void {
  story("METHOD=LIST writes every collection, cleans up and ends", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    config.write([{ name: "one" }, { name: "two" }]);
    const first = await config.start({ METHOD: "LIST" });
    assert.equal((await first.exited()).code, 0);
    await config.holds({ one: { "a.txt": "a" }, two: { "a.txt": "a" } });
    config.write([{ name: "one" }, { name: "three" }]);
    const second = await config.start({ METHOD: "LIST" });
    assert.equal((await second.exited()).code, 0);
    await config.holds({ one: { "a.txt": "a" }, two: {}, three: { "a.txt": "a" } });
    assert.deepEqual(config.records("two"), []);
  });

  story("METHOD=LIST ends with 3 for a source that is forbidden, with the files of the others", async (at) => {
    const config = new ConfigPlace(at);
    await at.allow(READER.name, { resources: ["configmaps"] });
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    config.write([{ name: "maps", resource: "configmap" }, { name: "secrets", resource: "secret" }], {
      namespaces: [at.namespace],
    });
    const sidecar = await config.start({ METHOD: "LIST", ...await at.serviceAccount(READER.token) });
    assert.equal((await sidecar.exited()).code, 3);
    await config.holds({ maps: { "a.txt": "a" } });
    assert.match(sidecar.find("incomplete: ")?.msg ?? "", /secrets/);
  });

  story("METHOD=SLEEP follows several collections, and the file", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    config.write([{ name: "one" }, { name: "two" }]);
    await config.startReady({ METHOD: "SLEEP", SLEEP_TIME: "1" });
    await at.change("ConfigMap", "a", { data: { "a.txt": "b" } });
    await config.holds({ one: { "a.txt": "b" }, two: { "a.txt": "b" } });
    config.write([{ name: "one" }, { name: "three" }]);
    await config.holds({ one: { "a.txt": "b" }, two: {}, three: { "a.txt": "b" } });
  });

  story("--manifests feeds several collections", async (at) => {
    const config = new ConfigPlace(at);
    const manifests = join(at.dir, "manifests");
    Deno.mkdirSync(manifests);
    const write = (text: string) => {
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", labels: { [at.label]: "1" } } };
      Deno.writeTextFileSync(join(manifests, "a.json"), JSON.stringify({ ...object, data: { "a.txt": text } }));
    };
    write("a");
    config.write([{ name: "one" }, { name: "two" }]);
    await config.startReady({}, { args: ["--manifests", manifests] });
    await config.holds({ one: { "a.txt": "a" }, two: { "a.txt": "a" } });
    write("b");
    await config.holds({ one: { "a.txt": "b" }, two: { "a.txt": "b" } });
    config.write([{ name: "two" }, { name: "three" }]);
    await config.holds({ one: {}, two: { "a.txt": "b" }, three: { "a.txt": "b" } });
  });

  story("An object of two collections is released when both are done with it", async (at) => {
    const config = new ConfigPlace(at);
    const other = `${at.label}-other`;
    await at.create("ConfigMap", "a", { labels: { [at.label]: "1", [other]: "1" }, data: { "a.txt": "a" } });
    await at.create("ConfigMap", "b", { data: { "b.txt": "b" } });
    config.write([{ name: "one" }, { name: "two", label: other }]);
    await config.startReady({ FINALIZERS: "true", FINALIZER_NAME: FINALIZER });
    assert.deepEqual([await finalizersOf(at, "a"), await finalizersOf(at, "b")], [[FINALIZER], [FINALIZER]]);

    // Only one of them is done with it
    await at.change("ConfigMap", "a", { labels: { [other]: null } });
    await config.holds({ one: { "a.txt": "a", "b.txt": "b" }, two: {} });
    assert.deepEqual(await finalizersOf(at, "a"), [FINALIZER]);
    await at.delete("ConfigMap", "a");
    await eventually(async () => assert.equal(await finalizersOf(at, "a"), undefined));
    await config.holds({ one: { "b.txt": "b" } });

    // A collection that is removed releases what no other has
    config.write([{ name: "two", label: other }]);
    await config.holds({ one: {} });
    await eventually(async () => assert.deepEqual(await finalizersOf(at, "b"), []));
  });

  story("EVENT_LOGGING tells of each collection's faults at its object", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", {
      data: { "a.txt": "a" },
      annotations: { "k8s-sidecar-target-directory": "/elsewhere" },
    });
    config.write([{ name: "one" }, { name: "two" }]);
    await config.startReady({ EVENT_LOGGING: "true" });
    await eventually(async () => {
      const { body } = await at.request("GET", `/api/v1/namespaces/${at.namespace}/events`);
      // deno-lint-ignore no-explicit-any
      const warnings = body.items.filter(({ type }: any) => type === "Warning");
      const [event] = warnings;
      assert.equal(event?.involvedObject.name, "a");
      assert.match(event?.message, /elsewhere/);
    });
  });
}
