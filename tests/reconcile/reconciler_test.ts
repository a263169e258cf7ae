import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Precedence } from "../../lib/files/claimant.ts";
import { Journal } from "../../lib/files/journal.ts";
import { PublishError } from "../../lib/files/publish_error.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { ByteLimits } from "../../lib/downloads/byte_limits.ts";
import { DownloadScheduler } from "../../lib/downloads/scheduler.ts";
import { SharedDownloads } from "../../lib/downloads/shared_downloads.ts";
import { describeRef } from "../../lib/objects/ref.ts";
import { type KubeObject } from "../../lib/objects/object.ts";
import { type Source } from "../../lib/objects/source.ts";
import type { FileEvent } from "../../lib/reconcile/file_event.ts";
import { Reconciler } from "../../lib/reconcile/reconciler.ts";
import { keptLog } from "../support/api_gateway.ts";
import {
  diskTest,
  exists,
  filesIn,
  fill,
  type Folder,
  immutable,
  readOnly,
  smallDisk,
  tempFolder,
} from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { encode } from "../support/local_servers.ts";
import { changed, configMap, describe, type ObjectExtras, secret } from "../support/objects.ts";
import { pick, seeded, shuffled } from "../support/random.ts";

const CONFIG_MAPS: Source = { kind: "ConfigMap" };
const SECRETS: Source = { kind: "Secret" };
const ANNOTATION = "k8s-sidecar-target-directory";

interface Start {
  folder: string;
  sources?: readonly Source[];
  /** Objects as the API has them now: what is read again comes from here. */
  cluster?: Map<string, KubeObject>;
  /** What URLs serve; the others fail. */
  urls?: Record<string, string | Promise<string>>;
  collisions?: Precedence;
  /** Seconds. */
  removeDelay?: number;
  selects?: (source: Source, namespace: string) => boolean;
  clock?: FakeClock;
}

/** Each look at it takes a millisecond. */
class SlowClock extends FakeClock {
  #looks = 0;

  override now(): number {
    return super.now() + this.#looks++;
  }
}

/** A reconciler with all that belongs to it, on a real folder. */
function start({
  folder,
  sources = [CONFIG_MAPS],
  cluster = new Map(),
  urls = {},
  collisions = "oldest",
  removeDelay = 0,
  selects,
  clock = new FakeClock(),
}: Start) {
  const log = keptLog();
  const events: string[] = [];
  const diskErrors: PublishError[] = [];
  const released: string[] = [];
  const abort = new AbortController();
  const whenStopped: ((value: unknown) => void)[] = [];
  const state = {
    unanswered: new Set<string>(),
    reads: 0,
    readError: undefined as Error | undefined,
    beforeRead: () => {},
  };
  const journal = new Journal({ folder, id: "id", log });
  const publisher = new Publisher({
    configFiles: [],
    folder,
    allowedFolders: [],
    mode: 0o644,
    atomicWrites: true,
    journal,
    id: "id",
    beforeChange() {},
    log,
  });
  const downloads = new DownloadScheduler({
    fetcher: {
      async fetchTo(url, sink) {
        const served = await urls[url];
        if (served === undefined) throw new Error("connection refused");
        await sink.write(encode(served));
        return { isUnchanged: false, validators: undefined };
      },
    },
    publisher,
    limits: new ByteLimits({ perObject: Infinity, total: Infinity }),
    onWritten: (_ref, path) => reconciler.disk.downloaded(path),
    onFailed: (_ref, path) => reconciler.disk.downloadFailed(path),
    onRefused: (_ref, path) => reconciler.disk.downloadFailed(path),
    unpack: () => Promise.reject(new Error("there are no archives")),
    onAttempt() {},
    onChange() {},
    firstBackoff: 1,
    turns: new SharedDownloads({ clock, random: () => 0, log }).join(4),
    refresh: 600,
    clock,
    random: () => 0,
    log,
  });
  const reconciler: Reconciler = new Reconciler({
    settings: {
      folder,
      folderAnnotation: ANNOTATION,
      allowedFolders: [],
      uniqueFilenames: false,
      maxFilesPerObject: 5000,
      folderPerNamespace: false,
      decompress: false,
    },
    collisions,
    sources,
    selects,
    removeDelay,
    publisher,
    journal,
    downloads,
    async read(_source, ref) {
      state.reads++;
      state.beforeRead();
      await Promise.resolve();
      if (state.unanswered.has(describeRef(ref))) await new Promise((resolve) => whenStopped.push(resolve));
      if (state.readError !== undefined) throw state.readError;
      return cluster.get(describeRef(ref));
    },
    onEvent: (event) => void events.push(line(event, folder)),
    onDiskError: (error) => void diskErrors.push(error),
    onReleased: (ref) => void released.push(describeRef(ref)),
    heartbeat: { expectWithin() {}, idle() {} },
    onChange() {},
    clock,
    random: () => 0,
    firstBackoff: 1,
    log,
  });
  const running = reconciler.run(abort.signal);
  const sourceOf = ({ kind }: KubeObject) => sources.find((source) => source.kind === kind)!;
  return {
    folder,
    cluster,
    clock,
    log,
    /** `written ConfigMap default/a: x, y`, paths within the folder. */
    events,
    diskErrors,
    released,
    state,
    journal,
    publisher,
    reconciler,
    at: (path: string) => `${folder}/${path}`,
    write: (path: string, content: string) => Deno.writeTextFileSync(`${folder}/${path}`, content),
    /** A list up to now, with these objects; it goes on. */
    beginList(source: Source, ...objects: KubeObject[]) {
      reconciler.beginList(source);
      for (const object of objects) this.initApply(object);
    },
    initApply(object: KubeObject) {
      cluster.set(describe(object), object);
      reconciler.apply(sourceOf(object), object, true);
    },
    endList: (source: Source) => reconciler.endList(source),
    async list(source: Source, ...objects: KubeObject[]) {
      this.beginList(source, ...objects);
      reconciler.endList(source);
      await this.turn();
    },
    async apply(object: KubeObject) {
      cluster.set(describe(object), object);
      reconciler.apply(sourceOf(object), object, false);
      await this.turn();
    },
    async delete(object: KubeObject) {
      cluster.delete(describe(object));
      reconciler.delete(sourceOf(object), object);
      await this.turn();
    },
    async retire(object: KubeObject) {
      cluster.delete(describe(object));
      reconciler.retire(sourceOf(object), object);
      await this.turn();
    },
    /** Lets all go on that waits for nothing outside. */
    turn: () => turn(clock),
    async later(seconds: number) {
      await clock.advance(seconds);
      await turn(clock);
    },
    files: () => filesIn(folder),
    /** Every source was listed, and every file that can be is on disk. */
    get isSynced() {
      return reconciler.unlisted.length === 0 && reconciler.outcome.isSettled && downloads.awaited.size === 0;
    },
    errors: () => log.lines.filter((line) => line.startsWith("error: ")),
    async stop() {
      abort.abort();
      for (const answer of whenStopped) answer(undefined);
      downloads.close();
      await running;
    },
  };
}

type Started = ReturnType<typeof start>;

/** Has every change of a path fail until disposed, as on a disk that is full or read-only. */
function refused({ publisher, at }: Started, name: string): Disposable {
  const { publish, remove } = publisher;
  const unless = <A extends unknown[], R>(act: (path: string, ...rest: A) => R) => (path: string, ...rest: A): R => {
    if (path === at(name)) throw new PublishError(`cannot change ${path}`, { cause: new Error("(os error 28)") });
    return act.call(publisher, path, ...rest);
  };
  Object.assign(publisher, { publish: unless(publish), remove: unless(remove) });
  return { [Symbol.dispose]: () => void Object.assign(publisher, { publish, remove }) };
}

/** {@link start} on an empty folder; `restart` stops that one and starts the next on the same. */
function open(options: Partial<Start> & { disk?: Folder } = {}) {
  const folder = options.disk ?? tempFolder();
  let current = start({ folder: folder.path, ...options });
  return Object.assign(current, {
    async restart(): Promise<Started> {
      await current.stop();
      return current = start({ folder: folder.path, ...options, cluster: current.cluster });
    },
    async [Symbol.asyncDispose]() {
      await current.stop();
      folder[Symbol.dispose]();
    },
  });
}

/** A task of its own: by then every promise has settled that can. */
async function turn(clock: FakeClock): Promise<void> {
  await clock.advance(0);
  await setImmediate();
}

function line(event: FileEvent, folder: string): string {
  const about = `${event.type} ${describeRef(event.ref)}`;
  const within = (text: string) => text.replaceAll(`${folder}/`, "");
  if ("paths" in event) return `${about}: ${event.paths.map(within).join(", ")}`;
  if ("reason" in event) return `${about}: ${within(event.reason)}`;
  return `${about}: ${describeRef(event.winner)} has ${within(event.path)}`;
}

const OLD: ObjectExtras = { creationTimestamp: "2025-01-01T00:00:00Z" };

for (
  const missing of [["uid"], ["uid", "creationTimestamp"], ["uid", "creationTimestamp", "resourceVersion"]] as const
) {
  Deno.test(`apply() takes objects whose ${missing.join(", ")} a front end left out`, async () => {
    await using it = open();
    const bare = (object: KubeObject) => {
      const metadata = { ...object.metadata };
      for (const property of missing) delete (metadata as Partial<typeof metadata>)[property];
      return { ...object, metadata };
    };
    const [listed, watched] = [configMap("a", { a: "1" }), configMap("b", { b: "1" })];
    await it.list(CONFIG_MAPS, bare(listed));
    await it.apply(bare(watched));
    assert.deepEqual(it.files(), { a: "1", b: "1" });
    await it.apply(bare(changed(watched, { b: "2" })));
    assert.deepEqual(it.files(), { a: "1", b: "2" });
    await it.delete(bare(changed(watched, { b: "2" })));
    assert.deepEqual(it.files(), { a: "1" });
  });
}

Deno.test("apply() sees what others put in a file's place: before the first list, and at once when it comes from a watch", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  it.write("early", "theirs");
  await it.list(CONFIG_MAPS, configMap("a", { early: "1", x: "1" }));
  for (const name of ["watched", "listed"]) it.write(name, "theirs");
  // The Secrets were never listed
  await it.apply(configMap("b", { watched: "1" }));
  await it.list(SECRETS, secret("c", { listed: "1" }));
  assert.deepEqual(it.files(), { early: "1", x: "1", watched: "1", listed: "1" });
  const taken = it.log.lines.flatMap((line) => /replaced existing \S*?(\w+), which/.exec(line)?.[1] ?? []);
  assert.deepEqual(taken, ["early", "watched", "listed"]);
});

Deno.test("apply() writes an object's files, and moves, changes and removes them as it changes", async () => {
  await using it = open();
  const a = configMap("a", { x: "1", y: "1" });
  await it.list(CONFIG_MAPS, a);
  assert.deepEqual(it.files(), { x: "1", y: "1" });
  await it.apply(changed(a, { y: "2", z: "2" }, { resourceVersion: "2" }));
  assert.deepEqual(it.files(), { y: "2", z: "2" });
  await it.apply(changed(a, { y: "2" }, { resourceVersion: "3", annotations: { [ANNOTATION]: "team" } }));
  assert.deepEqual(it.files(), { "team/y": "2" });
  await it.apply(changed(a, { y: "2" }, { resourceVersion: "4" }));
  assert.deepEqual(it.files(), { y: "2" });
  assert.equal(exists(it.at("team")), false);
  await it.delete(changed(a, {}, { resourceVersion: "5" }));
  assert.deepEqual(it.files(), {});
  assert.equal(it.reconciler.objects, 0);
  assert.equal(it.reconciler.files, 0);
  assert.deepEqual(it.errors(), []);
});

Deno.test("apply() writes what is new before it removes what is old", async () => {
  await using it = open();
  const a = configMap("a", { k: "v" });
  await it.list(CONFIG_MAPS, a);
  it.events.length = 0;
  await it.apply(changed(a, { k: "v" }, { annotations: { [ANNOTATION]: "team" } }));
  assert.deepEqual(it.events, ["written ConfigMap default/a: team/k", "removed ConfigMap default/a: k"]);
});

Deno.test("apply() tells in one event and one line of all the files that it wrote", async () => {
  await using it = open();
  const data = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`key-${index}`, ""]));
  await it.list(CONFIG_MAPS, configMap("a", data));
  assert.equal(it.reconciler.files, 2000);
  assert.equal(it.events.length, 1);
  assert.deepEqual(it.log.lines, ["info: ConfigMap default/a: wrote 2000 files"]);
  const files = Array.from({ length: 10 }, (_, index) => `${it.folder}/key-${index}`);
  assert.deepEqual(it.log.properties, [{ object: "default/configmap/a", count: 2000, files }]);
});

Deno.test("apply() of what is not base64 harms that key alone, keeps its last good file, and says so once", async () => {
  await using it = open({ sources: [SECRETS] });
  const good = secret("s", { bad: "last good", other: "1" });
  await it.list(SECRETS, good);
  const broken = changed(good, { bad: "*", other: "Mg==" });
  await it.apply(broken);
  await it.list(SECRETS, broken);
  await it.list(SECRETS, broken);
  assert.deepEqual(it.files(), { bad: "last good", other: "2" });
  assert.deepEqual(it.errors(), [
    'error: Secret default/s refused: key "bad" is not base64; its last accepted file stays',
  ]);
  const at = it.log.lines.findIndex((line) => line.startsWith("error: "));
  assert.deepEqual(it.log.properties[at], { object: "default/secret/s", path: `${it.folder}/bad` });
  await it.apply(changed(broken, { other: "Mg==" }));
  assert.deepEqual(it.files(), { other: "2" });
  assert.equal(it.log.lines.filter((line) => line === "info: Secret default/s is no longer refused").length, 1);
});

Deno.test("apply() ignores duplicates, and versions older than the one it has", async () => {
  await using it = open();
  const first = configMap("a", { k: "first" }, { resourceVersion: "9" });
  const second = changed(first, { k: "second" });
  await it.list(CONFIG_MAPS, first);
  await it.apply(second);
  it.write("k", "somebody else's");
  await it.apply(second);
  await it.apply(first);
  assert.deepEqual(it.files(), { k: "somebody else's" });
  assert.equal(it.events.length, 2);
});

Deno.test("apply() takes an object that was made anew for another", async () => {
  await using it = open();
  const before = configMap("a", { k: "before" }, { uid: "1", resourceVersion: "7" });
  const after = configMap("a", { k: "after" }, { uid: "2", resourceVersion: "100" });
  await it.list(CONFIG_MAPS, before);
  await it.apply(after);
  it.reconciler.delete(CONFIG_MAPS, before);
  await it.turn();
  assert.deepEqual(it.files(), { k: "after" });
  it.reconciler.delete(CONFIG_MAPS, after);
  assert.deepEqual(it.files(), {});
});

Deno.test("apply() and delete() pass over what was before the version they have, though it was another object's", async () => {
  await using it = open();
  const first = configMap("a", { k: "first" }, { uid: "1", resourceVersion: "7" });
  const second = configMap("a", { k: "second" }, { uid: "2", resourceVersion: "100" });
  await it.list(CONFIG_MAPS, second);
  await it.apply(first);
  it.reconciler.delete(CONFIG_MAPS, changed(first, {}));
  it.reconciler.delete(CONFIG_MAPS, changed(second, {}, { resourceVersion: "99" }));
  await it.turn();
  assert.deepEqual(it.files(), { k: "second" });
  it.reconciler.delete(CONFIG_MAPS, changed(second, {}));
  assert.deepEqual(it.files(), {});
});

Deno.test("apply() refuses one path that leads out, and harms no other, of the same object or of others", async () => {
  await using it = open();
  using outside = tempFolder();
  Deno.symlinkSync(outside.path, it.at("out"));
  const bad = configMap("bad", { k: "v", l: "v" }, { annotations: { [ANNOTATION]: "out" } });
  const worse = configMap("worse", { k: "v" }, { annotations: { [ANNOTATION]: "/etc" } });
  const half = configMap("half", { "a/b": "v", good: "v" });
  const objects = [bad, worse, half, configMap("good", { k: "v" })];
  for (let turn = 0; turn < 3; turn++) await it.list(CONFIG_MAPS, ...objects);
  Deno.removeSync(it.at("out"));
  assert.deepEqual(it.files(), { good: "v", k: "v" });
  assert.deepEqual([...Deno.readDirSync(outside.path)], []);
  assert.equal(it.isSynced, true);
  assert.equal(it.errors().length, 3, it.errors().join("\n"));
  assert.equal(it.errors().filter((line) => line.includes("ALLOWED_FOLDERS")).length, 2);
  assert.equal(it.events.filter((event) => event.startsWith("refused ")).length, 3);
});

Deno.test("list() heals what somebody else changed or removed, and leaves what is right", async () => {
  await using it = open();
  const objects = [configMap("a", { x: "1", y: "1", z: "1" })];
  await it.list(CONFIG_MAPS, ...objects);
  it.write("x", "2");
  Deno.removeSync(it.at("y"));
  const { ino } = Deno.statSync(it.at("z"));
  it.events.length = 0;
  await it.list(CONFIG_MAPS, ...objects);
  assert.deepEqual(it.files(), { x: "1", y: "1", z: "1" });
  assert.deepEqual(it.events, ["written ConfigMap default/a: x, y"]);
  assert.equal(Deno.statSync(it.at("z")).ino, ino);
});

Deno.test("list() removes what it did not bring, and only once it is complete", async () => {
  await using it = open();
  const [a, b] = [configMap("a", { a: "1" }), configMap("b", { b: "1" })];
  await it.list(CONFIG_MAPS, a, b);
  it.beginList(CONFIG_MAPS, b);
  await it.later(100);
  it.beginList(CONFIG_MAPS);
  await it.later(100);
  assert.deepEqual(it.files(), { a: "1", b: "1" });
  it.initApply(b);
  it.endList(CONFIG_MAPS);
  assert.deepEqual(it.files(), { b: "1" });
});

Deno.test("list() of one source does not touch what another one brought", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  await it.list(CONFIG_MAPS, configMap("a", { a: "1" }));
  await it.list(SECRETS, secret("b", { b: "1" }));
  await it.list(CONFIG_MAPS);
  assert.deepEqual(it.files(), { b: "1" });
});

Deno.test("Reconciler removes what went while it was down once its own source was listed in full", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  const [kept, gone, key] = [
    configMap("kept", { kept: "1", key: "1" }),
    configMap("gone", { gone: "1" }),
    secret("s", { s: "1" }),
  ];
  await it.list(CONFIG_MAPS, kept, gone);
  await it.list(SECRETS, key);
  it.write("stranger", "1");
  const next = await it.restart();
  await next.list(CONFIG_MAPS, changed(kept, { kept: "1" }));
  next.beginList(SECRETS);
  await next.later(1000);
  assert.deepEqual(next.files(), { kept: "1", s: "1", stranger: "1" });
  assert.deepEqual(next.released, ["ConfigMap default/gone"]);
  assert.equal(next.isSynced, false);
  next.endList(SECRETS);
  assert.deepEqual(next.files(), { kept: "1", stranger: "1" });
  await next.turn();
  assert.equal(next.isSynced, true);
  assert.deepEqual(next.released.toSorted(), ["ConfigMap default/gone", "Secret default/s"]);
});

Deno.test("Reconciler removes nothing before the first sync, whatever it is told", async () => {
  await using it = open();
  const [a, b] = [configMap("a", { a: "1" }), configMap("b", { b: "1" })];
  await it.list(CONFIG_MAPS, a, b);
  const next = await it.restart();
  next.beginList(CONFIG_MAPS, a, b);
  next.reconciler.delete(CONFIG_MAPS, a);
  next.reconciler.retire(CONFIG_MAPS, b);
  await next.later(100);
  assert.deepEqual(next.files(), { a: "1", b: "1" });
  assert.deepEqual(next.released, []);
  next.endList(CONFIG_MAPS);
  assert.deepEqual(next.files(), {});
  assert.deepEqual(next.released.toSorted(), ["ConfigMap default/a", "ConfigMap default/b"]);
});

Deno.test("Reconciler removes the files of an object that goes though another source is never listed, and only its own", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  await it.list(SECRETS, secret("old", { k: "old" }, OLD));
  const [a, young] = [configMap("a", { a: "1", b: "1" }), configMap("young", { k: "young" })];
  await it.list(CONFIG_MAPS, a, young);
  const next = await it.restart();
  await next.list(CONFIG_MAPS, a, young);
  next.reconciler.apply(CONFIG_MAPS, changed(a, { b: "2" }, { resourceVersion: "2" }), false);
  assert.deepEqual(next.files(), { b: "2", k: "old" });
  next.reconciler.delete(CONFIG_MAPS, changed(a, { b: "2" }, { resourceVersion: "3" }));
  next.reconciler.delete(CONFIG_MAPS, young);
  assert.deepEqual(next.files(), { k: "old" });
  assert.deepEqual(next.released, ["ConfigMap default/a", "ConfigMap default/young"]);
});

Deno.test("Reconciler leaves a path to its earlier owner until the first sync, for it may be listed yet", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  const young = configMap("young", { k: "young", own: "1" });
  const old = secret("old", { k: "old" }, OLD);
  await it.list(SECRETS, old);
  await it.list(CONFIG_MAPS, young);
  assert.deepEqual(it.files(), { k: "old", own: "1" });
  const { ino } = Deno.statSync(it.at("k"));
  const next = await it.restart();
  await next.list(CONFIG_MAPS, young);
  assert.deepEqual(next.files(), { k: "old", own: "1" });
  await next.list(SECRETS, old);
  assert.equal(Deno.statSync(it.at("k")).ino, ino);
  assert.deepEqual(next.events.filter((event) => event.startsWith("written")), []);
});

Deno.test("Reconciler gives the path of an owner that is gone to who wants it now, with no moment without a file", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  const young = configMap("young", { k: "young" });
  await it.list(SECRETS, secret("old", { k: "old" }, OLD));
  await it.list(CONFIG_MAPS, young);
  const next = await it.restart();
  next.state.beforeRead = () => assert.deepEqual(next.files(), { k: "old" });
  await next.list(CONFIG_MAPS, young);
  next.beginList(SECRETS);
  next.endList(SECRETS);
  assert.deepEqual(next.files(), { k: "old" });
  await next.turn();
  assert.deepEqual(next.files(), { k: "young" });
  assert.equal(next.state.reads, 1);
  assert.deepEqual(next.events.filter((event) => event.startsWith("removed")), []);
});

Deno.test("Reconciler has the older object win whoever comes first, and tells of the collision once", async () => {
  const [old, young] = [configMap("old", { k: "old" }, OLD), configMap("young", { k: "young" })];
  for (const order of [[old, young], [young, old]]) {
    await using it = open();
    for (let turn = 0; turn < 3; turn++) await it.list(CONFIG_MAPS, ...order);
    assert.deepEqual(it.files(), { k: "old" });
    const told = it.events.filter((event) => event.startsWith("collided"));
    assert.deepEqual(told, ["collided ConfigMap default/young: ConfigMap default/old has k"]);
    const warnings = it.log.lines.filter((line) => line.startsWith("warn"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /default\/old.* and .*default\/young/);
    assert.match(warnings[0]!, /old has it, the older one \(COLLISIONS=oldest; UNIQUE_FILENAMES=true/);
  }
});

Deno.test("Reconciler has the newest object win with COLLISIONS=newest", async () => {
  const [old, young] = [configMap("dash-a", { k: "v1" }, OLD), configMap("dash-b", { k: "v2" })];
  for (const order of [[old, young], [young, old]]) {
    await using it = open({ collisions: "newest" });
    await it.list(CONFIG_MAPS, ...order);
    assert.deepEqual(it.files(), { k: "v2" });
    const warning = it.log.lines.find((line) => line.startsWith("warn"));
    assert.match(warning!, /dash-b has it, the newer one \(COLLISIONS=newest; UNIQUE_FILENAMES=true/);
    await it.delete(young);
    assert.deepEqual(it.files(), { k: "v1" });
  }
});

Deno.test("Reconciler names the first by name when both are as old", async () => {
  await using it = open();
  await it.list(CONFIG_MAPS, configMap("b", { k: "b" }), configMap("a", { k: "a" }));
  const warning = it.log.lines.find((line) => line.startsWith("warn"));
  assert.match(warning!, /default\/a has it, the first by namespace, name and kind.*COLLISIONS.*UNIQUE_FILENAMES/);
});

for (
  const [what, leave] of [
    ["is deleted", (it: Started, winner: KubeObject) => it.delete(winner)],
    ["is retired", (it: Started, winner: KubeObject) => it.retire(winner)],
    ["no longer wants the path", (it: Started, winner: KubeObject) => it.apply(changed(winner, {}))],
    ["is not listed again", (it: Started) => it.list(CONFIG_MAPS, ...[...it.cluster.values()].slice(1))],
    [
      "was made anew and is the youngest",
      (it: Started, winner: KubeObject) =>
        it.apply(changed(winner, { k: "again" }, { uid: "new", creationTimestamp: "2026-08-01T00:00:00Z" })),
    ],
  ] as const
) {
  Deno.test(`Reconciler reads the heir again when the winner ${what}, with no moment without a file`, async () => {
    await using it = open();
    const winner = configMap("winner", { k: "winner" }, OLD);
    const heir = configMap("heir", { k: "heir", other: "1" }, { creationTimestamp: "2025-02-01T00:00:00Z" });
    const third = configMap("third", { k: "third" });
    await it.list(CONFIG_MAPS, winner, heir, third);
    it.events.length = 0;
    it.state.beforeRead = () => assert.deepEqual(it.files(), { k: "winner", other: "1" });
    await leave(it, winner);
    assert.deepEqual(it.files(), { k: "heir", other: "1" });
    assert.equal(it.state.reads, 1);
    assert.deepEqual(it.events.filter((event) => !event.startsWith("collided")), ["written ConfigMap default/heir: k"]);
    assert.equal(it.journal.ownerOf(it.at("k")), "ConfigMap/default/heir");
  });
}

Deno.test("Reconciler goes on to the next heir when the first is gone, too, and removes the file when none is left", async () => {
  await using it = open();
  const winner = configMap("winner", { k: "winner" }, OLD);
  const heir = configMap("heir", { k: "heir" }, { creationTimestamp: "2025-02-01T00:00:00Z" });
  const third = configMap("third", { k: "third" });
  await it.list(CONFIG_MAPS, winner, heir, third);
  it.cluster.delete(describe(heir));
  await it.delete(winner);
  assert.deepEqual(it.files(), { k: "third" });
  assert.equal(it.reconciler.objects, 1);
  await it.delete(third);
  assert.deepEqual(it.files(), {});
});

Deno.test("Reconciler keeps a deleted winner's file for one failed read of the heir, then removes it", async () => {
  await using it = open();
  const [winner, heir] = [configMap("winner", { k: "winner" }, OLD), configMap("heir", { k: "heir" })];
  await it.list(CONFIG_MAPS, winner, heir);
  it.state.readError = new Error("no answer");
  await it.delete(winner);
  assert.deepEqual([it.files(), it.released], [{ k: "winner" }, []]);
  await it.later(1);
  assert.deepEqual([it.files(), it.released], [{}, ["ConfigMap default/winner"]]);
  for (const delay of [2, 4]) await it.later(delay);
  assert.equal(it.state.reads, 4);
  assert.deepEqual(it.reconciler.outcome.failures.map(String), [
    "Error: cannot read ConfigMap default/heir again: no answer",
  ]);
  it.state.readError = undefined;
  await it.later(8);
  assert.deepEqual(it.files(), { k: "heir" });
  assert.deepEqual(it.reconciler.outcome.failures, []);
});

Deno.test("Reconciler reads heirs side by side: one that is not answered delays no other", async () => {
  await using it = open();
  const winners = ["a", "b"].map((name) => configMap(name, { [name]: "winner" }, OLD));
  const heirs = ["a", "b"].map((name) => configMap(`heir-${name}`, { [name]: "heir" }));
  await it.list(CONFIG_MAPS, ...winners, ...heirs);
  it.state.unanswered.add("ConfigMap default/heir-a");
  for (const winner of winners) await it.delete(winner);
  assert.deepEqual(it.files(), { a: "winner", b: "heir" });
});

Deno.test("Reconciler is synced when the object that did not fit is deleted", async () => {
  await using it = open();
  const [big, small] = [configMap("big", { k: "1" }), configMap("small", { small: "1" })];
  using _ = refused(it, "k");
  await it.list(CONFIG_MAPS, big, small);
  assert.deepEqual([it.files(), it.isSynced], [{ small: "1" }, false]);
  await it.delete(big);
  assert.equal(it.isSynced, true);
});

Deno.test("Reconciler retries a removal without touching files of a source that was never listed", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  const a = configMap("a", { a: "1" });
  await it.list(CONFIG_MAPS, a);
  await it.list(SECRETS, secret("s", { s: "1" }));
  const next = await it.restart();
  await next.list(CONFIG_MAPS, a);
  {
    using _ = refused(next, "a");
    await next.delete(a);
    assert.deepEqual(next.files(), { a: "1", s: "1" });
  }
  await next.later(60);
  assert.deepEqual(next.files(), { s: "1" });
});

Deno.test("Reconciler removes a deleted winner's file when the heir's URL is dead, then releases it", async () => {
  await using it = open();
  const winner = configMap("winner", { k: "winner" }, OLD);
  await it.list(CONFIG_MAPS, winner, configMap("heir", { "k.url": "http://x/dead" }));
  await it.retire(winner);
  assert.deepEqual([it.files(), it.released], [{}, ["ConfigMap default/winner"]]);
  assert.doesNotMatch(it.errors().join(), /stays/);
});

Deno.test("Reconciler removes a deleted winner's file when the heir's content is broken", async () => {
  await using it = open({ sources: [SECRETS] });
  const winner = secret("winner", { k: "winner" }, OLD);
  const heir = changed(secret("heir", {}), { k: "*" });
  await it.list(SECRETS, winner, heir);
  await it.delete(winner);
  assert.deepEqual([it.files(), it.released], [{}, ["Secret default/winner"]]);
});

Deno.test("heal() reads the object of a file again, and writes what is missing", async () => {
  await using it = open();
  await it.list(CONFIG_MAPS, configMap("a", { x: "1", y: "1" }));
  Deno.removeSync(it.at("x"));
  it.reconciler.disk.heal(it.at("x"));
  it.reconciler.disk.heal(it.at("never"));
  await it.turn();
  assert.deepEqual([it.files(), it.state.reads], [{ x: "1", y: "1" }, 1]);
});

Deno.test("Reconciler takes what happened to an heir while it was read for newer than what was read", async () => {
  await using it = open();
  const [winner, heir] = [configMap("winner", { k: "winner" }, OLD), configMap("heir", { k: "heir" })];
  await it.list(CONFIG_MAPS, winner, heir);
  const newer = changed(heir, { k: "newer" });
  it.state.beforeRead = () => it.reconciler.apply(CONFIG_MAPS, newer, false);
  await it.delete(winner);
  assert.deepEqual(it.files(), { k: "newer" });
  it.state.beforeRead = () => {};
  await it.later(100);
  assert.equal(it.state.reads, 1);
});

Deno.test("Reconciler keeps what it read again when the list under way is of an earlier time, and follows the next list", async () => {
  await using it = open();
  const winner = configMap("winner", { k: "winner" }, OLD);
  const before = configMap("heir", { k: "heir", own: "1" }, { resourceVersion: "10" });
  const since = configMap("heir", { k: "heir", own: "2" }, { resourceVersion: "20" });
  await it.list(CONFIG_MAPS, winner, before);
  it.beginList(CONFIG_MAPS);
  it.cluster.set(describe(since), since);
  await it.delete(winner);
  assert.deepEqual(it.files(), { k: "heir", own: "2" });
  it.reconciler.apply(CONFIG_MAPS, before, true);
  it.endList(CONFIG_MAPS);
  await it.turn();
  assert.deepEqual(it.files(), { k: "heir", own: "2" });
  await it.list(CONFIG_MAPS, before);
  assert.deepEqual(it.files(), { k: "heir", own: "1" });
});

Deno.test("Reconciler drops an object that a list did not bring, though it was read again meanwhile", async () => {
  await using it = open();
  const [winner, heir] = [configMap("winner", { k: "winner" }, OLD), configMap("heir", { k: "heir" })];
  await it.list(CONFIG_MAPS, winner, heir);
  it.beginList(CONFIG_MAPS);
  await it.delete(winner);
  assert.deepEqual(it.files(), { k: "heir" });
  it.cluster.delete(describe(heir));
  it.endList(CONFIG_MAPS);
  assert.deepEqual(it.files(), {});
});

diskTest(
  "mounts",
  "Reconciler tries failed writes again with backoff, says so once, and is synced only with the files there",
  async () => {
    await using it = open();
    it.write("k", "before");
    const object = configMap("a", { k: "1", other: "1" });
    {
      using _ = readOnly(it.folder);
      await it.list(CONFIG_MAPS, object);
      for (const delay of [1, 2, 4, 8]) {
        assert.equal(it.clock.nextDue, delay);
        await it.later(delay);
      }
      await it.list(CONFIG_MAPS, object);
      assert.equal(it.state.reads, 4);
      assert.equal(it.isSynced, false);
      assert.deepEqual(it.reconciler.unlisted, []);
      assert.equal(it.reconciler.outcome.failures.length, 1);
      assert.equal(it.errors().length, 1, it.errors().join("\n"));
      assert.match(it.errors()[0]!, /default\/a: cannot write .*read-only; trying again$/);
      assert.equal(it.events.filter((event) => event.startsWith("failed ConfigMap default/a: ")).length, 1);
    }
    await it.later(30);
    assert.deepEqual(it.files(), { k: "1", other: "1" });
    assert.equal(it.log.lines.at(-1), "info: ConfigMap default/a: all its files are in place again");
    assert.equal(it.isSynced, true);
    assert.deepEqual(it.reconciler.outcome.failures, []);
    assert.equal(it.clock.nextDue! > 1000, true);
  },
);

diskTest("mounts", "Reconciler writes what has room on a full disk, and the rest as soon as there is", async () => {
  await using it = open({ disk: smallDisk(131_072) });
  await it.list(CONFIG_MAPS, configMap("a", { k: "old" }), configMap("b", { b: "old" }));
  {
    using _ = fill(it.folder);
    await it.apply(configMap("a", { k: "x".repeat(50_000), k2: "2" }, { resourceVersion: "2" }));
    await it.apply(configMap("b", {}, { resourceVersion: "2" }));
    assert.deepEqual(Object.keys(it.files()), ["filler", "k"]);
    assert.equal(Deno.readTextFileSync(it.at("k")), "old");
  }
  await it.later(1);
  assert.deepEqual(it.files(), { k: "x".repeat(50_000), k2: "2" });
});

Deno.test("Reconciler is synced though a path can never be, and writes it once it can", async () => {
  await using it = open();
  Deno.mkdirSync(it.at("k"));
  await it.list(CONFIG_MAPS, configMap("a", { k: "1", other: "1" }), configMap("b", { b: "1" }));
  assert.deepEqual(it.files(), { b: "1", other: "1" });
  assert.equal(it.isSynced, true);
  assert.equal(it.errors().length, 1);
  await it.later(600);
  assert.equal(it.state.reads, 0);
  Deno.removeSync(it.at("k"));
  await it.later(2);
  assert.deepEqual(it.files(), { b: "1", k: "1", other: "1" });
  assert.equal(it.state.reads, 1);
});

Deno.test("apply() of an object whose write failed is not taken for a duplicate", async () => {
  await using it = open();
  Deno.mkdirSync(it.at("k"));
  const object = configMap("a", { k: "1" });
  await it.list(CONFIG_MAPS, object);
  Deno.removeSync(it.at("k"));
  await it.apply(object);
  assert.deepEqual(it.files(), { k: "1" });
  assert.deepEqual(it.reconciler.outcome.failures, []);
});

Deno.test("Reconciler is synced once every URL was tried, and has their files follow the objects", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ urls: { "http://x/1": "one", "http://x/2": slow.promise } });
  const a = configMap("a", { "k.url": "http://x/1", "slow.url": "http://x/2", "down.url": "http://x/3" });
  it.write("down", "last good");
  await it.list(CONFIG_MAPS, a);
  assert.equal(it.isSynced, false);
  slow.resolve("two");
  await it.turn();
  assert.equal(it.isSynced, true);
  assert.deepEqual(it.files(), { down: "last good", k: "one", slow: "two" });
  await it.apply(changed(a, { k: "inline", "down.url": "http://x/1" }));
  assert.deepEqual(it.files(), { down: "one", k: "inline" });
  await it.delete(changed(a, {}, { resourceVersion: "3" }));
  await it.later(100);
  assert.deepEqual(it.files(), {});
});

Deno.test("apply() of what can be no file ends the download that was to fill it", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ sources: [SECRETS], urls: { "http://x/1": slow.promise } });
  const before = secret("s", { "k.url": "http://x/1" });
  await it.list(SECRETS, before);
  await it.apply(changed(before, { k: "*" }));
  slow.resolve("late");
  await it.turn();
  assert.deepEqual(it.files(), {});
  assert.equal(it.isSynced, true);
});

Deno.test("Reconciler has a URL of the heir take the place of the winner's, and the other way round", async () => {
  const urls = { "http://x/winner": "winner", "http://x/heir": "heir" };
  await using it = open({ urls });
  const winner = configMap("winner", { "k.url": "http://x/winner" }, OLD);
  const heir = configMap("heir", { "k.url": "http://x/heir" });
  await it.list(CONFIG_MAPS, heir, winner);
  assert.deepEqual(it.files(), { k: "winner" });
  await it.delete(winner);
  assert.deepEqual(it.files(), { k: "heir" });
  await it.apply(configMap("winner", { k: "inline" }, OLD));
  assert.deepEqual(it.files(), { k: "inline" });
});

Deno.test("retire() releases an object only after its files are gone", async () => {
  await using it = open();
  const [a, b] = [configMap("a", { x: "1", y: "1" }), configMap("b", { b: "1" })];
  await it.list(CONFIG_MAPS, a, b);
  it.reconciler.retire(CONFIG_MAPS, a);
  assert.deepEqual(it.files(), { b: "1" });
  assert.deepEqual(it.released, ["ConfigMap default/a"]);
  assert.deepEqual(it.events.at(-1), "removed ConfigMap default/a: x, y");
  await it.retire(a);
  assert.deepEqual(it.released, ["ConfigMap default/a", "ConfigMap default/a"]);
});

Deno.test("retire() releases an object that it never saw, and a loser, at once", async () => {
  await using it = open();
  const [winner, loser] = [configMap("winner", { k: "winner" }, OLD), configMap("loser", { k: "loser" })];
  await it.list(CONFIG_MAPS, winner, loser);
  await it.retire(loser);
  await it.retire(configMap("unknown", { u: "1" }));
  assert.deepEqual(it.released, ["ConfigMap default/loser", "ConfigMap default/unknown"]);
  assert.deepEqual(it.files(), { k: "winner" });
});

Deno.test("apply() of an object that was to leave keeps its files", async () => {
  await using it = open();
  const a = configMap("a", { k: "1" });
  await it.list(CONFIG_MAPS, a);
  const next = await it.restart();
  next.beginList(CONFIG_MAPS);
  next.reconciler.retire(CONFIG_MAPS, a);
  next.initApply(a);
  next.endList(CONFIG_MAPS);
  await next.turn();
  assert.deepEqual(next.files(), { k: "1" });
  assert.deepEqual(next.released, []);
});

diskTest(
  "immutableFiles",
  "retire() releases an object when its last file could be removed, and holds back no other for it",
  async () => {
    await using it = open();
    const [stuck, stuckToo, free] = ["stuck", "stuck-too", "free"].map((name) =>
      configMap(name, { [name]: "1", [`${name}-2`]: "1" })
    );
    await it.list(CONFIG_MAPS, stuck!, stuckToo!, free!);
    {
      using _ = immutable(it.at("stuck"));
      using __ = immutable(it.at("stuck-too"));
      for (const object of [stuck!, stuckToo!, free!]) await it.retire(object);
      await it.retire(configMap("never-seen"));
      for (const delay of [1, 2, 4, 8]) await it.later(delay);
      assert.deepEqual(it.files(), { stuck: "1", "stuck-too": "1" });
      assert.deepEqual(it.released, ["ConfigMap default/free", "ConfigMap default/never-seen"]);
      assert.equal(it.errors().length, 2, it.errors().join("\n"));
    }
    await it.later(30);
    assert.deepEqual(it.files(), {});
    assert.deepEqual(it.released.slice(2), ["ConfigMap default/stuck", "ConfigMap default/stuck-too"]);
    assert.deepEqual(it.reconciler.outcome.failures, []);
  },
);

diskTest(
  "immutableFiles",
  "retire() does not release an object while a file is left that it gave up before",
  async () => {
    await using it = open();
    const before = configMap("a", { k: "1", stuck: "1" });
    await it.list(CONFIG_MAPS, before);
    {
      using _ = immutable(it.at("stuck"));
      const after = changed(before, { k: "1" });
      await it.apply(after);
      await it.retire(after);
      assert.deepEqual(it.files(), { stuck: "1" });
      assert.deepEqual(it.released, []);
    }
    await it.later(30);
    assert.deepEqual(it.files(), {});
    assert.deepEqual(it.released, ["ConfigMap default/a"]);
  },
);

diskTest("mounts", "Reconciler is synced only once what went while it was down could be removed", async () => {
  await using it = open();
  await it.list(CONFIG_MAPS, configMap("a", { k: "1" }));
  const next = await it.restart();
  {
    using _ = readOnly(it.folder);
    await next.list(CONFIG_MAPS);
    assert.equal(next.isSynced, false);
  }
  await next.later(1);
  assert.deepEqual(next.files(), {});
  assert.equal(next.isSynced, true);
});

diskTest(
  "immutableFiles",
  "Reconciler is synced though one file cannot be removed, and removes it once it can",
  async () => {
    await using it = open();
    await it.list(CONFIG_MAPS, configMap("a", { k: "1" }));
    const next = await it.restart();
    {
      using _ = immutable(it.at("k"));
      await next.list(CONFIG_MAPS);
      assert.deepEqual([next.files(), next.isSynced], [{ k: "1" }, true]);
    }
    await next.later(1);
    assert.deepEqual(next.files(), {});
  },
);

Deno.test("settle() does what is due without run(), and waits for downloads", async () => {
  await using it = open({ urls: { "http://x/1": "one" } });
  const old = configMap("old", { k: "old" }, OLD);
  await it.list(CONFIG_MAPS, old);
  const next = await it.restart();
  await next.stop();
  next.beginList(CONFIG_MAPS, configMap("young", { k: "young", "u.url": "http://x/1" }));
  next.endList(CONFIG_MAPS);
  assert.equal(next.files().k, "old");
  await next.reconciler.settle(new AbortController().signal);
  assert.deepEqual(next.files(), { k: "young", u: "one" });
});

Deno.test("settle() gives up what fails, and says why where it is not the object's fault", async () => {
  await using it = open();
  await it.stop();
  using _ = refused(it, "full");
  Deno.mkdirSync(it.at("k"));
  it.beginList(CONFIG_MAPS, configMap("a", { k: "1", other: "1" }), configMap("b", { full: "1" }));
  it.endList(CONFIG_MAPS);
  await it.reconciler.settle(new AbortController().signal);
  const { failures } = it.reconciler.outcome;
  assert.deepEqual(failures.map(({ message }) => message), [`cannot change ${it.at("full")}`]);
  assert.equal(it.reconciler.outcome.countRefused([]), 1);
  assert.deepEqual(it.files(), { other: "1" });
});

Deno.test("countRefused() counts each object once, whatever is refused of it", async () => {
  await using it = open();
  using outside = tempFolder();
  Deno.symlinkSync(outside.path, it.at("out"));
  await it.list(
    CONFIG_MAPS,
    configMap("outside", { a: "1" }, { annotations: { [ANNOTATION]: "../x" } }),
    configMap("link", { a: "1", b: "1" }, { annotations: { [ANNOTATION]: "out" } }),
    configMap("keys", { "a/b": "1", good: "1", "dead.url": "http://dead" }),
    configMap("good", { fine: "1" }),
  );
  assert.equal(it.reconciler.outcome.countRefused([]), 3);
  assert.equal(it.reconciler.outcome.countRefused([it.at("dead"), it.at("fine")]), 4);
  const { objects, files, bytes, refused, collisions } = it.reconciler.census([it.at("dead"), it.at("fine")]);
  assert.deepEqual([...objects], [["ConfigMap", 4]]);
  assert.deepEqual([files, bytes, collisions], [2, 2, 0]);
  assert.deepEqual(Object.fromEntries(refused), { folder: 1, path: 1, key: 1, content: 1 });
  Deno.removeSync(it.at("out"));
});

Deno.test("census() counts paths that several objects claim, by kind what is selected", async () => {
  await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
  await it.list(CONFIG_MAPS, configMap("a", { x: "1", y: "12", z: "123" }), configMap("b", { x: "2", y: "2" }));
  await it.list(SECRETS, secret("s", { s: "1234" }));
  const { objects, files, bytes, collisions } = it.reconciler.census([]);
  assert.deepEqual(Object.fromEntries(objects), { ConfigMap: 2, Secret: 1 });
  assert.deepEqual([files, bytes, collisions], [4, 10, 2]);
});

Deno.test("onDiskError() is told of each failed attempt with the error of the system", async () => {
  await using it = open();
  using full = refused(it, "full");
  await it.list(CONFIG_MAPS, configMap("a", { full: "1" }));
  await it.clock.advance(1);
  assert.equal(it.diskErrors.length, 2);
  full[Symbol.dispose]();
});

const REFUSED: ObjectExtras = { annotations: { [ANNOTATION]: "../out" } };

Deno.test("A refused object keeps its last accepted files, over a restart too, until it is deleted", async () => {
  await using it = open();
  const a = configMap("a", { x: "1", y: "1" });
  await it.list(CONFIG_MAPS, a);
  const bad = changed(a, { x: "2" }, REFUSED);
  await it.apply(bad);
  assert.deepEqual(it.files(), { x: "1", y: "1" });
  const next = await it.restart();
  await next.list(CONFIG_MAPS, bad);
  await next.list(CONFIG_MAPS, bad);
  assert.deepEqual(next.files(), { x: "1", y: "1" });
  assert.match(next.errors().join(), /^error: ConfigMap default\/a refused: .*; its last accepted files stay$/);
  await next.delete(changed(bad, {}));
  assert.deepEqual(next.files(), {});
});

Deno.test("A refused object without files is not said to keep any", async () => {
  await using it = open();
  await it.list(CONFIG_MAPS, configMap("a", { x: "1" }, REFUSED));
  assert.match(it.errors().join(), /^error: ConfigMap default\/a refused: [^;]*$/);
});

Deno.test("A refused object leaves its path to an accepted one, and takes what it wants when it is accepted", async () => {
  await using it = open();
  const a = configMap("a", { x: "a", y: "a" }, OLD);
  const b = configMap("b", { x: "b" });
  await it.list(CONFIG_MAPS, a, b);
  const bad = changed(a, { x: "a" }, REFUSED);
  await it.apply(bad);
  await it.turn();
  assert.deepEqual(it.files(), { x: "b", y: "a" });
  await it.apply(changed(bad, { x: "a", z: "a" }, { annotations: {} }));
  assert.deepEqual(it.files(), { x: "a", z: "a" });
});

Deno.test("A refused object's file stays though the heir cannot deliver, and goes with the object", async () => {
  await using it = open();
  const a = configMap("a", { x: "a" }, OLD);
  const heir = configMap("b", { "x.url": "http://dead" });
  await it.list(CONFIG_MAPS, a, heir);
  const bad = changed(a, { x: "a" }, REFUSED);
  await it.apply(bad);
  await it.turn();
  assert.deepEqual(it.files(), { x: "a" });
  await it.delete(changed(bad, {}));
  assert.deepEqual(it.files(), {});
});

Deno.test("REMOVE_DELAY has an object that is made again within it change nothing", async () => {
  await using it = open({ removeDelay: 30 });
  const a = configMap("a", { x: "1", y: "1" });
  await it.list(CONFIG_MAPS, a);
  it.events.length = 0;
  await it.delete(changed(a, {}));
  await it.later(29);
  assert.deepEqual(it.files(), { x: "1", y: "1" });
  await it.apply(configMap("a", { x: "1", y: "1" }, { uid: "2", resourceVersion: "5" }));
  await it.later(60);
  assert.deepEqual([it.files(), it.events], [{ x: "1", y: "1" }, []]);
});

Deno.test("REMOVE_DELAY has an object that is made again with other keys write and remove the difference", async () => {
  await using it = open({ removeDelay: 30 });
  const a = configMap("a", { x: "1", y: "1", z: "1" });
  await it.list(CONFIG_MAPS, a);
  it.events.length = 0;
  await it.delete(changed(a, {}));
  await it.apply(configMap("a", { x: "1", y: "2" }, { uid: "2", resourceVersion: "5" }));
  assert.deepEqual(it.events, ["written ConfigMap default/a: y", "removed ConfigMap default/a: z"]);
  assert.deepEqual(it.files(), { x: "1", y: "2" });
});

Deno.test("REMOVE_DELAY ends with the removal, whether the object was deleted or not listed", async () => {
  await using it = open({ removeDelay: 30 });
  const [a, b] = [configMap("a", { a: "1", a2: "1" }), configMap("b", { b: "1" })];
  await it.list(CONFIG_MAPS, a, b);
  await it.apply(changed(a, { a: "1" }));
  assert.deepEqual(it.files(), { a: "1", b: "1" });
  await it.delete(changed(a, {}, { resourceVersion: "9" }));
  await it.later(10);
  await it.list(CONFIG_MAPS);
  await it.later(20);
  assert.deepEqual(it.files(), { b: "1" });
  await it.later(10);
  assert.deepEqual(it.files(), {});
});

Deno.test("REMOVE_DELAY is not for an object that is only no longer selected", async () => {
  const source: Source = { ...CONFIG_MAPS, labelSelector: "app=x" };
  await using it = open({ removeDelay: 30, sources: [source] });
  const [a, b] = ["a", "b"].map((name) => configMap(name, { [name]: "1" }, { labels: { app: "x" } })) as [
    KubeObject,
    KubeObject,
  ];
  await it.list(source, a, b);
  it.cluster.set(describe(a), { ...a, metadata: { ...a.metadata, labels: { app: "y" } } });
  // `b` was deleted and made again, and the watch is late
  for (const object of [a, b]) it.reconciler.delete(source, changed(object, {}));
  await it.later(1);
  assert.deepEqual(it.files(), { b: "1" });
});

Deno.test("REMOVE_DELAY does not hold up an heir", async () => {
  await using it = open({ removeDelay: 30 });
  const a = configMap("a", { x: "a", y: "a" }, OLD);
  await it.list(CONFIG_MAPS, a, configMap("b", { x: "b" }));
  await it.delete(changed(a, {}));
  assert.deepEqual(it.files(), { x: "b", y: "a" });
});

Deno.test("REMOVE_DELAY begins anew with a restart", async () => {
  await using it = open({ removeDelay: 30 });
  const a = configMap("a", { a: "1" });
  await it.list(CONFIG_MAPS, a);
  await it.delete(changed(a, {}));
  const next = await it.restart();
  await next.list(CONFIG_MAPS);
  await next.list(CONFIG_MAPS);
  await next.later(29);
  assert.deepEqual(next.files(), { a: "1" });
  await next.later(1);
  assert.deepEqual(next.files(), {});
});

Deno.test("reconsider() has files come and go with their namespaces", async () => {
  const selected = new Set(["default"]);
  await using it = open({ selects: (_source, namespace) => selected.has(namespace) });
  const elsewhere = configMap("b", { b: "1" }, { namespace: "other" });
  await it.list(CONFIG_MAPS, configMap("a", { a: "1" }), elsewhere);
  assert.deepEqual([it.files(), it.reconciler.objects], [{ a: "1" }, 1]);
  selected.add("other").delete("default");
  for (const namespace of ["other", "default"]) it.reconciler.reconsider(namespace);
  await it.turn();
  assert.deepEqual([it.files(), it.reconciler.objects], [{ b: "1" }, 1]);
  await it.apply(changed(elsewhere, { b: "2" }));
  const next = await it.restart();
  selected.clear();
  await next.list(CONFIG_MAPS, configMap("a", { a: "1" }), elsewhere);
  assert.deepEqual([next.files(), next.released], [{}, ["ConfigMap other/b"]]);
});

Deno.test("reconsider() passes over what a source with a namespace of its own brings", async () => {
  const source: Source = { kind: "ConfigMap", namespace: "default" };
  await using it = open({ sources: [source], selects: ({ namespace }) => namespace !== undefined });
  await it.list(source, configMap("a", { a: "1" }));
  it.reconciler.reconsider("default");
  assert.deepEqual(it.files(), { a: "1" });
});

Deno.test("Reconciler makes FOLDER again when it was removed, with all files at the next list", async () => {
  await using it = open();
  const [a, b] = [configMap("a", { a: "1" }), configMap("b", { b: "1" })];
  await it.list(CONFIG_MAPS, a, b);
  Deno.removeSync(it.folder, { recursive: true });
  await it.apply(changed(b, { b: "2" }));
  assert.deepEqual(it.files(), { b: "2" });
  await it.list(CONFIG_MAPS, a, changed(b, { b: "2" }));
  assert.deepEqual(it.files(), { a: "1", b: "2" });
  const next = await it.restart();
  await next.list(CONFIG_MAPS);
  assert.deepEqual(next.files(), {});
});

/** What the rule says the folder holds, worked out the slow way. */
function wanted(cluster: Iterable<KubeObject>): Record<string, string> {
  const rank = ({ kind, metadata: { creationTimestamp, namespace, name } }: KubeObject) =>
    [creationTimestamp, namespace, name, kind].join(" ");
  const files: Record<string, string> = {};
  for (const { kind, metadata: { annotations }, data } of [...cluster].sort((a, b) => rank(a) < rank(b) ? -1 : 1)) {
    for (const [key, value] of Object.entries(data ?? {})) {
      const path = `${annotations ? `${annotations[ANNOTATION]}/` : ""}${key}`;
      const isLost = (other: string) => other === path || other.startsWith(`${path}/`) || path.startsWith(`${other}/`);
      if (Object.keys(files).some(isLost)) continue;
      files[path] = kind === "Secret" ? new TextDecoder().decode(Uint8Array.fromBase64(value)) : value;
    }
  }
  return files;
}

Deno.test("Reconciler has the same files as the cluster after any changes, lists and restarts", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    await randomLife(seeded(seed)).catch((cause) => {
      throw new Error(`seed ${seed}: ${cause.message}`, { cause });
    });
  }
});

async function randomLife(random: () => number): Promise<void> {
  const sources = [CONFIG_MAPS, SECRETS];
  await using first = open({ sources });
  let it: Started = first;
  const { cluster } = first;
  let version = 0;
  const someObject = (): KubeObject => {
    const make = pick(random, [configMap, secret]);
    const data = Object.fromEntries(
      ["1", "2", "team"].filter(() => random() < 0.5).map((key) => [key, `content ${++version}`]),
    );
    return make(pick(random, ["a", "b", "c", "d"]), data, {
      resourceVersion: String(++version),
      creationTimestamp: pick(random, ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]),
      ...(random() < 0.4 ? { annotations: { [ANNOTATION]: pick(random, ["team", "team/2"]) } } : {}),
    });
  };
  const list = async (source: Source) => {
    it.beginList(source);
    for (const object of shuffled(random, [...cluster.values()])) {
      if (object.kind === source.kind) it.initApply(object);
      if (random() < 0.2) await it.turn();
    }
    it.endList(source);
    await it.turn();
  };
  const check = (what: string) => assert.deepEqual(it.files(), sorted(wanted(cluster.values())), what);
  for (const source of shuffled(random, sources)) await list(source);
  for (let step = 0; step < 25; step++) {
    const chance = random();
    const victim = pick(random, [...cluster.values(), undefined]);
    if (chance < 0.5) await it.apply(someObject());
    else if (chance < 0.7 && victim !== undefined) await it.delete(victim);
    else if (chance < 0.8 && victim !== undefined) {
      // Seen by nobody: the next list tells
      cluster.delete(describe(victim));
      await list(CONFIG_MAPS);
      await list(SECRETS);
    } else if (chance < 0.9) {
      it = await first.restart();
      const unseen = someObject();
      cluster.set(describe(unseen), unseen);
      if (victim !== undefined) cluster.delete(describe(victim));
      for (const source of shuffled(random, sources)) await list(source);
      assert.equal(it.isSynced, true);
    } else {
      for (const source of shuffled(random, sources)) await list(source);
    }
    check(`step ${step}`);
  }
}

function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort());
}

Deno.test("apply() tells of a pair of colliding objects once, with the number of paths", async () => {
  await using it = open();
  const keys = { a: "1", b: "1", c: "1" };
  await it.list(CONFIG_MAPS, configMap("old", keys, OLD), configMap("young", keys));
  const told = it.log.lines.filter((line) => line.includes("claimed by"));
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? "",
    /a and 2 more files are claimed by ConfigMap default\/old and ConfigMap default\/young: /,
  );
  const events = it.events.filter((event) => event.startsWith("collided"));
  assert.deepEqual(events, ["collided ConfigMap default/young: ConfigMap default/old has a"]);
});

const MANY_KEYS = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key-${index}`, "1"]));

Deno.test("apply() publishes a large object in slices, and is not settled before the last one", async () => {
  await using it = open({ clock: new SlowClock() });
  it.beginList(CONFIG_MAPS, configMap("a", MANY_KEYS));
  it.endList(CONFIG_MAPS);
  const first = Object.keys(it.files()).length;
  assert.ok(first > 0 && first < 50, `${first} files in the first slice`);
  assert.equal(it.isSynced, false);
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  assert.deepEqual(it.files(), MANY_KEYS);
  assert.equal(it.isSynced, true);
  assert.equal(it.events.length, 1);
  assert.equal(it.state.reads, 0);
});

Deno.test("apply() of a large object gives up the rest of what it was before", async () => {
  await using it = open({ clock: new SlowClock() });
  await it.list(CONFIG_MAPS);
  it.reconciler.apply(CONFIG_MAPS, configMap("a", MANY_KEYS), false);
  await it.apply(changed(configMap("a"), { x: "2" }));
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  assert.deepEqual(it.files(), { x: "2" });
  assert.equal(it.isSynced, true);
});

Deno.test("apply() of a large object removes what is old when all that is new was published", async () => {
  await using it = open({ clock: new SlowClock() });
  await it.list(CONFIG_MAPS);
  await it.apply(configMap("a", { old: "1", older: "1" }));
  it.reconciler.apply(CONFIG_MAPS, changed(configMap("a"), MANY_KEYS), false);
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) {
    assert.deepEqual([it.files().old, it.files().older], ["1", "1"]);
    await it.turn();
  }
  assert.deepEqual(it.files(), MANY_KEYS);
});

Deno.test("apply() of a large object removes what it inherited and never wrote", async () => {
  await using it = open({ clock: new SlowClock() });
  const winner = configMap("winner", { shared: "1" }, OLD);
  await it.list(CONFIG_MAPS, winner, configMap("heir", { shared: "2" }));
  it.reconciler.delete(CONFIG_MAPS, winner);
  // Before it was read again: the content is still the winner's
  const large = changed(configMap("heir"), MANY_KEYS);
  it.cluster.set("ConfigMap default/heir", large);
  it.reconciler.apply(CONFIG_MAPS, large, false);
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  assert.deepEqual(it.files(), MANY_KEYS);
});

Deno.test("delete() removes a large object's files in slices", async () => {
  await using it = open({ clock: new SlowClock() });
  await it.list(CONFIG_MAPS, configMap("a", MANY_KEYS));
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  it.reconciler.delete(CONFIG_MAPS, configMap("a", MANY_KEYS));
  const left = Object.keys(it.files()).length;
  assert.ok(left > 50 && left < 100, `${left} files are left after the first slice`);
  assert.equal(it.isSynced, false);
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  assert.deepEqual(it.files(), {});
  assert.equal(it.isSynced, true);
});

/** An object whose files are in the folder `team-v`. */
function inFolder(name: string, data: Record<string, string>, extras: ObjectExtras = {}): KubeObject {
  return configMap(name, data, { ...extras, annotations: { [ANNOTATION]: "team-v" } });
}

const [AS_FOLDER, AS_FILE] = [{ x: "folder", y: "folder" }, { "team-v": "file", beside: "1" }];
const ONE_LOSES = [
  ["a file", inFolder("old", AS_FOLDER, OLD), configMap("young", AS_FILE), "team-v", "team-v/x"],
  ["a folder", configMap("old", AS_FILE, OLD), inFolder("young", AS_FOLDER), "team-v/x", "team-v"],
] as const;

/** The files of these objects. */
function filesOf(...objects: KubeObject[]): Record<string, string> {
  const folderOf = ({ metadata }: KubeObject) => metadata.annotations === undefined ? "" : "team-v/";
  return Object.fromEntries(
    objects.flatMap((object) => Object.entries(object.data ?? {}).map(([key, text]) => [folderOf(object) + key, text])),
  );
}

for (const [what, old, young, lost, blocker] of ONE_LOSES) {
  const winning = { ...(what === "a file" ? { beside: "1" } : {}), ...filesOf(old) };

  Deno.test(`Reconciler has the older object win whoever comes first when the younger wants ${what}, and tells once`, async () => {
    for (const order of [[old, young], [young, old]]) {
      await using it = open();
      for (let turn = 0; turn < 3; turn++) await it.list(CONFIG_MAPS, ...order);
      assert.deepEqual(it.files(), winning);
      const told = it.events.filter((event) => event.startsWith("collided"));
      assert.deepEqual(told, [`collided ConfigMap default/young: ConfigMap default/old has ${lost}`]);
      const [warning, ...others] = it.log.lines.filter((line) => line.startsWith("warn"));
      assert.deepEqual(others, []);
      assert.ok(
        warning?.includes(`${it.at(lost)}${what === "a file" ? " of" : " and 1 more file of"} ConfigMap`),
        `${warning}`,
      );
      assert.ok(
        warning?.includes(`default/old, the older one (COLLISIONS=oldest), has ${it.at(blocker)},`),
        `${warning}`,
      );
      assert.deepEqual(it.errors(), []);
    }
  });

  Deno.test(`Reconciler removes what is in the way of an older object, and puts ${what} there when that goes`, async () => {
    await using it = open();
    await it.list(CONFIG_MAPS, young);
    it.events.length = 0;
    await it.apply(old);
    assert.deepEqual(it.files(), winning);
    assert.equal(it.journal.ownerOf(it.at(blocker)), "ConfigMap/default/old");
    assert.deepEqual(it.events.map((event) => event.split(" ")[0]), ["collided", "removed", "written"]);
    assert.match(it.events[1] ?? "", /^removed ConfigMap default\/young: team-v/);
    assert.equal(it.state.reads, 0);
    await it.delete(old);
    assert.deepEqual(it.files(), filesOf(young));
    assert.equal(it.state.reads, 1);
    assert.deepEqual(it.errors(), []);
  });

  Deno.test(`Reconciler puts ${what} at once where that of a deleted object stays for REMOVE_DELAY`, async () => {
    await using it = open({ removeDelay: 30 });
    await it.list(CONFIG_MAPS, old, young);
    await it.delete(old);
    assert.deepEqual(it.files(), { ...(what === "a folder" ? { beside: "1" } : {}), ...filesOf(young) });
    await it.later(31);
    assert.deepEqual(it.files(), filesOf(young));
    assert.deepEqual(it.errors(), []);
  });

  Deno.test(`Reconciler waits with ${what} for the list of the object whose file of an earlier run is in the way`, async () => {
    const earlier = { ...old, kind: "Secret", data: secret("old", old.data ?? {}).data };
    for (const isThere of [true, false]) {
      await using it = open({ sources: [CONFIG_MAPS, SECRETS] });
      await it.list(SECRETS, earlier as KubeObject);
      await it.list(CONFIG_MAPS);
      const next = await it.restart();
      await next.list(CONFIG_MAPS, young);
      assert.deepEqual(next.files(), winning);
      await next.list(SECRETS, ...(isThere ? [earlier as KubeObject] : []));
      assert.deepEqual(next.files(), isThere ? winning : filesOf(young));
      assert.deepEqual(next.errors(), []);
      assert.equal(next.isSynced, true);
    }
  });
}

Deno.test("Reconciler moves an object's file into a folder of its name, and back", async () => {
  await using it = open();
  const file = configMap("a", { "team-v": "1" });
  const folder = changed(file, { x: "2" }, { annotations: { [ANNOTATION]: "team-v" } });
  await it.list(CONFIG_MAPS, file);
  await it.apply(folder);
  assert.deepEqual(it.files(), { "team-v/x": "2" });
  await it.apply(changed(folder, { "team-v": "3" }, { annotations: {} }));
  assert.deepEqual(it.files(), { "team-v": "3" });
  assert.deepEqual(it.errors(), []);
});

Deno.test("Reconciler has a file win over what a refused object kept in a folder", async () => {
  await using it = open();
  const kept = inFolder("old", { x: "1" }, OLD);
  await it.list(CONFIG_MAPS, kept);
  await it.apply(changed(kept, { x: "2" }, { annotations: { [ANNOTATION]: "../out" } }));
  assert.deepEqual(it.files(), { "team-v/x": "1" });
  await it.apply(configMap("young", { "team-v": "2" }));
  assert.deepEqual(it.files(), { "team-v": "2" });
});

Deno.test("Reconciler waits with a file for a stranger's in the folder, and takes back no waiting that claims ended", async () => {
  await using it = open();
  Deno.mkdirSync(it.at("team-v"));
  it.write("team-v/stranger", "x");
  const young = configMap("young", { "team-v": "1" });
  await it.list(CONFIG_MAPS, young);
  assert.match(it.errors()[0] ?? "", /a directory is in the way; waiting until that changes/);
  await it.apply(inFolder("old", { x: "1" }, OLD));
  assert.deepEqual(it.files(), { "team-v/x": "1", "team-v/stranger": "x" });
  assert.equal(it.reconciler.outcome.countRefused([]), 0);
  await it.delete(inFolder("old", {}, OLD));
  assert.equal(it.reconciler.outcome.countRefused([]), 1);
  Deno.removeSync(it.at("team-v"), { recursive: true });
  await it.later(2);
  assert.deepEqual(it.files(), { "team-v": "1" });
});

Deno.test("Reconciler removes many files in the way in slices, and then writes the file", async () => {
  await using it = open({ collisions: "newest", clock: new SlowClock() });
  await it.list(CONFIG_MAPS, inFolder("old", MANY_KEYS, OLD));
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  assert.equal(Object.keys(it.files()).length, 100);
  const young = configMap("young", { "team-v": "1" });
  it.cluster.set(describe(young), young);
  it.reconciler.apply(CONFIG_MAPS, young, false);
  const left = Object.keys(it.files()).length;
  assert.ok(left > 50 && left < 100, `${left} files are left after the first slice`);
  assert.equal(it.isSynced, false);
  for (let turn = 0; turn < 20 && !it.isSynced; turn++) await it.turn();
  assert.deepEqual(it.files(), { "team-v": "1" });
  assert.equal(it.isSynced, true);
  assert.deepEqual(it.errors(), []);
});

Deno.test("Reconciler downloads a file where another object's folder was", async () => {
  await using it = open({ collisions: "newest", urls: { "http://a/": "served" } });
  await it.list(CONFIG_MAPS, inFolder("old", { x: "1" }, OLD));
  await it.apply(configMap("young", { "team-v.url": "http://a/" }));
  await it.turn();
  assert.deepEqual(it.files(), { "team-v": "served" });
  assert.deepEqual(it.errors(), []);
});
