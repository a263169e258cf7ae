/** New versions of CONFIG_FILE while the sidecar runs. */
import assert from "node:assert/strict";
import { ApiFront } from "../../support/api_front.ts";
import { Application } from "../../support/application.ts";
import { eventually } from "../../support/oracle.ts";
import { type AddStory, inClusterAddress } from "../../support/story.ts";
import { ConfigPlace, type Item, reloaded } from "./place.ts";

const SUCCESSFUL = "k8s_sidecar_config_last_reload_successful";

export function tellOfReloading(story: AddStory): void {
  story("New versions by rename, by ..data and by SIGHUP leave an unchanged collection alone", async (at) => {
    await using front = await ApiFront.start(at.controlPlane);
    await using app = new Application();
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    await at.create("ConfigMap", "b", { labels: { [`${at.label}-b`]: "1" }, data: { "b.txt": "b" } });
    const one: Item = { name: "one", notify: { quietPeriod: "50ms", webhook: { url: app.url } } };
    const two = (folder: string): Item => ({ name: "two", label: `${at.label}-b`, folder });
    config.swap([one, two("2")]);
    const sidecar = await config.startReady({ ...await at.serviceAccount(), ...inClusterAddress(front.url) });
    await config.holds({ one: { "a.txt": "a" }, "2": { "b.txt": "b" } });
    await eventually(() => assert.equal(app.calls.length, 1));
    const before = config.inode("one/a.txt");
    const asked = () => front.requests.filter(({ path }) => !path.includes(`${at.label}-b`)).length;
    await front.watching();
    const requests = asked();

    config.swap([one, two("swapped")]);
    await config.holds({ swapped: { "b.txt": "b" }, "2": {} });
    await reloaded(sidecar, 1);
    config.write([one, two("renamed")]);
    await config.holds({ renamed: { "b.txt": "b" }, swapped: {} });
    await reloaded(sidecar, 2);
    // Written in place, and announced
    Deno.writeTextFileSync(config.path, config.text([one, two("signalled")]));
    sidecar.kill("SIGHUP");
    await config.holds({ signalled: { "b.txt": "b" }, renamed: {} });
    await reloaded(sidecar, 3);
    sidecar.kill("SIGHUP");
    await sidecar.logged(/is unchanged/);

    assert.deepEqual([config.inode("one/a.txt"), app.calls.length, asked()], [before, 1, requests]);
    for (const folder of ["2", "swapped", "renamed"]) assert.deepEqual(config.records(folder), []);
    assert.deepEqual(sidecar.findAll(/^(?!.*SIGHUP).*/).filter(({ level }) => level === "ERROR"), []);
  });

  story("A changed selection keeps what it still selects", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { labels: { [at.label]: "x" }, data: { "a.txt": "a" } });
    await at.create("Secret", "b", { labels: { [at.label]: "y" }, data: { "b.txt": "b" } });
    await at.create("ConfigMap", "c", { labels: { [at.label]: "z" }, data: { "c.txt": "c" } });
    config.write([{ name: "one", selector: `${at.label} in (x,y)` }]);
    await config.startReady();
    await config.holds({ one: { "a.txt": "a", "b.txt": "b" } });
    const before = config.inode("one/b.txt");
    config.write([{ name: "one", selector: `${at.label} in (y,z)` }]);
    await config.holds({ one: { "b.txt": "b", "c.txt": "c" } });
    assert.equal(config.inode("one/b.txt"), before);
    config.write([{ name: "one", names: [`${at.namespace}/secret/b`] }]);
    await config.holds({ one: { "b.txt": "b" } });
    assert.equal(config.inode("one/b.txt"), before);
  });

  story("A changed notification alone lists and writes nothing", async (at) => {
    await using front = await ApiFront.start(at.controlPlane);
    await using before = new Application();
    await using after = new Application();
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    const to = (app: Application, more = {}): Item[] => [
      { name: "one", notify: { quietPeriod: "50ms", webhook: { url: app.url, ...more } } },
    ];
    config.write(to(before));
    const sidecar = await config.startReady({ ...await at.serviceAccount(), ...inClusterAddress(front.url) });
    await eventually(() => assert.equal(before.calls.length, 1));
    await front.watching();
    const state = [front.requests.length, config.inode("one/a.txt")];
    config.write(to(after, { method: "POST", payload: { reason: "files" } }));
    await reloaded(sidecar);
    assert.deepEqual([front.requests.length, config.inode("one/a.txt")], state);
    await at.change("ConfigMap", "a", { data: { "a.txt": "b" } });
    await eventually(() => assert.equal(after.calls.length, 1));
    assert.deepEqual([after.calls[0]?.method, after.calls[0]?.body], ["POST", '{"reason":"files"}']);
    assert.equal(before.calls.length, 1);
  });

  story("A removed collection takes its files and its record along, or leaves its files", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" }, annotations: { "k8s-sidecar-target-directory": "d" } });
    const one = { name: "one" };
    config.write([one, { name: "goes" }, { name: "stays", onRemove: "keep" }]);
    const sidecar = await config.startReady();
    await config.holds({ goes: { "d/a.txt": "a" }, stays: { "d/a.txt": "a" } });
    Deno.writeTextFileSync(`${config.folder("goes")}/d/foreign`, "foreign", { mode: 0o644 });
    config.write([one]);
    await config.holds({ one: { "d/a.txt": "a" }, goes: { "d/foreign": "foreign" }, stays: { "d/a.txt": "a" } });
    await sidecar.logged(/collection \w+ was removed/, { count: 2 });
    assert.deepEqual([config.records("goes"), config.records("stays")], [[], []]);
    // It is another process's folder from now on
    assert.equal(await sidecar.metric('k8s_sidecar_files{collection="goes"}'), undefined);

    // Both come back
    config.write([one, { name: "goes" }, { name: "stays" }]);
    await config.holds({ goes: { "d/a.txt": "a", "d/foreign": "foreign" }, stays: { "d/a.txt": "a" } });
  });

  story("A broken version changes nothing but one error and the metric, until it is repaired", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    config.write([{ name: "one" }]);
    const sidecar = await config.startReady();
    assert.equal(await sidecar.metric(SUCCESSFUL), 1);
    const before = config.inode("one/a.txt");
    const broken = [
      "version: 1",
      "collections:",
      `- { name: one, label: ${at.label}, folder: ${config.folder("one")}, fileMode: "0944" }`,
      `- { name: two, label: ${at.label}, folder: ${config.folder("two")}, fileMoed: "0644" }`,
    ].join("\n");
    config.writeText(broken);
    await eventually(async () => assert.equal(await sidecar.metric(SUCCESSFUL), 0));
    const [error, ...others] = sidecar.lines.filter(({ level }) => level === "ERROR");
    assert.equal(others.length, 0);
    assert.match(error?.msg ?? "", /^the new CONFIG_FILE is not used; the sidecar goes on with the one before: /);
    const line = 3;
    const column = (broken.split("\n")[line - 1] ?? "").indexOf('"0944"') + 1;
    assert.ok(error?.msg.includes(`${config.path}:${line}:${column} `), `${error?.msg}`);
    assert.ok(error?.msg.includes(`${config.path}:4:`), `${error?.msg}`);

    // It is told once, and everything goes on
    sidecar.kill("SIGHUP");
    await at.change("ConfigMap", "a", { data: { "b.txt": "b" } });
    await config.holds({ one: { "a.txt": "a", "b.txt": "b" } });
    assert.equal(config.inode("one/a.txt"), before);
    assert.equal((await sidecar.health("/readyz")).status, 200);
    assert.equal(sidecar.lines.filter(({ level }) => level === "ERROR").length, 1);

    config.write([{ name: "one" }, { name: "two" }]);
    await config.holds({ two: { "a.txt": "a", "b.txt": "b" } });
    await eventually(async () => assert.equal(await sidecar.metric(SUCCESSFUL), 1));
    assert.equal(config.inode("one/a.txt"), before);
  });
}
