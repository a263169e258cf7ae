/** Downloads that do not end, or bring more than they seem to (rows 3 and 4 of the security cases). */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Application } from "../../support/application.ts";
import { exists, text } from "../../support/disk.ts";
import { EndlessAnswers } from "../../support/endless_answers.ts";
import { eventually } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

const DOWNLOADS = { URL_ALLOWED_HOSTS: "*", REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0", REQ_RETRY_READ: "0" };

/** Seconds that readiness waits for all downloads together, and some for a busy machine. */
const ALLOWANCE = 10;
const GRACE = 5;

function urlKeys(count: number, url: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.txt.url`, `${url}?${index}`]));
}

export function tellOfSlowDownloads(story: AddStory): void {
  story("200 URLs that never answer hold up neither readiness nor others", async (at) => {
    await using silent = new Application();
    silent.hold();
    await using host = new Application();
    host.respond = () => new Response("served");
    const other = await at.makeNamespace(`${at.namespace}-other`);
    await at.create("ConfigMap", "silent", { data: urlKeys(200, silent.url) });
    const startedAt = performance.now();
    const ready = at.startReady(DOWNLOADS);
    await eventually(() => assert.ok(silent.calls.length > 0));
    await at.create("ConfigMap", "other", { namespace: other, data: { "served.txt.url": host.url } });
    const sidecar = await ready;
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds < ALLOWANCE + GRACE, `ready after ${seconds} s`);
    for (const path of ["/readyz", "/livez"]) assert.equal((await sidecar.health(path)).status, 200);
    await eventually(() => assert.equal(text(`${at.folder}/served.txt`), "served"), { timeout: 5000 });
  });

  story("METHOD=LIST ends though an answer trickles", async (at) => {
    await using host = new Application();
    using endless = new EndlessAnswers();
    host.respond = () => endless.repeating("x", 500, () => "x");
    await at.create("ConfigMap", "a", { data: { "a.txt.url": host.url, "beside.txt": "1" } });
    const startedAt = performance.now();
    const sidecar = await at.start({ ...DOWNLOADS, METHOD: "LIST", URL_TIMEOUT: "2" });
    assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds < 2 + GRACE, `it took ${seconds} s`);
    assert.equal(text(`${at.folder}/beside.txt`), "1");
  });

  story("Host that answers 429 is left alone, and holds up no other", async (at) => {
    await using busy = new Application();
    await using host = new Application();
    let isBusy = true;
    busy.respond = ({ path }) =>
      isBusy ? new Response("busy", { status: 429, headers: { "retry-after": "3" } }) : new Response(path);
    host.respond = () => new Response("served");
    await at.create("ConfigMap", "a", { data: urlKeys(20, busy.url) });
    await at.create("ConfigMap", "b", { data: { "served.txt.url": host.url } });
    const sidecar = await at.start(DOWNLOADS);
    await eventually(() => assert.equal(text(`${at.folder}/served.txt`), "served"));
    const paused = await sidecar.logged(/downloads from http:\/\/127\.0\.0\.1:\d+ are paused for 3 s/);
    assert.equal(paused.level, "WARN");
    const times = () => busy.calls.map(({ at }) => at - busy.calls[0]!.at);
    await eventually(() => assert.ok(times().some((ms) => ms > 2900)));
    assert.ok(times().filter((ms) => ms < 1000).length <= 4, `asked after ${times()} ms`);
    assert.deepEqual(times().filter((ms) => ms > 1000 && ms < 2900), []);
    isBusy = false;
    await sidecar.logged(/downloads from http:\/\/127\.0\.0\.1:\d+ are no longer paused/);
    await eventually(() => assert.equal(text(`${at.folder}/19.txt`), "/reload?19"));
    assert.equal(sidecar.findAll(/are paused/).length, 1);
    await sidecar.ready();
  });

  story("Downloads beyond the limits are their object's fault", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("x".repeat(600));
    await at.create("ConfigMap", "a", { data: { "1.txt.url": host.url } });
    await at.create("ConfigMap", "b", { data: { "2.txt.url": host.url, "beside.txt": "1" } });
    const sidecar = await at.startReady({ ...DOWNLOADS, URL_MAX_BYTES: "1Ki", URL_MAX_BYTES_TOTAL: "1Ki" });
    const refused = await sidecar.logged(/refused: .*more than 1024 bytes \(URL_MAX_BYTES_TOTAL\)$/);
    assert.equal(refused.level, "ERROR");
    assert.equal(text(`${at.folder}/beside.txt`), "1");
    const [first, second] = exists(`${at.folder}/1.txt`) ? ["a", "2.txt"] : ["b", "1.txt"];
    assert.ok(!exists(`${at.folder}/${second}`));
    await at.delete("ConfigMap", first!);
    await eventually(() => assert.equal(text(`${at.folder}/${second}`).length, 600));
  });

  story("A hundred trickling answers take four connections", async (at) => {
    await using host = new Application();
    using endless = new EndlessAnswers();
    host.respond = () => endless.repeating("x", 200, () => "x".repeat(1000));
    const startedAt = performance.now();
    await at.create("ConfigMap", "a", { data: urlKeys(100, host.url) });
    const sidecar = await at.start({ ...DOWNLOADS, URL_TIMEOUT: "2" });
    await eventually(() => assert.ok(host.calls.length > 8), { timeout: 20_000 });
    assert.ok(endless.open <= 4, `${endless.open} at one time`);
    assert.ok(performance.now() - startedAt > 4000, "answers did not get their time");
    assert.ok(sidecar.rssAnon() < 40e6, `${sidecar.rssAnon()} bytes`);
  });

  story("Gzip that nobody asked for does not fill the memory", async (at) => {
    const bytes = 60_000_000;
    const packed = new Uint8Array(gzipSync(new Uint8Array(bytes)));
    assert.ok(packed.length < 61_000);
    await using host = new Application();
    host.respond = ({ headers }) => {
      assert.match(headers.get("accept-encoding") ?? "identity", /^identity$/);
      return new Response(packed, { headers: { "content-encoding": "gzip" } });
    };
    await at.create("ConfigMap", "a", { data: { "small.txt": "1" } });
    const sidecar = await at.startReady(DOWNLOADS);
    const before = sidecar.rssAnon();
    await at.create("ConfigMap", "b", { data: { "zeros.url": host.url } });
    let peak = before;
    await eventually(() => {
      peak = Math.max(peak, sidecar.rssAnon());
      const isOver = exists(`${at.folder}/zeros`) || sidecar.findAll(/zeros/).some(({ level }) => level === "ERROR");
      assert.ok(isOver, "the download has not ended");
    }, { interval: 2 });
    assert.ok(peak - before < 75e6, `it took ${peak - before} bytes more`);
  });
}
