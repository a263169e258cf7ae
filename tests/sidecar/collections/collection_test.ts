import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { CONFIG_MAPS, type StoredMeta } from "../../apiserver/resources.ts";
import type { FileEvent } from "../../../lib/reconcile/file_event.ts";
import { Liveness } from "../../../lib/sidecar/liveness.ts";
import { given } from "../../../lib/runtime/given.ts";
import type { EventPoster } from "../../../lib/sidecar/event_poster.ts";
import type { FinalizerGuard } from "../../../lib/sidecar/finalizer_guard.ts";
import { placeOf } from "../../../lib/sidecar/collections/collection_id.ts";
import { NotificationHistory } from "../../../lib/sidecar/collections/told.ts";
import { SharedSources } from "../../../lib/sidecar/sources/shared_sources.ts";
import { SharedDownloads } from "../../../lib/downloads/shared_downloads.ts";
import { RunningCollection } from "../../../lib/sidecar/collections/collection.ts";
import { SidecarMetrics } from "../../../lib/serve/metrics.ts";
import { openTransport } from "../../../lib/http/open_transport.ts";
import { ApiGateway, keptLog, refusal } from "../../support/api_gateway.ts";
import { diskTest, filesIn, smallDisk, tempFolder } from "../../support/disk.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { listen, serve, until } from "../../support/local_servers.ts";

/** A folder and an API server, and collections as the environment would have them. */
function place() {
  const folder = tempFolder();
  const gateway = new ApiGateway();
  const { registry } = gateway.server;
  const transport = openTransport();
  return {
    path: folder.path,
    gateway,
    create: (name: string, data: Record<string, string>, metadata: Partial<StoredMeta> = {}) =>
      void registry.create(CONFIG_MAPS, "default", { metadata: { name, labels: { app: "" }, ...metadata }, data }),
    remove: (name: string) => void registry.delete(CONFIG_MAPS, "default", name),
    files: () => filesIn(`${folder.path}/files`),
    async open(env: Record<string, string> = {}, finalizerGuard?: FinalizerGuard) {
      const config = parseConfig({ LABEL: "app", FOLDER: `${folder.path}/files`, ...env }).config;
      const clock = new FakeClock();
      const told: FileEvent[] = [];
      const eventPoster: EventPoster = {
        post: (event) => void told.push(event),
        run: async () => {},
        flush: async () => {},
      };
      const log = keptLog();
      const liveness = new Liveness(clock);
      let sources: SharedSources | undefined;
      const follow = (mode: "once" | "watch") => {
        const { client } = gateway;
        const { watch } = config;
        sources = new SharedSources({ client, mode, watch, liveness, onRestart() {}, clock, random: () => 0, log });
      };
      const collection = await RunningCollection.open({
        collection: config.collections[0]!,
        config,
        client: gateway.client,
        place: await placeOf(config.collections[0]!),
        haveNamespacesLabels: true,
        env: {},
        configFiles: [],
        transports: {
          of: () => ({
            webhook: () => Promise.resolve(transport),
            downloads: () => Promise.resolve(transport),
            close() {},
          }),
        },
        garbage: { count() {} },
        notificationHistory: new NotificationHistory(),
        sharedDownloads: new SharedDownloads({ clock, random: () => 0, log }),
        metrics: new SidecarMetrics({ build: { version: "", revision: "" }, clock, wallClock: () => 0 }),
        eventPoster,
        ...given("finalizerGuard", finalizerGuard),
        liveness,
        sources: {
          follow: (...call) => sources!.follow(...call),
          failureOf: (target) => sources?.failureOf(target),
          timesOf: (target) => sources?.timesOf(target),
        },
        isAdded: false,
        onReady: () => true,
        clock,
        random: () => 0,
        log,
      });
      const stop = new AbortController();
      let running: Promise<void> | undefined;
      return {
        collection,
        clock,
        log,
        told,
        list() {
          follow("once");
          return collection.list(stop.signal);
        },
        run() {
          follow("watch");
          running = collection.run(stop.signal);
        },
        async [Symbol.asyncDispose]() {
          stop.abort();
          await running;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      transport.close();
      await gateway[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** An application that counts its calls. */
function application() {
  let calls = 0;
  const served = serve(() => {
    calls++;
    return new Response();
  });
  return { ...served, url: `http://127.0.0.1:${served.port}/`, calls: () => calls };
}

Deno.test("run() keeps files as the objects are until it is stopped, and tells of each", async () => {
  await using at = place();
  at.create("a", { "a.txt": "a" });
  await using it = await at.open();
  it.run();
  await until(() => it.collection.notReady() === undefined);
  assert.deepEqual(at.files(), { "a.txt": "a" });
  at.create("b", { "b.txt": "b" });
  await until(() => it.told.length === 2);
  assert.deepEqual([it.collection.objects, it.collection.files], [2, 2]);
  at.remove("a");
  await until(() => it.told.length === 3);
  assert.deepEqual(at.files(), { "b.txt": "b" });
  assert.deepEqual(it.told.map(({ type, ref }) => `${type} ${ref.name}`), ["written a", "written b", "removed a"]);
});

Deno.test("notReady() names the source that it waits for, and what is wrong with it", async () => {
  await using at = place();
  at.gateway.intercept = ({ path }) =>
    path.startsWith("/api/v1/secrets") ? refusal(503, "ServiceUnavailable", "starting") : undefined;
  await using it = await at.open();
  assert.equal(it.collection.notReady(), "not synced yet: configmaps in all namespaces");
  it.run();
  const reason = /^not synced yet: secrets in all namespaces: GET .*: starting$/;
  await until(() => reason.test(it.collection.notReady() ?? ""));
  at.gateway.intercept = () => undefined;
  await until(() => it.clock.nextDue === 1);
  await it.clock.advance(1);
  await until(() => it.collection.notReady() === undefined);
});

Deno.test("notReady() names the content that it waits for", async () => {
  await using at = place();
  await using silent = listen(() => Promise.resolve());
  at.create("a", { "a.json.url": `http://127.0.0.1:${silent.port}/` });
  await using it = await at.open();
  it.run();
  const reason = `not synced yet: waiting for the content of ${at.path}/files/a.json`;
  await until(() => it.collection.notReady() === reason);
});

Deno.test("run() removes directories that a kill between file and directory left empty", async () => {
  await using at = place();
  const annotations = { "k8s-sidecar-target-directory": "a/b" };
  at.create("one", { "one.txt": "1", "other.txt": "2" }, { annotations });
  at.create("two", { "two.txt": "3" }, { annotations: { "k8s-sidecar-target-directory": "c/d" } });
  {
    await using it = await at.open();
    it.run();
    await until(() => it.collection.notReady() === undefined);
  }
  const folder = `${at.path}/files`;
  const [own] = [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith(".."));
  Deno.mkdirSync(`${folder}/theirs`);
  // The file is gone and so is its line in the record, but not its directory
  at.remove("two");
  Deno.removeSync(`${folder}/c/d/two.txt`);
  const drop = `${JSON.stringify(["drop", `${folder}/c/d/two.txt`])}\n`;
  Deno.writeTextFileSync(`${folder}/${own!.name}/state/record`, drop, { append: true });
  await using it = await at.open();
  it.run();
  await until(() => it.collection.notReady() === undefined);
  assert.deepEqual(at.files(), { "a/b/one.txt": "1", "a/b/other.txt": "2" });
  const directories = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => !name.startsWith(".."));
  assert.deepEqual(directories.sort(), ["a", "theirs"]);
});

Deno.test("run() does not say that it is ready when it is stopped during a download", async () => {
  await using at = place();
  await using silent = listen(() => Promise.resolve());
  at.create("a", { "a.json.url": `http://127.0.0.1:${silent.port}/` });
  const it = await at.open();
  it.run();
  await until(() => it.collection.notReady()?.includes("waiting for the content of") === true);
  await it[Symbol.asyncDispose]();
  assert.deepEqual(it.log.lines.filter((line) => line.includes("ready")), []);
});

Deno.test("notReady() waits ten seconds for all downloads together", async () => {
  await using at = place();
  await using silent = listen(() => Promise.resolve());
  for (const name of ["a", "b"]) {
    const data = Object.fromEntries([1, 2, 3, 4].map((key) => [`${key}.url`, `http://127.0.0.1:${silent.port}/`]));
    at.create(name, data, { annotations: { "k8s-sidecar-target-directory": name } });
  }
  at.create("c", { "c.txt": "c" });
  await using it = await at.open({ REQ_TIMEOUT: "50" });
  it.run();
  await until(() => it.collection.notReady()?.includes("waiting for the content of") === true);
  await it.clock.advance(9);
  assert.match(it.collection.notReady() ?? "", /waiting for the content of/);
  await it.clock.advance(1);
  assert.equal(it.collection.notReady(), undefined);
  assert.equal(at.files()["c.txt"], "c");
});

Deno.test("list() waits URL_TIMEOUT for all downloads together, and names the missing", async () => {
  await using at = place();
  await using silent = listen(() => Promise.resolve());
  const keys = Array.from({ length: 9 }, (_, index) => [`${index}.url`, `http://127.0.0.1:${silent.port}/`]);
  at.create("a", Object.fromEntries(keys));
  at.create("c", { "c.txt": "c" });
  await using it = await at.open({ REQ_TIMEOUT: "500", URL_TIMEOUT: "30" });
  const done = it.list();
  await until(() => it.clock.nextDue === 30);
  await it.clock.advance(30);
  assert.deepEqual(await done, { apiFailures: [], fileFailures: [], files: 1, refused: 1 });
  const errors = it.log.lines.filter((line) => line.includes("URL_TIMEOUT"));
  assert.match(errors.at(-1) ?? "", /^error: not downloaded within 30 s \(URL_TIMEOUT\): \d files/);
  assert.equal(it.clock.sleeping, 0);
});

Deno.test("notReady() waits ten seconds at most for a paused host", async () => {
  await using at = place();
  await using busy = serve(() => new Response("busy", { status: 429, headers: { "retry-after": "3600" } }));
  for (const name of ["a", "b"]) at.create(name, { [`${name}.url`]: `http://127.0.0.1:${busy.port}/` });
  await using it = await at.open();
  it.run();
  await until(() => it.log.lines.some((line) => line.includes("paused")));
  await until(() => it.collection.notReady()?.includes("waiting for the content of") === true);
  await it.clock.advance(10);
  assert.equal(it.collection.notReady(), undefined);
});

Deno.test("list() waits for a paused host, within URL_TIMEOUT", async () => {
  for (const [retryAfter, files] of [["20", 1], ["31", 0]] as const) {
    await using at = place();
    let requests = 0;
    await using busy = serve(() => {
      if (++requests > 1) return new Response("served");
      return new Response("busy", { status: 503, headers: { "retry-after": retryAfter } });
    });
    at.create("a", { "a.url": `http://127.0.0.1:${busy.port}/` });
    await using it = await at.open({ URL_TIMEOUT: "30" });
    const done = it.list();
    await until(() => it.log.lines.some((line) => line.includes("paused")));
    await it.clock.advance(20);
    if (files === 1) await until(() => at.files().a === "served");
    await it.clock.advance(10);
    const outcome = await done;
    assert.deepEqual([outcome.files, outcome.refused, outcome.fileFailures], [files, 1 - files, []]);
    assert.equal(it.clock.sleeping, 0);
  }
});

Deno.test("open() watches the namespace of the credentials where none is named", async () => {
  await using at = place();
  await using it = await at.open({ DEFAULTS: "kiwigrid" });
  assert.equal(it.collection.notReady(), 'not synced yet: configmaps in namespace "default"');
});

Deno.test("list() makes the files once and tells the application once, after they are there", async () => {
  await using at = place();
  at.create("a", { "a.txt": "a" });
  at.create("b", { "b.txt": "b" });
  await using app = application();
  await using it = await at.open({ REQ_URL: app.url });
  assert.deepEqual(await it.list(), { apiFailures: [], fileFailures: [], files: 2, refused: 0 });
  assert.deepEqual(at.files(), { "a.txt": "a", "b.txt": "b" });
  assert.deepEqual([app.calls(), it.collection.isNotificationPending], [1, false]);
});

Deno.test("list() says which source it could not have, counts what is refused, and has the others", async () => {
  await using at = place();
  at.create("a", { "a.txt": "a", "in-the-way": "" });
  at.create("b", { "b.json.url": "http://127.0.0.1:1/" });
  at.create("d", { "d.txt.gz": "no archive" });
  at.create("c", { "c.txt": "c" }, { annotations: { "k8s-sidecar-target-directory": "../out" } });
  Deno.mkdirSync(`${at.path}/files/in-the-way`, { recursive: true });
  at.gateway.intercept = ({ path }) =>
    path.startsWith("/api/v1/secrets") ? refusal(403, "Forbidden", "secrets is forbidden: cannot list") : undefined;
  await using it = await at.open({ REQ_RETRY_TOTAL: "0", DECOMPRESS: "true" });
  const { apiFailures, fileFailures, refused } = await it.list();
  assert.match(apiFailures.join("\n"), /^not allowed to list secrets in all namespaces: .*$/);
  assert.deepEqual([fileFailures, refused], [[], 4]);
  assert.deepEqual(at.files(), { "a.txt": "a" });
  assert.deepEqual(it.log.lines.filter((line) => line.includes("not allowed") && !line.startsWith("debug")), []);
});

Deno.test("list() promises no other attempt", async () => {
  await using at = place();
  at.create("a", { "in-the-way": "", "b.json.url": "http://127.0.0.1:1/" });
  Deno.mkdirSync(`${at.path}/files/in-the-way`, { recursive: true });
  await using it = await at.open({ METHOD: "LIST", REQ_RETRY_TOTAL: "0" });
  await it.list();
  const errors = it.log.lines.filter((line) => line.startsWith("error: "));
  assert.equal(errors.length, 2, errors.join("\n"));
  assert.doesNotMatch(errors.join("\n"), /trying|waiting|retrying/);
});

Deno.test("run() tells of a download as of any other file, with object and path", async () => {
  await using at = place();
  await using served = serve(() => new Response("served"));
  at.create("a", { "a.txt.url": `http://127.0.0.1:${served.port}/a?token=geheim` });
  await using it = await at.open({ URL_ALLOWED_HOSTS: "*" });
  it.run();
  const path = `${at.path}/files/a.txt`;
  await until(() => it.log.lines.includes(`info: ConfigMap default/a: wrote ${path}`));
  const line = it.log.lines.indexOf(`info: ConfigMap default/a: wrote ${path}`);
  assert.deepEqual(it.log.properties[line], { object: "default/configmap/a", path });
  assert.doesNotMatch(JSON.stringify([it.log.lines, it.log.properties]), /geheim/);
});

diskTest("mounts", "list() blames a full disk, for downloads too", async () => {
  await using at = place();
  await using served = serve(() => new Response("x".repeat(300_000)));
  at.create("a", { "a.txt": "x".repeat(300_000) });
  at.create("b", { "b.url": `http://127.0.0.1:${served.port}/` });
  using disk = smallDisk(64 * 1024);
  await using it = await at.open({ FOLDER: disk.path, RESOURCE: "configmap" });
  const { fileFailures, refused } = await it.list();
  assert.deepEqual([fileFailures.length, refused], [2, 0], fileFailures.join());
  assert.match(it.collection.notReady() ?? "", /a\.txt/);
});

Deno.test("list() names what RESOURCE_NAME does not find, and what a label does not", async () => {
  await using at = place();
  const warnings = async (env: Record<string, string>) => {
    await using it = await at.open(env);
    await it.list();
    return it.log.lines.filter((line) => line.startsWith("warn: "));
  };
  at.create("a", { "a.txt": "a" });
  assert.deepEqual(await warnings({ RESOURCE_NAME: "a,configmap/nosuch,default/secret/a" }), [
    "warn: RESOURCE_NAME: there is no ConfigMap nosuch in all namespaces",
    "warn: RESOURCE_NAME: there is no Secret a in namespace default",
  ]);
  const [nobody = "", ...others] = await warnings({ LABEL: "nobody" });
  assert.deepEqual(others, []);
  assert.match(
    nobody,
    /^warn: nothing is selected: there are no configmaps and secrets with labels nobody in all name/,
  );
  assert.match(nobody, /Check the spelling of the label.*`k8s-sidecar explain NAMESPACE\/KIND\/NAME` tells why/);
  assert.deepEqual(await warnings({}), []);
});

Deno.test("open() tells collections with different selections apart that share a folder", async () => {
  await using at = place();
  at.create("a", { "a.txt": "a" }, { labels: { first: "" } });
  at.create("b", { "b.txt": "b" }, { labels: { second: "" } });
  const list = async (LABEL: string) => await (await at.open({ LABEL })).list();
  await list("first");
  await list("second");
  assert.deepEqual(at.files(), { "a.txt": "a", "b.txt": "b" });
  at.remove("b");
  await list("first");
  assert.deepEqual(at.files(), { "a.txt": "a", "b.txt": "b" });
  await list("second");
  assert.deepEqual(at.files(), { "a.txt": "a" });
});

Deno.test("open() knows the files of an earlier run by STATE_FILE, and none of them without a journal", async () => {
  await using at = place();
  const list = async (STATE_FILE: string) => await (await at.open({ STATE_FILE })).list();
  at.create("a", { "a.txt": "a" });
  await list(`${at.path}/state`);
  const [own] = [...Deno.readDirSync(`${at.path}/files`)].filter(({ isDirectory }) => isDirectory);
  assert.deepEqual([...Deno.readDirSync(`${at.path}/files/${own?.name}/state`)], []);
  await list("none");
  at.remove("a");
  await list("none");
  assert.deepEqual(at.files(), { "a.txt": "a" });
  await list(`${at.path}/state`);
  assert.deepEqual(at.files(), {});
});

Deno.test("run() with REQ_SKIP_INIT owes nothing for the first sync, and a call for each later change", async () => {
  await using at = place();
  await using app = application();
  at.create("a", { "a.txt": "a" });
  await using it = await at.open({ REQ_URL: app.url, REQ_SKIP_INIT: "true", NOTIFY_QUIET_PERIOD: "1" });
  it.run();
  await until(() => it.collection.notReady() === undefined);
  await using next = await at.open({ REQ_URL: app.url });
  assert.deepEqual([it.collection.isNotificationPending, next.collection.isNotificationPending], [false, false]);
  at.create("b", { "b.txt": "b" });
  await until(() => it.collection.isNotificationPending);
  await it.clock.advance(1);
  await until(() => !it.collection.isNotificationPending);
  assert.equal(app.calls(), 1);
});

Deno.test("open() owes what an earlier run did not get to tell, and nothing once it was told", async () => {
  await using at = place();
  await using app = application();
  at.create("a", { "a.txt": "a" });
  const isPending = async () => (await at.open({ REQ_URL: app.url })).collection.isNotificationPending;
  await (await at.open({ REQ_URL: "http://127.0.0.1:1/", REQ_RETRY_TOTAL: "0" })).list();
  assert.equal(await isPending(), true);
  await (await at.open({ REQ_URL: app.url })).list();
  assert.deepEqual([await isPending(), app.calls()], [false, 1]);
});

Deno.test("run() releases an object that is to leave once its files are gone", async () => {
  await using at = place();
  at.create("a", { "a.txt": "a" }, { finalizers: ["x.io/ours"] });
  const released: unknown[] = [];
  const guard: FinalizerGuard = {
    admit: (_, { metadata }) => Promise.resolve(metadata.deletionTimestamp === undefined ? "apply" : "retire"),
    release: ({ name }) => void released.push([name, at.files()]),
    run: async () => {},
    flush: async () => {},
  };
  await using it = await at.open({}, guard);
  it.run();
  await until(() => it.collection.notReady() === undefined);
  assert.deepEqual([at.files(), released], [{ "a.txt": "a" }, []]);
  at.remove("a");
  await until(() => released.length > 0);
  assert.deepEqual(released, [["a", {}]]);
});
