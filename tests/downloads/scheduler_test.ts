import assert from "node:assert/strict";
import { ArchiveError } from "../../lib/downloads/archive_error.ts";
import { ByteLimits } from "../../lib/downloads/byte_limits.ts";
import { textBody, textOf } from "../../lib/files/body.ts";
import { Journal } from "../../lib/files/journal.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { Fetcher } from "../../lib/downloads/fetcher.ts";
import { DownloadScheduler, type DownloadSchedulerOptions } from "../../lib/downloads/scheduler.ts";
import { SharedDownloads } from "../../lib/downloads/shared_downloads.ts";
import { BusyHostError } from "../../lib/downloads/fetch_error.ts";
import { RefusedHostError } from "../../lib/http/transport.ts";
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
function open(servers: Record<string, Server> = {}, { perObject = Infinity, total = Infinity } = {}) {
  const folder = tempFolder();
  const clock = new FakeClock();
  const log = keptLog();
  const events: string[] = [];
  const refusals: string[] = [];
  const changes: string[] = [];
  const attempts: string[] = [];
  const asked: string[] = [];
  /** By URL, from hosts that offer them; and those that requests were sent with. */
  const etags: Record<string, string> = {};
  const conditional: (string | undefined)[] = [];
  const active = { now: 0, most: 0 };
  const unpacking = { now: 0, gate: Promise.resolve() };
  const journal = new Journal({ folder: folder.path, id: "id", stateFile: "none", log });
  const publisher = new Publisher({
    configFiles: [],
    folder: folder.path,
    allowedFolders: [],
    mode: 0o644,
    atomicWrites: true,
    journal,
    id: "id",
    beforeChange() {},
    log,
  });
  const fetcher: DownloadSchedulerOptions["fetcher"] = {
    async fetchTo(url, sink, signal, known) {
      asked.push(url);
      active.most = Math.max(active.most, ++active.now);
      try {
        conditional.push(known?.etag);
        const content = servers[url]?.();
        await sink.write(encode("~"));
        await sink.restart();
        const served = await (content ?? aborted(signal));
        if (etags[url] !== undefined && etags[url] === known?.etag) return { isUnchanged: true, validators: known };
        await sink.write(encode(served));
        const etag = etags[url];
        const validators = etag === undefined
          ? undefined
          : { url, authorization: undefined, etag, lastModified: undefined };
        return { isUnchanged: false, validators };
      } finally {
        active.now--;
      }
    },
  };
  const within = (path: string) => path.slice(folder.path.length + 1);
  const downloads = new DownloadScheduler({
    fetcher,
    publisher,
    limits: new ByteLimits({ perObject, total }),
    onWritten: (ref, path) => void events.push(`${ref.name} wrote ${within(path)}`),
    // What is in an "archive" is its text in capitals
    async unpack(archive, write) {
      unpacking.now++;
      try {
        const packed = textOf(archive);
        await unpacking.gate;
        write(encode("A PART THAT "));
        if (packed.startsWith("broken")) throw new ArchiveError(packed);
        if (packed.startsWith("full")) throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
        write(encode(packed.toUpperCase()));
      } finally {
        unpacking.now--;
      }
    },
    onRefused: (ref, path, reason) => {
      refusals.push(reason);
      events.push(`${ref.name} refused ${within(path)}: ${reason.split(": ")[2]}`);
    },
    onFailed: (ref, path, reason) => void events.push(`${ref.name} failed ${within(path)}: ${reason.split(": ")[1]}`),
    onAttempt: (isDownload, error) =>
      void attempts.push(`${isDownload ? "download" : "unpack"}: ${error instanceof Error ? error.name : "ok"}`),
    onChange: () => void changes.push([downloads.awaited.size, downloads.unpacking.size, downloads.failed.size].join()),
    firstBackoff: 1,
    turns: new SharedDownloads({ clock, random: () => 0, log }).join(4),
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
    refusals,
    changes,
    attempts,
    asked,
    etags,
    conditional,
    active,
    unpacking,
    journal,
    downloads,
    folder: folder.path,
    at: (path: string) => `${folder.path}/${path}`,
    want: (path: string, url: string, version = 1, owner = OWNER) =>
      downloads.want(`${folder.path}/${path}`, { url }, REF, owner, version),
    /** An archive in the object itself, or one that a URL serves. */
    wantArchive: (path: string, from: { url: string } | { text: string }, version = 1) => {
      const content = "url" in from ? { url: from.url } : { body: textBody(from.text) };
      downloads.want(`${folder.path}/${path}`, { ...content, isGzip: true }, REF, OWNER, version);
    },
    forget: (path: string) => downloads.forget(`${folder.path}/${path}`),
    write: (path: string, text: string) => Deno.writeTextFileSync(`${folder.path}/${path}`, text),
    /** Lets all go on that waits for nothing outside. */
    settle: () => clock.advance(0),
    files: () => filesIn(folder.path),
    failed: () => [...downloads.failed].map(within),
    /** Paths that readiness waits for, once all has gone on that can. */
    async awaited() {
      await clock.advance(0);
      return [...downloads.awaited].map(within);
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

Deno.test("want() writes what the URL serves and makes it ours", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("sub/a", "http://x/a");
  assert.deepEqual(await it.awaited(), []);
  assert.deepEqual(it.files(), { "sub/a": "served" });
  assert.equal(it.journal.ownerOf(it.at("sub/a")), OWNER);
  assert.deepEqual(it.events, ["a wrote sub/a"]);
});

Deno.test("want() of a changed object fetches, and keeps a right file", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("a", "http://x/a", 1);
  await it.settle();
  const { ino } = Deno.statSync(it.at("a"));
  it.want("a", "http://x/a", 2);
  await it.settle();
  assert.equal(Deno.statSync(it.at("a")).ino, ino);
  assert.deepEqual(it.events, ["a wrote a"]);
  assert.equal(it.asked.length, 2);
});

Deno.test("want() of an unchanged object fetches when the file was changed", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("a", "http://x/a");
  await it.settle();
  it.want("a", "http://x/a");
  await it.settle();
  assert.equal(it.asked.length, 1);
  for (const harm of [() => it.write("a", "changed"), () => Deno.removeSync(it.at("a"))]) {
    harm();
    it.want("a", "http://x/a");
    await it.settle();
    assert.deepEqual(it.files(), { a: "served" });
  }
  assert.equal(it.asked.length, 3);
});

Deno.test("want() of an unchanged object fetches when a refresh is due", async () => {
  let served = "old";
  await using it = open({ "http://x/a": () => served });
  it.want("a", "http://x/a");
  await it.settle();
  served = "new";
  for (const [seconds, content] of [[400, "old"], [200, "new"]] as const) {
    await it.clock.advance(seconds);
    it.want("a", "http://x/a");
    await it.settle();
    assert.deepEqual(it.files(), { a: content });
  }
  assert.equal(it.asked.length, 2);
});

Deno.test("want() again leaves a download that is under way", async () => {
  const answer = Promise.withResolvers<string>();
  await using it = open({ "http://x/slow": () => answer.promise });
  for (const version of [1, 1, 2]) {
    it.want("a", "http://x/slow", version);
    await it.settle();
  }
  answer.resolve("served");
  assert.deepEqual(await it.awaited(), []);
  assert.deepEqual([it.files(), it.asked.length], [{ a: "served" }, 1]);
});

Deno.test("awaited keeps a slow download until its end", async () => {
  const answer = Promise.withResolvers<string>();
  await using it = open({ "http://x/slow": () => answer.promise });
  it.want("a", "http://x/slow");
  await it.clock.advance(100);
  assert.deepEqual(await it.awaited(), ["a"]);
  answer.resolve("served");
  assert.deepEqual(await it.awaited(), []);
  assert.deepEqual(it.files(), { a: "served" });
});

Deno.test("onChange() is told of each change of awaited, unpacking and failed", async () => {
  const answer = Promise.withResolvers<string>();
  await using it = open({ "http://x/slow": () => answer.promise, "http://x/down": down });
  it.forget("never wanted");
  assert.deepEqual(it.changes, []);
  it.want("a", "http://x/slow");
  assert.deepEqual(it.changes.splice(0), ["1,0,0"]);
  answer.resolve("served");
  await it.settle();
  assert.deepEqual(it.changes.splice(0), ["0,0,0"]);
  it.want("b", "http://x/down");
  await it.settle();
  assert.deepEqual(it.changes.splice(0), ["1,0,0", "0,0,1"]);
  it.forget("b");
  assert.deepEqual(it.changes.splice(0), ["0,0,0"]);
  it.wantArchive("c", { text: "c" });
  await it.settle();
  assert.deepEqual(it.changes.splice(0), ["0,1,0", "0,0,0"]);
});

Deno.test("onAttempt() is told of each attempt, also of repeated failures", async () => {
  await using it = open({ "http://x/a": down });
  it.want("a", "http://x/a");
  await it.settle();
  await it.clock.advance(1);
  it.servers["http://x/a"] = () => "served";
  await it.clock.advance(2);
  assert.deepEqual(it.attempts.splice(0), ["download: Error", "download: Error", "download: ok"]);
  it.wantArchive("c", { text: "broken" });
  await it.settle();
  it.wantArchive("d", { text: "d" });
  await it.settle();
  assert.deepEqual(it.attempts, ["unpack: ArchiveError", "unpack: ok"]);
});

Deno.test("want() keeps the last good file, backs off and tells once", async () => {
  await using it = open({ "http://x/a": down });
  it.write("a", "last good");
  it.want("a", "http://x/a");
  await it.settle();
  assert.deepEqual(it.failed(), ["a"]);
  for (const delay of [1, 2, 4, 8, 16, 30, 30]) {
    assert.equal(it.clock.nextDue, delay);
    await it.clock.advance(delay);
  }
  assert.deepEqual(it.files(), { a: "last good" });
  assert.deepEqual(it.events, ["a failed a: the download failed"]);
  assert.equal(it.log.lines.filter((line) => line.startsWith("error")).length, 1);
  it.servers["http://x/a"] = () => "served";
  await it.clock.advance(30);
  assert.deepEqual(it.files(), { a: "served" });
  assert.deepEqual(it.failed(), []);
});

Deno.test("want() of another URL ends the download under way", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ "http://x/old": () => slow.promise, "http://x/new": () => "new" });
  it.want("a", "http://x/old");
  await it.settle();
  it.want("a", "http://x/new");
  await it.settle();
  slow.resolve("old");
  await it.settle();
  assert.deepEqual(it.files(), { a: "new" });
  assert.deepEqual(it.events, ["a wrote a"]);
});

Deno.test("forget() ends a download, and a late answer changes nothing", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ "http://x/a": () => slow.promise, "http://x/b": down });
  it.want("a", "http://x/a");
  it.want("b", "http://x/b");
  await it.settle();
  it.forget("a");
  it.forget("b");
  it.forget("never wanted");
  slow.resolve("late");
  assert.deepEqual(await it.awaited(), []);
  await it.clock.advance(100);
  assert.deepEqual(it.files(), {});
  assert.deepEqual(it.failed(), []);
  assert.deepEqual(it.asked, ["http://x/a", "http://x/b"]);
});

Deno.test("awaited names each download that was not tried yet", async () => {
  const slow = Promise.withResolvers<string>();
  await using it = open({ "http://x/a": down, "http://x/b": () => slow.promise });
  assert.deepEqual(await it.awaited(), []);
  it.want("a", "http://x/a");
  it.want("b", "http://x/b");
  assert.deepEqual(await it.awaited(), ["b"]);
  slow.resolve("served");
  assert.deepEqual(await it.awaited(), []);
  it.want("c", "http://x/c");
  assert.deepEqual(await it.awaited(), ["c"]);
  it.forget("c");
  assert.deepEqual(await it.awaited(), []);
});

Deno.test("want() of many has URL_MAX_OPEN under way, less one per namespace", async () => {
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
  for (let turn = 0; turn < 4; turn++) await it.settle();
  assert.equal(it.failed().length, 20);
  fails = false;
  await it.clock.advance(1);
  for (let round = 0; gates.length > 0; round++) {
    const gate = gates.shift()!;
    gate.resolve("served");
    // One comes just when another one ends: before, while and after the next in the queue goes on
    let soon: Promise<unknown> = gate.promise;
    for (let tick = 0; tick < round; tick++) soon = soon.then(() => {});
    if (round < 15) soon.then(() => it.want(`more-${round}`, "http://x/file-0"));
    await it.settle();
  }
  assert.equal(it.active.most, 3);
  assert.equal(Object.keys(it.files()).length, 35);
});

Deno.test("want() of a paused host stays awaited, is told of once and comes in its turn", async () => {
  let isBusy = true;
  const busy = () => {
    if (isBusy) throw new BusyHostError("answered 429 Too Many Requests", 20);
    return "served";
  };
  await using it = open({ "http://x/a": busy, "http://x/b": busy, "http://y/c": () => "other" });
  it.write("a", "last good");
  it.want("a", "http://x/a");
  await it.settle();
  it.want("b", "http://x/b");
  it.want("c", "http://y/c");
  assert.deepEqual([await it.awaited(), it.failed()], [["a", "b"], ["a"]]);
  await it.clock.advance(20);
  assert.deepEqual(it.asked, ["http://x/a", "http://y/c", "http://x/a"]);
  assert.deepEqual(it.files(), { a: "last good", c: "other" });
  isBusy = false;
  // A changed object asks no sooner
  it.want("a", "http://x/a", 2);
  await it.clock.advance(19);
  assert.equal(it.asked.length, 3);
  await it.clock.advance(1);
  assert.deepEqual([await it.awaited(), it.failed()], [[], []]);
  assert.deepEqual(it.files(), { a: "served", b: "served", c: "other" });
  assert.deepEqual(it.asked.slice(3), ["http://x/b", "http://x/a"]);
  assert.deepEqual(it.events.filter((event) => event.includes("failed")), ["a failed a: the download failed"]);
  assert.equal(it.log.lines.filter((line) => line.includes("paused")).length, 2);
});

Deno.test("want() again asks whether the file is still right", async () => {
  const url = "http://x/a";
  await using it = open({ [url]: () => "served" });
  it.etags[url] = '"1"';
  it.want("a", url);
  await it.settle();
  const { ino } = Deno.statSync(it.at("a"));
  it.want("a", url, 2);
  await it.clock.advance(600);
  it.want("a", url, 2);
  await it.settle();
  assert.deepEqual(it.conditional, [undefined, '"1"', '"1"']);
  assert.deepEqual([it.files(), it.events], [{ a: "served" }, ["a wrote a"]]);
  assert.equal(Deno.statSync(it.at("a")).ino, ino);
  it.servers[url] = () => "newer";
  it.etags[url] = '"2"';
  it.want("a", url, 3);
  await it.settle();
  it.want("a", url, 4);
  await it.settle();
  assert.deepEqual([it.files(), it.conditional.slice(3)], [{ a: "newer" }, ['"1"', '"2"']]);
});

Deno.test("want() asks without conditions when the file, the owner or the URL is another", async () => {
  const url = "http://x/a";
  await using it = open({ [url]: () => "served", "http://x/b": () => "served too" });
  it.etags[url] = it.etags["http://x/b"] = '"1"';
  it.want("a", url);
  await it.settle();
  it.write("a", "changed by somebody");
  it.want("a", url);
  await it.settle();
  assert.deepEqual(it.files(), { a: "served" });
  it.want("a", "http://x/b");
  await it.settle();
  it.want("a", "http://x/b", 1, "ConfigMap/default/b");
  await it.settle();
  it.forget("a");
  it.want("a", "http://x/b", 1, "ConfigMap/default/b");
  await it.settle();
  assert.deepEqual(it.conditional, Array(5).fill(undefined));
});

Deno.test("want() fetches again when the file changes while the host is asked", async () => {
  const url = "http://x/a";
  await using it = open({ [url]: () => "served" });
  it.etags[url] = '"1"';
  it.want("a", url);
  await it.settle();
  it.servers[url] = () => {
    if (it.conditional.length === 2) it.write("a", "changed by somebody");
    return "served";
  };
  it.want("a", url, 2);
  await it.settle();
  assert.deepEqual([it.conditional, it.files()], [[undefined, '"1"', undefined], { a: "served" }]);
});

Deno.test("want() refuses downloads beyond the limit of the object, until there is room", async () => {
  await using it = open({ "http://x/6": () => "123456", "http://x/5": () => "12345" }, { perObject: 10 });
  it.want("a", "http://x/6");
  await it.settle();
  it.want("b", "http://x/5");
  it.want("c", "http://x/6", 1, "ConfigMap/default/c");
  await it.settle();
  assert.deepEqual(it.files(), { a: "123456", c: "123456" });
  assert.deepEqual([it.failed(), await it.awaited(), it.downloads.refused], [[], [], [it.at("b")]]);
  await it.clock.advance(500);
  it.want("b", "http://x/5");
  await it.settle();
  assert.deepEqual([it.asked.length, it.clock.sleeping], [3, 0]);
  assert.deepEqual(it.refusals, [`${it.at("b")}: the download was refused`]);
  assert.equal(it.log.lines.length, 1);
  assert.match(
    it.log.lines[0]!,
    /default\/a refused: .*\/b: .* more than 10 bytes \(URL_MAX_BYTES_PER_OBJECT\)$/,
  );
  it.forget("a");
  await it.clock.advance(1);
  assert.equal(it.files().b, "12345");
  assert.deepEqual(it.downloads.refused, []);
});

Deno.test("want() keeps the last good file of a download beyond the limit of all", async () => {
  let served = "12345";
  await using it = open({ "http://x/a": () => served, "http://x/b": () => "1234" }, { total: 10 });
  it.want("a", "http://x/a");
  it.want("b", "http://x/b", 1, "ConfigMap/default/b");
  await it.settle();
  served = "1234567";
  it.want("a", "http://x/a", 2);
  await it.settle();
  assert.deepEqual(it.files(), { a: "12345", b: "1234" });
  assert.match(it.log.lines.join(), /more than 10 bytes \(URL_MAX_BYTES_TOTAL\)/);
  // It fits in place of the file that is there
  served = "123456";
  it.want("a", "http://x/a", 3);
  await it.settle();
  assert.deepEqual(it.files(), { a: "123456", b: "1234" });
});

Deno.test("want() counts archives of URLs by what is in them", async () => {
  await using it = open({ "http://x/a": () => "12" }, { perObject: 14 });
  it.wantArchive("a", { url: "http://x/a" });
  it.wantArchive("b", { text: "does not come from a URL" });
  await it.settle();
  // "A PART THAT 12"
  assert.equal(it.files().a?.length, 14);
  it.servers["http://x/a"] = () => "123";
  it.wantArchive("a", { url: "http://x/a" }, 2);
  await it.settle();
  assert.deepEqual([it.files().a?.length, it.downloads.refused], [14, [it.at("a")]]);
});

Deno.test("want() of an impossible path fails and is tried again", async () => {
  await using it = open({ "http://x/a": () => "served" });
  Deno.mkdirSync(it.at("a"));
  Deno.symlinkSync("/", it.at("out"));
  it.want("a", "http://x/a");
  it.want("out/a", "http://x/a");
  await it.settle();
  assert.deepEqual(it.failed().toSorted(), ["a", "out/a"]);
  Deno.removeSync(it.at("a"));
  await it.clock.advance(1);
  assert.equal(Deno.readTextFileSync(it.at("a")), "served");
  assert.deepEqual(it.failed(), ["out/a"]);
  Deno.removeSync(it.at("out"));
});

Deno.test("close() resolves when no temporary file is left", async () => {
  await using it = open();
  it.want("a", "http://x/never answered");
  await it.settle();
  assert.deepEqual(temporariesIn(it.folder).length, 1);
  await it.downloads.close();
  assert.deepEqual(temporariesIn(it.folder), []);
});

Deno.test("want() unpacks an archive, and not again for an unchanged object", async () => {
  await using it = open();
  it.wantArchive("a", { text: "text" });
  assert.deepEqual(await it.awaited(), []);
  assert.deepEqual(it.files(), { a: "A PART THAT TEXT" });
  assert.equal(it.journal.ownerOf(it.at("a")), OWNER);
  const { ino } = Deno.statSync(it.at("a"));
  await it.clock.advance(1200);
  it.wantArchive("a", { text: "not even read" });
  await it.settle();
  assert.deepEqual([it.files(), it.events], [{ a: "A PART THAT TEXT" }, ["a wrote a"]]);
  assert.equal(Deno.statSync(it.at("a")).ino, ino);
  it.wantArchive("a", { text: "more" }, 2);
  await it.settle();
  assert.deepEqual(it.files(), { a: "A PART THAT MORE" });
  it.write("a", "changed by somebody");
  it.wantArchive("a", { text: "more" }, 2);
  await it.settle();
  assert.deepEqual(it.files(), { a: "A PART THAT MORE" });
});

Deno.test("want() unpacks the newest content of an object that changes meanwhile", async () => {
  await using it = open();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.unpacking.gate = promise;
  for (const version of [1, 2, 3]) it.wantArchive("a", { text: `v${version}` }, version);
  await it.settle();
  resolve();
  await it.settle();
  assert.deepEqual(it.files(), { a: "A PART THAT V3" });
});

Deno.test("want() unpacks what a URL serves", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.wantArchive("a", { url: "http://x/a" });
  await it.settle();
  assert.deepEqual(it.files(), { a: "A PART THAT SERVED" });
});

Deno.test("want() refuses a broken archive once, and keeps the last accepted file", async () => {
  await using it = open();
  it.wantArchive("a", { text: "good" });
  await it.settle();
  it.events.length = 0;
  for (const version of [2, 2, 3]) {
    it.wantArchive("a", { text: "broken" }, version);
    await it.clock.advance(600);
  }
  assert.deepEqual([it.files(), it.failed(), await it.awaited()], [{ a: "A PART THAT GOOD" }, [], []]);
  assert.deepEqual(it.events, ["a refused a: broken"]);
  assert.equal(it.log.lines.length, 1);
  assert.match(
    it.log.lines[0]!,
    /ConfigMap default\/a refused: .*\/a: cannot unpack .*; its last accepted file stays$/,
  );
  it.wantArchive("a", { text: "whole" }, 4);
  await it.settle();
  it.wantArchive("a", { text: "broken" }, 5);
  await it.settle();
  assert.deepEqual(it.events, ["a refused a: broken", "a wrote a", "a refused a: broken"]);
});

Deno.test("want() says when a download that failed works again, though the file was right all the time", async () => {
  await using it = open({ "http://x/a": () => "served" });
  it.want("a", "http://x/a");
  await it.settle();
  it.servers["http://x/a"] = down;
  it.want("a", "http://x/a", 2);
  await it.settle();
  it.servers["http://x/a"] = () => "served";
  await it.clock.advance(1);
  await it.settle();
  assert.equal(it.log.lines.length, 2);
  assert.match(it.log.lines[0]!, /^error: ConfigMap default\/a: .*; the file that is there stays; trying again$/);
  assert.equal(it.log.lines[1], `info: ConfigMap default/a: ${it.at("a")} is in place again`);
  assert.deepEqual(it.log.properties[1], { object: "default/configmap/a", path: it.at("a") });
});

Deno.test("want() of a refused host tries no more before the refresh", async () => {
  const url = "http://internal:3000/admin";
  await using it = open({
    [url]: () => {
      throw new RefusedHostError(new URL(url));
    },
  });
  const reasons: string[] = [];
  it.write("a", "last good");
  for (const version of [1, 1, 2, 2]) {
    it.want("a", url, version);
    await it.clock.advance(300);
    reasons.push(...it.failed(), ...await it.awaited());
  }
  assert.deepEqual([it.asked.length, reasons, it.downloads.refused], [2, [], [it.at("a")]]);
  assert.equal(it.clock.sleeping, 0);
  it.want("a", url, 2);
  await it.settle();
  assert.deepEqual([it.asked.length, it.files()], [3, { a: "last good" }]);
  assert.equal(it.log.lines.length, 1);
  assert.match(it.log.lines[0]!, /^error: ConfigMap default\/a refused: .*\/a: internal:3000 .*\(URL_ALLOWED_HOSTS\)/);
  assert.deepEqual(it.refusals, [`${it.at("a")}: the download was refused`]);
});

Deno.test("want() asks a URL with a broken archive again when a refresh is due", async () => {
  let served = "broken";
  await using it = open({ "http://x/a": () => served });
  it.wantArchive("a", { url: "http://x/a" });
  await it.clock.advance(599);
  it.wantArchive("a", { url: "http://x/a" });
  await it.settle();
  assert.deepEqual([it.asked.length, it.files(), it.failed()], [1, {}, []]);
  served = "mended";
  await it.clock.advance(1);
  it.wantArchive("a", { url: "http://x/a" });
  await it.settle();
  assert.deepEqual(it.files(), { a: "A PART THAT MENDED" });
});

Deno.test("want() tries again to unpack when the disk was to blame", async () => {
  await using it = open();
  it.wantArchive("a", { text: "full" });
  await it.settle();
  assert.deepEqual([it.failed(), it.events.length], [["a"], 1]);
  assert.match(
    it.log.lines.join(),
    /: No space left on device: the volume is full; check emptyDir.sizeLimit; trying again$/,
  );
  it.wantArchive("a", { text: "small" }, 2);
  await it.settle();
  assert.deepEqual([it.failed(), it.files()], [[], { a: "A PART THAT SMALL" }]);
});

Deno.test("want() of an archive does not wait for slow servers", async () => {
  await using it = open();
  for (const name of ["b", "c", "d", "e", "f"]) it.want(name, "http://x/never answered");
  it.wantArchive("a", { text: "here" });
  await it.settle();
  assert.equal(Deno.readTextFileSync(it.at("a")), "A PART THAT HERE");
});

Deno.test("want() takes its content over a real connection", async () => {
  await using server = serve(() => new Response("x".repeat(300_000)));
  using cleanup = new DisposableStack();
  const transport = openTransport();
  cleanup.defer(() => transport.close());
  using folder = tempFolder();
  const log = keptLog();
  const clock = new FakeClock();
  const fetcher = new Fetcher({
    transport,
    retry: { total: 0, connect: 0, read: 0, backoffFactor: 1 },
    timeout: 10,
    maxSeconds: 60,
    maxBytes: 1_000_000,
    enable5xx: false,
    authorizationFor: () => Promise.resolve(undefined),
    clock,
    wallClock: Date.now,
    log,
    onRead() {},
  });
  const publisher = new Publisher({
    configFiles: [],
    folder: folder.path,
    allowedFolders: [],
    mode: 0o600,
    atomicWrites: true,
    journal: new Journal({ folder: folder.path, id: "id", stateFile: "none", log }),
    id: "id",
    beforeChange() {},
    log,
  });
  const written: string[] = [];
  const downloads = new DownloadScheduler({
    fetcher,
    publisher,
    limits: new ByteLimits({ perObject: Infinity, total: Infinity }),
    onWritten: (_, path) => void written.push(path),
    unpack: () => assert.fail("there is no archive"),
    onRefused: (_, __, reason) => assert.fail(reason),
    onFailed: (_, __, reason) => assert.fail(reason),
    onAttempt() {},
    onChange() {},
    firstBackoff: 1,
    turns: new SharedDownloads({ clock, random: () => 0, log }).join(4),
    refresh: 600,
    clock,
    random: () => 0,
    log,
  });
  downloads.want(`${folder.path}/large`, { url: `http://127.0.0.1:${server.port}/` }, REF, OWNER, 1);
  await until(() => written.length === 1);
  assert.deepEqual(filesIn(folder.path), { large: "x".repeat(300_000) });
  await downloads.close();
});
