import assert from "node:assert/strict";
import { Journal } from "../../lib/files/journal.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { UrlContent } from "../../lib/downloads/fetcher.ts";
import { UrlDownloads, type UrlDownloadsOptions } from "../../lib/downloads/scheduler.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import { keptLog } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { filesIn, tempFolder, temporariesIn } from "../support/disk.ts";
import { encode, serve, until } from "../support/local_servers.ts";

const REF: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
const OWNER = "ConfigMap/default/a";

/** What serves a URL: gives its content, whether that is still wanted or not, or throws. */
type Server = () => string | Promise<string>;

/** Downloads into a real folder, from servers that each test writes; a URL without one is never answered. */
function open(servers: Record<string, Server> = {}) {
  const folder = tempFolder();
  const clock = new FakeClock();
  const log = keptLog();
  const events: string[] = [];
  const asked: string[] = [];
  const active = { now: 0, most: 0 };
  const journal = new Journal(undefined, log);
  const publisher = new Publisher({
    folder: folder.path,
    allowedFolders: [],
    mode: 0o644,
    journal,
    id: "id",
    random: Math.random,
    beforeChange() {},
    log,
  });
  const content: UrlDownloadsOptions["content"] = {
    async fetchTo(url, sink, signal) {
      asked.push(url);
      active.most = Math.max(active.most, ++active.now);
      try {
        await sink.write(encode("a part that is to be forgotten"));
        await sink.restart();
        await sink.write(encode(await (servers[url]?.() ?? aborted(signal))));
      } finally {
        active.now--;
      }
    },
  };
  const within = (path: string) => path.slice(folder.path.length + 1);
  const downloads = new UrlDownloads({
    content,
    publisher,
    onWritten: (ref, path) => void events.push(`${ref.name} wrote ${within(path)}`),
    onFailed: (ref, reason) => void events.push(`${ref.name} failed ${within(reason)}`),
    firstBackoff: 1,
    turn: 10,
    refresh: 600,
    clock,
    random: () => 0,
    log,
  });
  return {
    servers,
    clock,
    log,
    events,
    asked,
    active,
    journal,
    downloads,
    folder: folder.path,
    at: (path: string) => `${folder.path}/${path}`,
    want: (path: string, url: string, version = 1) =>
      downloads.want(`${folder.path}/${path}`, url, REF, OWNER, version),
    forget: (path: string) => downloads.forget(`${folder.path}/${path}`),
    write: (path: string, text: string) => Deno.writeTextFileSync(`${folder.path}/${path}`, text),
    /** Lets all go on that waits for nothing outside. */
    turn: () => clock.advance(0),
    files: () => filesIn(folder.path),
    failed: () => [...downloads.failed].map(within),
    async isSettled() {
      let settled = false;
      downloads.settled().then(() => settled = true);
      await clock.advance(0);
      return settled;
    },
    async [Symbol.asyncDispose]() {
      await downloads.close();
      assert.deepEqual(temporariesIn(folder.path), []);
      assert.equal(clock.sleeping, 0);
      folder[Symbol.dispose]();
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

const down = () => {
  throw new Error("connection refused");
};

Deno.test("want() has the file hold what the URL serves, and makes it ours", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("sub/a", "http://x/a");
  assert.equal(await it.isSettled(), true);
  assert.deepEqual(it.files(), { "sub/a": "served" });
  assert.equal(it.journal.owned.get(it.at("sub/a")), OWNER);
  assert.deepEqual(it.events, ["a wrote sub/a"]);
});

Deno.test("want() of an object that changed asks again, and leaves a file alone that is right already", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("a", "http://x/a", 1);
  await it.turn();
  const { ino } = Deno.statSync(it.at("a"));
  it.want("a", "http://x/a", 2);
  await it.turn();
  assert.equal(Deno.statSync(it.at("a")).ino, ino);
  assert.deepEqual(it.events, ["a wrote a"]);
  assert.equal(it.asked.length, 2);
});

Deno.test("want() of an object that did not change asks nothing, unless somebody changed the file", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("a", "http://x/a");
  await it.turn();
  it.want("a", "http://x/a");
  await it.turn();
  assert.equal(it.asked.length, 1);
  for (const harm of [() => it.write("a", "changed"), () => Deno.removeSync(it.at("a"))]) {
    harm();
    it.want("a", "http://x/a");
    await it.turn();
    assert.deepEqual(it.files(), { a: "served" });
  }
  assert.equal(it.asked.length, 3);
});

Deno.test("want() of an object that did not change asks again once it is time for a refresh", async () => {
  let served = "old";
  await using it = open({ "http://x/a": () => served });
  it.want("a", "http://x/a");
  await it.turn();
  served = "new";
  for (const [seconds, content] of [[400, "old"], [200, "new"]] as const) {
    await it.clock.advance(seconds);
    it.want("a", "http://x/a");
    await it.turn();
    assert.deepEqual(it.files(), { a: content });
  }
  assert.equal(it.asked.length, 2);
});

Deno.test("want() again leaves alone a download that is under way, whether its object changed or not", async () => {
  const answer = Promise.withResolvers<string>();
  await using it = open({ "http://x/slow": () => answer.promise });
  for (const version of [1, 1, 2]) {
    it.want("a", "http://x/slow", version);
    await it.turn();
  }
  answer.resolve("served");
  assert.equal(await it.isSettled(), true);
  assert.deepEqual([it.files(), it.asked.length], [{ a: "served" }, 1]);
});

Deno.test("decided() waits for the end of a download that has had its turn", async () => {
  const answer = Promise.withResolvers<string>();
  await using it = open({ "http://x/slow": () => answer.promise });
  it.want("a", "http://x/slow");
  await it.clock.advance(10);
  assert.equal(await it.isSettled(), true);
  let isDecided = false;
  const decided = it.downloads.decided().then(() => isDecided = true);
  await it.turn();
  assert.equal(isDecided, false);
  answer.resolve("served");
  await decided;
  assert.deepEqual(it.files(), { a: "served" });
});

Deno.test("want() keeps the last good file while the URL fails, tries with backoff and tells of it once", async () => {
  await using it = open({ "http://x/a": down });
  it.write("a", "last good");
  it.want("a", "http://x/a");
  await it.turn();
  assert.deepEqual(it.failed(), ["a"]);
  for (const delay of [1, 2, 4, 8, 16, 30, 30]) {
    assert.equal(it.clock.nextDue, delay);
    await it.clock.advance(delay);
  }
  assert.deepEqual(it.files(), { a: "last good" });
  assert.deepEqual(it.events, ["a failed a: connection refused"]);
  assert.equal(it.log.lines.filter((line) => line.startsWith("error")).length, 1);
  it.servers["http://x/a"] = () => "served";
  await it.clock.advance(30);
  assert.deepEqual(it.files(), { a: "served" });
  assert.deepEqual(it.failed(), []);
});

Deno.test("want() of another URL ends the download that is under way", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ "http://x/old": () => slow.promise, "http://x/new": () => "new" });
  it.want("a", "http://x/old");
  await it.turn();
  it.want("a", "http://x/new");
  await it.turn();
  slow.resolve("old");
  await it.turn();
  assert.deepEqual(it.files(), { a: "new" });
  assert.deepEqual(it.events, ["a wrote a"]);
});

Deno.test("forget() ends a download, and no late answer comes to disk", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ "http://x/a": () => slow.promise, "http://x/b": down });
  it.want("a", "http://x/a");
  it.want("b", "http://x/b");
  await it.turn();
  it.forget("a");
  it.forget("b");
  it.forget("never wanted");
  slow.resolve("late");
  assert.equal(await it.isSettled(), true);
  await it.clock.advance(100);
  assert.deepEqual(it.files(), {});
  assert.deepEqual(it.failed(), []);
  assert.deepEqual(it.asked, ["http://x/a", "http://x/b"]);
});

Deno.test("settled() waits until each download was tried, whether it worked or not", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ "http://x/a": down, "http://x/b": () => slow.promise });
  assert.equal(await it.isSettled(), true);
  it.want("a", "http://x/a");
  it.want("b", "http://x/b");
  assert.equal(await it.isSettled(), false);
  slow.resolve("served");
  assert.equal(await it.isSettled(), true);
  it.want("c", "http://x/c");
  assert.equal(await it.isSettled(), false);
  it.forget("c");
  assert.equal(await it.isSettled(), true);
});

Deno.test("want() of many has four under way at most, also when retries come together, and all are had in the end", async () => {
  const gates: PromiseWithResolvers<string>[] = [];
  await using it = open();
  const names = Array.from({ length: 20 }, (_, index) => `file-${index}`);
  let fails = true;
  for (const name of names) {
    it.servers[`http://x/${name}`] = () => {
      if (fails) return down();
      gates.push(Promise.withResolvers());
      return gates.at(-1)!.promise;
    };
    it.want(name, `http://x/${name}`);
  }
  await it.turn();
  await it.turn();
  assert.equal(it.failed().length, 20);
  fails = false;
  await it.clock.advance(1);
  for (let turn = 0; gates.length > 0; turn++) {
    const gate = gates.shift()!;
    gate.resolve("served");
    // One comes just when another one ends: before, while and after the next in the queue goes on
    let soon: Promise<unknown> = gate.promise;
    for (let tick = 0; tick < turn; tick++) soon = soon.then(() => {});
    if (turn < 15) soon.then(() => it.want(`more-${turn}`, "http://x/file-0"));
    await it.turn();
  }
  assert.equal(it.active.most, 4);
  assert.equal(Object.keys(it.files()).length, 35);
});

Deno.test("want() of a path that cannot be fails as a download does, and is tried again", async () => {
  await using it = open({ "http://x/a": () => "served" });
  Deno.mkdirSync(it.at("a"));
  Deno.symlinkSync("/", it.at("out"));
  it.want("a", "http://x/a");
  it.want("out/a", "http://x/a");
  await it.turn();
  assert.deepEqual(it.failed().toSorted(), ["a", "out/a"]);
  Deno.removeSync(it.at("a"));
  await it.clock.advance(1);
  assert.equal(Deno.readTextFileSync(it.at("a")), "served");
  assert.deepEqual(it.failed(), ["out/a"]);
  Deno.removeSync(it.at("out"));
});

Deno.test("close() resolves once what was cut short has left no temporary behind", async () => {
  await using it = open();
  it.want("a", "http://x/never answered");
  await it.turn();
  assert.deepEqual(temporariesIn(it.folder).length, 1);
  await it.downloads.close();
  assert.deepEqual(temporariesIn(it.folder), []);
});

Deno.test("untried names the paths that are waited for", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("a", "http://x/a");
  it.want("b", "http://x/never answered");
  await it.turn();
  assert.deepEqual([...it.downloads.untried], [it.at("b")]);
});

Deno.test("want() takes its content over a real connection", async () => {
  await using server = serve(() => new Response("x".repeat(300_000)));
  using cleanup = new DisposableStack();
  const transport = openTransport();
  cleanup.defer(() => transport.close());
  using folder = tempFolder();
  const log = keptLog();
  const clock = new FakeClock();
  const content = new UrlContent({
    transport,
    retry: { total: 0, connect: 0, read: 0, backoffFactor: 1 },
    timeout: 10,
    maxBytes: 1_000_000,
    enable5xx: false,
    authorizationFor: () => Promise.resolve(undefined),
    clock,
    log,
  });
  const publisher = new Publisher({
    folder: folder.path,
    allowedFolders: [],
    mode: 0o600,
    journal: new Journal(undefined, log),
    id: "id",
    random: Math.random,
    beforeChange() {},
    log,
  });
  const written: string[] = [];
  const downloads = new UrlDownloads({
    content,
    publisher,
    onWritten: (_, path) => void written.push(path),
    onFailed: (_, reason) => assert.fail(reason),
    firstBackoff: 1,
    turn: 10,
    refresh: 600,
    clock,
    random: () => 0,
    log,
  });
  downloads.want(`${folder.path}/large`, `http://127.0.0.1:${server.port}/`, REF, OWNER, 1);
  await until(() => written.length === 1);
  assert.deepEqual(filesIn(folder.path), { large: "x".repeat(300_000) });
  await downloads.close();
});
