import assert from "node:assert/strict";
import type { WatchEvent } from "../../lib/kube/client/client.ts";
import { Watcher } from "../../lib/kube/watch/watcher.ts";
import { FolderError, FolderSource } from "../../lib/manifests/folder_source.ts";
import type { Source } from "../../lib/objects/source.ts";
import { type Clock, systemClock } from "../../lib/runtime/clock.ts";
import { keptLog } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { until } from "../support/local_servers.ts";

const CONFIG_MAPS: Source = { kind: "ConfigMap" };

/** A folder, files in it and the source that follows it. */
async function followed(files: Record<string, string>, clock: Clock = systemClock) {
  const folder = tempFolder();
  const { path } = folder;
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${path}/${name}`, text);
  const log = keptLog();
  const source = await FolderSource.open(path, { outputs: [], clock, log });
  const stop = new AbortController();
  return {
    path,
    source,
    log,
    stop,
    save(name: string, text: string): void {
      Deno.writeTextFileSync(`${path}/${name}~`, text);
      Deno.renameSync(`${path}/${name}~`, `${path}/${name}`);
    },
    remove: (name: string) => Deno.removeSync(`${path}/${name}`, { recursive: true }),
    async list(selection: Source) {
      const found: string[] = [];
      const pages = source.list(selection, { limit: 1 }, stop.signal);
      while (true) {
        const { done, value } = await pages.next();
        if (done) return { found, ...value };
        found.push(...value.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`));
      }
    },
    watch(selection: Source, resourceVersion: string, timeoutSeconds = 600) {
      return watched(source, selection, { resourceVersion, timeoutSeconds }, stop.signal);
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the test is over"));
      await source.close();
      folder[Symbol.dispose]();
    },
  };
}

/** A watch under way. `seen` has an entry for each event: `MODIFIED name@version data`. */
function watched(
  source: FolderSource,
  selection: Source,
  query: { resourceVersion: string; timeoutSeconds: number },
  signal: AbortSignal,
) {
  const seen: string[] = [];
  let answers = 0;
  const told = ({ type, object: { metadata: { name, resourceVersion }, data } }: WatchEvent) =>
    `${type} ${name}@${resourceVersion}${data ? ` ${data.k}` : ""}`;
  const ended = (async () => {
    for await (const events of source.watch(selection, query, signal, () => answers++)) seen.push(...events.map(told));
    return "ended";
  })().catch((error) => error.message);
  return { seen, ended, answers: () => answers };
}

function configMap(name: string, value: string, metadata = ""): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${metadata}}\ndata: {k: "${value}"}\n---\n`;
}

Deno.test("FolderSource.list() narrows by kind, namespace, labels and name", async () => {
  await using at = await followed({
    "a.yaml": configMap("a", "1", ", labels: {app: x}") + configMap("b", "1", ", namespace: team, labels: {app: y}"),
    "b.yaml": configMap("c", "1") + "apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: {app: x}}\n",
  });
  const found = async (source: Source) => (await at.list(source)).found.join(" ");
  assert.equal(await found(CONFIG_MAPS), "default/a team/b default/c");
  assert.equal(await found({ kind: "Secret" }), "default/s");
  assert.equal(await found({ ...CONFIG_MAPS, namespace: "team" }), "team/b");
  assert.equal(await found({ ...CONFIG_MAPS, labelSelector: "app in (x)" }), "default/a");
  assert.equal(await found({ ...CONFIG_MAPS, labelSelector: "!app" }), "default/c");
  assert.equal(await found({ ...CONFIG_MAPS, name: "b" }), "team/b");
  assert.deepEqual(await at.list({ kind: "Secret", namespace: "team" }), { found: [], resourceVersion: "4" });
  assert.equal(await at.source.namespace(), "default");
});

Deno.test("FolderSource.read() finds one object while it is selected", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1", ", labels: {app: x}") });
  const read = (source: Partial<Source>, namespace = "default") =>
    at.source.read({ ...CONFIG_MAPS, ...source }, { kind: "ConfigMap", namespace, name: "a" }, at.stop.signal);
  assert.deepEqual((await read({}))?.data, { k: "1" });
  assert.equal((await read({}))?.metadata.resourceVersion, "1");
  assert.equal(await read({ labelSelector: "app=y" }), undefined);
  assert.equal(await read({}, "team"), undefined);
  assert.equal(await read({ kind: "Secret" }), undefined);
  at.remove("a.yaml");
  const watch = at.watch(CONFIG_MAPS, "1");
  await until(() => watch.seen.length > 0);
  assert.equal(await read({}), undefined);
});

Deno.test("FolderSource.watch() tells of files that change, appear and go", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1") });
  const watch = at.watch(CONFIG_MAPS, "1");
  const next = async (event: string) => {
    await until(() => watch.seen.length > 0).catch(() => {});
    assert.deepEqual(watch.seen.splice(0), [event]);
  };
  Deno.writeTextFileSync(`${at.path}/a.yaml`, configMap("a", "2"));
  await next("MODIFIED a@2 2");
  at.save("a.yaml", configMap("a", "3"));
  await next("MODIFIED a@3 3");
  Deno.mkdirSync(`${at.path}/new`);
  at.save("new/b.yaml", configMap("b", "1"));
  await next("MODIFIED b@4 1");
  at.remove("new");
  await next("DELETED b@5");
  at.save("a.yaml", configMap("a", "3", ", creationTimestamp: 2020-01-01T00:00:00Z"));
  await next("MODIFIED a@6 3");
  assert.deepEqual([watch.answers(), at.log.lines], [1, []]);
});

Deno.test("FolderSource.watch() tells of an object that loses its label as deleted", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1", ", labels: {app: x}") });
  const watch = at.watch({ ...CONFIG_MAPS, labelSelector: "app" }, "1");
  at.save("a.yaml", configMap("a", "1"));
  await until(() => watch.seen.length === 1);
  at.save("a.yaml", configMap("a", "1", ", labels: {app: y}"));
  await until(() => watch.seen.length === 2);
  assert.deepEqual(watch.seen, ["DELETED a@2 1", "MODIFIED a@3 1"]);
});

Deno.test("FolderSource.watch() goes on from a version, with each object as it is now", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1"), "b.yaml": configMap("b", "1") });
  const live = at.watch(CONFIG_MAPS, "2");
  at.save("b.yaml", configMap("b", "2"));
  await until(() => live.seen.length === 1);
  at.save("a.yaml", configMap("a", "2"));
  await until(() => live.seen.length === 2);
  at.remove("b.yaml");
  await until(() => live.seen.length === 3);
  const resumed = at.watch(CONFIG_MAPS, "2");
  await until(() => resumed.seen.length === 2);
  assert.deepEqual(resumed.seen, ["MODIFIED a@4 2", "DELETED b@5"]);
});

Deno.test("FolderSource leaves an object its version when only the text around it changes", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1") });
  const watch = at.watch(CONFIG_MAPS, "1");
  at.save("a.yaml", `# a comment\n${configMap("a", "1")}${configMap("b", "1")}`);
  await until(() => watch.seen.length > 0);
  assert.deepEqual(watch.seen, ["MODIFIED b@2 1"]);
});

Deno.test("FolderSource follows a mounted ConfigMap when the kubelet swaps ..data", async () => {
  const folder = tempFolder();
  const { path } = folder;
  const publish = (directory: string, files: Record<string, string>) => {
    Deno.mkdirSync(`${path}/${directory}`);
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${path}/${directory}/${name}`, text);
    Deno.symlinkSync(directory, `${path}/..data_tmp`);
    Deno.renameSync(`${path}/..data_tmp`, `${path}/..data`);
  };
  publish("..2024_1", { "a.yaml": configMap("a", "1"), "b.yaml": configMap("b", "1") });
  for (const name of ["a.yaml", "b.yaml"]) Deno.symlinkSync(`..data/${name}`, `${path}/${name}`);
  const log = keptLog();
  const source = await FolderSource.open(path, { outputs: [], clock: systemClock, log });
  const stop = new AbortController();
  const watch = watched(source, CONFIG_MAPS, { resourceVersion: "2", timeoutSeconds: 600 }, stop.signal);
  publish("..2024_2", { "a.yaml": configMap("a", "2") });
  Deno.removeSync(`${path}/b.yaml`);
  Deno.removeSync(`${path}/..2024_1`, { recursive: true });
  await until(() => watch.seen.length === 2);
  assert.deepEqual(watch.seen, ["DELETED b@3", "MODIFIED a@4 2"]);
  assert.deepEqual(log.lines, []);
  stop.abort();
  await source.close();
  folder[Symbol.dispose]();
});

Deno.test("FolderSource tells once that a file is invalid, and once that it is valid", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1") });
  at.save("a.yaml", "kind: x\n");
  await until(() => at.log.lines.length === 1);
  const watch = at.watch(CONFIG_MAPS, "1");
  at.save("b.yaml", configMap("b", "1"));
  await until(() => watch.seen.length === 1);
  at.save("a.yaml", configMap("a", "2"));
  await until(() => watch.seen.length === 2);
  assert.deepEqual(at.log.lines, [
    "error: a.yaml:1: not a Kubernetes object: apiVersion and kind are required; the change is ignored until the file is valid",
    "info: a.yaml is valid again",
  ]);
  assert.deepEqual(watch.seen, ["MODIFIED b@2 1", "MODIFIED a@3 2"]);
});

Deno.test("FolderSource says nothing of an invalid file that is removed", async () => {
  await using at = await followed({ "a.yaml": configMap("a", "1") });
  const watch = at.watch(CONFIG_MAPS, "1");
  at.save("a.yaml", "{");
  await until(() => at.log.lines.length === 1);
  at.remove("a.yaml");
  await until(() => watch.seen.length === 1);
  assert.deepEqual([watch.seen, at.log.lines.length], [["DELETED a@2"], 1]);
});

Deno.test("FolderSource looks at the folder without an announcement", async () => {
  const clock = new FakeClock();
  const folder = tempFolder();
  Deno.mkdirSync(`${folder.path}/v1`);
  Deno.writeTextFileSync(`${folder.path}/v1/a.yaml`, configMap("a", "1"));
  Deno.mkdirSync(`${folder.path}/v2`);
  Deno.writeTextFileSync(`${folder.path}/v2/a.yaml`, configMap("a", "2"));
  Deno.symlinkSync("v1", `${folder.path}/current`);
  const source = await FolderSource.open(`${folder.path}/current`, { outputs: [], clock, log: keptLog() });
  const stop = new AbortController();
  const watch = watched(source, CONFIG_MAPS, { resourceVersion: "1", timeoutSeconds: 600 }, stop.signal);
  // The folder that is watched is still v1
  Deno.symlinkSync("v2", `${folder.path}/next`);
  Deno.renameSync(`${folder.path}/next`, `${folder.path}/current`);
  await clock.advance(2);
  await until(() => watch.seen.length > 0);
  assert.deepEqual(watch.seen, ["MODIFIED a@2 2"]);
  stop.abort();
  await source.close();
  folder[Symbol.dispose]();
});

Deno.test("FolderSource.watch() ends after timeoutSeconds, and when its signal aborts", async () => {
  const clock = new FakeClock();
  await using at = await followed({ "a.yaml": configMap("a", "1") }, clock);
  const timed = at.watch(CONFIG_MAPS, "1", 60);
  const aborted = at.watch(CONFIG_MAPS, "1", 60);
  const sleeping = clock.sleeping;
  at.stop.abort(new Error("stopped"));
  assert.equal(await aborted.ended, "stopped");
  assert.equal(await timed.ended, "stopped");
  assert.equal(clock.sleeping, sleeping - 2);
  await assert.rejects(at.list(CONFIG_MAPS), /stopped/);
  const fresh = watched(
    at.source,
    CONFIG_MAPS,
    { resourceVersion: "1", timeoutSeconds: 60 },
    new AbortController().signal,
  );
  await clock.advance(60);
  assert.equal(await fresh.ended, "ended");
});

Deno.test("FolderSource.open() refuses what is no folder, and names every invalid file", async () => {
  const options = { outputs: [], clock: systemClock, log: keptLog() };
  using folder = tempFolder();
  const faults = async (dir: string) => {
    const error = await FolderSource.open(dir, options).then(() => assert.fail(), (error) => error);
    assert.ok(error instanceof FolderError);
    return error.faults.map((fault) => fault.replaceAll(folder.path, "DIR"));
  };
  Deno.writeTextFileSync(`${folder.path}/a.yaml`, "kind: x\n");
  Deno.writeTextFileSync(`${folder.path}/b.yaml`, configMap("b", "1"));
  Deno.writeTextFileSync(`${folder.path}/c.yaml`, configMap("b", "1"));
  assert.deepEqual(await faults(folder.path), [
    "a.yaml:1: not a Kubernetes object: apiVersion and kind are required",
    "c.yaml:1: ConfigMap default/b is already defined at b.yaml:1",
  ]);
  const [file] = await faults(`${folder.path}/a.yaml`);
  assert.match(file!, /^--manifests: the folder "DIR\/a\.yaml" cannot be read: Not a directory/);
  const [missing] = await faults(`${folder.path}/none`);
  assert.match(missing!, /^--manifests: the folder "DIR\/none" cannot be read: No such file/);
});

Deno.test("a Watcher follows a FolderSource from list to watch to the next watch", async () => {
  const clock = new FakeClock();
  await using at = await followed({ "a.yaml": configMap("a", "1") }, clock);
  const events: string[] = [];
  const times = { sleepTime: 60, serverTimeout: 600, clientTimeout: 660, resyncPeriod: 0, firstBackoff: 1 };
  const options = { client: at.source, source: CONFIG_MAPS, mode: "watch" as const, ...times };
  const watcher = new Watcher({ ...options, clock, random: () => 0, heartbeat: { expectWithin() {} } });
  const ended = (async () => {
    for await (const event of watcher.run(at.stop.signal)) {
      const objects = "objects" in event ? event.objects : "object" in event ? [event.object] : [];
      events.push([event.type, ...objects.map(({ metadata: { name }, data }) => `${name}=${data?.k}`)].join(" "));
    }
  })();
  // The source for its next look, the watch for its end, and the watcher for its deadline
  const isWaiting = () => clock.sleeping === 3;
  await until(isWaiting);
  await clock.advance(1500);
  at.save("a.yaml", configMap("a", "2"));
  await until(isWaiting);
  await clock.advance(2);
  await until(() => events.length > 3);
  assert.deepEqual(events, ["init", "initApply a=1", "initDone", "apply a=2"]);
  at.stop.abort(new Error("the test is over"));
  await ended;
});

Deno.test("FolderSource serves the project's examples", async () => {
  const log = keptLog();
  const dir = new URL("../../examples/manifests", import.meta.url).pathname;
  const source = await FolderSource.open(dir, { outputs: [], clock: systemClock, log });
  const labels: unknown[] = [];
  for (const kind of ["ConfigMap", "Secret"] as const) {
    for await (const objects of source.list({ kind }, {}, new AbortController().signal)) {
      labels.push(...objects.map(({ metadata }) => metadata.labels?.["k8s-sidecar"]));
    }
  }
  assert.ok(labels.length >= 5);
  assert.deepEqual([new Set(labels), log.lines], [new Set(["demo"]), []]);
  await source.close();
});
