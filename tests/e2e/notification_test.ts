/** The application is told of changes: once for many, and sooner or later of every one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fastClock, withFastClock } from "../support/fast_clock.ts";
import { freePort } from "../support/free_port.ts";
import { childrenOf } from "../support/process_tree.ts";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { forEach, stories } from "../support/story.ts";

const story = stories();

/** The lines of the log about the application, without those at debug level. */
function said(sidecar: SidecarProcess): string[] {
  const lines = sidecar.findAll(/\/reload|REQ_/).filter(({ level }) => level !== "DEBUG");
  // The line at the start names the URL, too
  return lines.filter(({ msg }) => !msg.includes(" become files in ")).map(({ level, msg }) => `${level} ${msg}`);
}

async function owesNothing(sidecar: SidecarProcess): Promise<void> {
  await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
}

/** An application that writes down how it was called. */
function application() {
  const calls: { method: string; path: string; body: string }[] = [];
  const self = { calls, status: 200, work: Promise.resolve(), open: 0, maxOpen: 0 };
  const server = serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    calls.push({ method: request.method, path: pathname + search, body: await request.text() });
    self.open++;
    self.maxOpen = Math.max(self.maxOpen, self.open);
    await self.work;
    self.open--;
    return new Response(null, { status: self.status });
  });
  return Object.assign(self, {
    url: `http://127.0.0.1:${server.port}/reload`,
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  });
}

story("a burst of 300 objects is one call, after their files are there", async (at) => {
  await using told = application();
  const names = Array.from({ length: 300 }, (_, index) => `burst-${index}`);
  const files = (text: string) => Object.fromEntries(names.map((name) => [`${name}.txt`, text]));
  await forEach(names, (name) => at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" } }));
  const quiet = { NOTIFY_QUIET_PERIOD: "5", NOTIFY_MAX_WAIT: "60" };
  const sidecar = await at.startReady({ REQ_URL: told.url, REQ_METHOD: "POST", REQ_PAYLOAD: '{"a":1}', ...quiet });
  await eventually(() => assert.equal(told.calls.length, 1), { timeout: 30_000 });
  assert.deepEqual(told.calls[0], { method: "POST", path: "/reload", body: '{"a":1}' });
  assertFolderEquals(at.folder, files("1"));
  await owesNothing(sidecar);

  await forEach(names, (name) => at.change("ConfigMap", name, { data: { [`${name}.txt`]: "2" } }));
  await eventually(() => assert.equal(told.calls.length, 2), { timeout: 30_000 });
  assertFolderEquals(at.folder, files("2"));
  await owesNothing(sidecar);
  assert.equal(told.calls.length, 2);
});

story("changes that go on are told of at the latest after NOTIFY_MAX_WAIT", async (at) => {
  await using told = application();
  await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
  await at.startReady({ REQ_URL: told.url, REQ_SKIP_INIT: "true", NOTIFY_QUIET_PERIOD: "30", NOTIFY_MAX_WAIT: "1" });
  assert.equal(told.calls.length, 0);
  let count = 0;
  await eventually(async () => {
    await at.change("ConfigMap", "a", { data: { "a.txt": String(++count) } });
    assert.equal(told.calls.length, 1);
  });
});

story("what the application was not told of before a kill -9 it is told of after the next start", async (at) => {
  await using told = application();
  told.status = 503;
  const settings = { REQ_URL: told.url, NOTIFY_QUIET_PERIOD: "0.1", REQ_RETRY_TOTAL: "0" };
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const first = await at.startReady(settings);
  await eventually(() => assert.ok(told.calls.length > 0));
  await first.kill9();

  told.status = 204;
  told.calls.length = 0;
  const second = await at.startReady(settings);
  await eventually(() => assert.equal(told.calls.length, 1));
  await owesNothing(second);
  assert.deepEqual(second.findAll(": wrote "), []);
  await second.kill9();

  const third = await at.startReady(settings);
  await at.create("ConfigMap", "b", { data: { "b.txt": "b" } });
  await eventually(() => assert.equal(told.calls.length, 2));
  await owesNothing(third);
  assert.equal(told.calls.length, 2);
});

story("what changed while it was down is told of, an unchanged start is not", async (at) => {
  await using told = application();
  const settings = { REQ_URL: told.url, NOTIFY_QUIET_PERIOD: "0.1" };
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("ConfigMap", "b", { data: { "b.txt": "b" } });
  const first = await at.startReady(settings);
  await eventually(() => assert.equal(told.calls.length, 1));
  await owesNothing(first);
  await first.stop();
  const idle = await at.startReady(settings);
  await owesNothing(idle);
  await idle.stop();
  assert.equal(told.calls.length, 1);
  await at.delete("ConfigMap", "b");
  await at.startReady(settings);
  await eventually(() => assert.equal(told.calls.length, 2));
});

story("SCRIPT gets the changed files, runs before the call, and files do not wait for it", async (at) => {
  const script = join(at.dir, "script");
  const output = join(at.dir, "output");
  const runs = () => Deno.readTextFileSync(output).trim().split("\n").map((line) => JSON.parse(line).toSorted());
  let runsAtCall: number | undefined;
  await using told = serve(() => {
    runsAtCall = runs().length;
    return new Response();
  });
  await Deno.writeTextFile(script, `#!/bin/sh\nprintf '%s\\n' "$SIDECAR_CHANGED_FILES" >>${output}\n`);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1", "b.txt": "1", "c.txt": "1" } });
  await at.startReady({ SCRIPT: script, REQ_URL: `http://127.0.0.1:${told.port}/`, NOTIFY_QUIET_PERIOD: "0.5" });
  const path = (name: string) => join(at.folder, name);
  await eventually(() => assert.deepEqual(runs(), [["a.txt", "b.txt", "c.txt"].map(path)]));
  await eventually(() => assert.equal(runsAtCall, 1));

  await at.change("ConfigMap", "a", { data: { "a.txt": "2", "b.txt": null } });
  await eventually(() => assert.deepEqual(runs()[1], ["a.txt", "b.txt"].map(path)));
  await eventually(() => assert.equal(runsAtCall, 2));
});

story("METHOD=LIST tells the application once, before it ends", async (at) => {
  await using told = application();
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const settings = { METHOD: "LIST", REQ_URL: told.url };
  assert.equal((await (await at.start(settings)).exited()).code, 0);
  assert.equal(told.calls.length, 1);
  assert.equal((await (await at.start(settings)).exited()).code, 0);
  assert.equal(told.calls.length, 1);
});

const refused = withFastClock(
  "a refused password is tried twice in the first minute at most, and not again at a start",
);
story(refused.name, async (at) => {
  await using told = application();
  told.status = 401;
  using clock = fastClock();
  const password = join(at.dir, "password");
  await Deno.writeTextFile(password, "wrong-one");
  const settings = { REQ_URL: told.url, REQ_USERNAME: "admin", REQ_PASSWORD_FILE: password };
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const first = await at.startReady(settings, { through: clock.through });
  await eventually(() => assert.equal(told.calls.length, 1));
  await clock.fastForward(50, () => first.health("/livez"));
  assert.equal(told.calls.length, 1);
  await clock.fastForward(60, () => first.health("/livez"), () => told.calls.length > 1);
  await clock.fastForward(120, () => first.health("/livez"));
  assert.equal(told.calls.length, 2);
  assert.equal((await first.health("/livez")).status, 200);
  assert.equal(said(first).length, 1);
  assert.match(said(first)[0]!, /^ERROR GET .* answered 401 .*check REQ_USERNAME and REQ_PASSWORD/);
  await first.kill9();

  const second = await at.startReady(settings);
  await second.logged(/The webhook refused a notification of an earlier run/);
  assert.equal(told.calls.length, 2);
  await at.create("ConfigMap", "b", { data: { "b.txt": "b" } });
  await eventually(() => assert.equal(told.calls.length, 3));
  told.status = 200;
  await Deno.writeTextFile(password, "right-one");
  await eventually(() => assert.equal(told.calls.length, 4));
  await owesNothing(second);
  assert.match(said(second).at(-1)!, /^INFO GET .* works again: answered 200/);
  for (const sidecar of [first, second]) assert.doesNotMatch(sidecar.tail(), /-one/);
}, { ignore: refused.ignore });

story("a refused password that was changed while it was down is tried soon after the start", async (at) => {
  await using told = application();
  told.status = 403;
  const record = join(at.dir, "record");
  const settings = { STATE_FILE: record, REQ_URL: told.url, REQ_USERNAME: "admin", REQ_PASSWORD: "wrong-one" };
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const first = await at.startReady(settings);
  await first.logged(/answered 403/);
  await eventually(() => assert.match(Deno.readTextFileSync(record), /fingerprint/));
  assert.doesNotMatch(Deno.readTextFileSync(record), /-one/);
  await first.kill9();
  told.status = 200;
  const second = await at.startReady({ ...settings, REQ_PASSWORD: "right-one" });
  await eventually(() => assert.equal(told.calls.length, 2));
  await owesNothing(second);
});

story("a reload that takes longer than REQ_TIMEOUT is one call, whose late answer counts", async (at) => {
  await using told = application();
  const work = Promise.withResolvers<void>();
  told.work = work.promise;
  await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
  const sidecar = await at.startReady({ REQ_URL: told.url, REQ_TIMEOUT: "0.5", NOTIFY_QUIET_PERIOD: "0.1" });
  await sidecar.logged(/was not answered within 0.5 s \(REQ_TIMEOUT\)/);
  for (let count = 1; count <= 20; count++) {
    await at.change("ConfigMap", "a", { data: { "a.txt": String(count) } });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": String(count) }));
  }
  assert.equal(told.calls.length, 1);
  work.resolve();
  await eventually(() => assert.equal(told.calls.length, 2));
  await owesNothing(sidecar);
  assert.deepEqual([told.calls.length, told.maxOpen], [2, 1]);
  const [warning, late, next, ...others] = said(sidecar);
  assert.match(warning!, /^WARN GET .*REQ_TIMEOUT/);
  assert.match(late!, /^INFO GET .* answered 200 OK after \d+\.\d s, later than REQ_TIMEOUT \(0\.5 s\)$/);
  assert.match(next!, /^INFO GET .* works again: answered 200 OK$/);
  assert.deepEqual(others, []);
});

story("an application that is not there yet is one warning, and is told once it is there", async (at) => {
  const port = freePort();
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await at.startReady({ REQ_URL: `http://127.0.0.1:${port}/reload`, REQ_RETRY_BACKOFF_FACTOR: "0.1" });
  await sidecar.logged(/cannot connect to 127\.0\.0\.1/);
  let calls = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, () => {
    calls++;
    return new Response();
  });
  await owesNothing(sidecar);
  await server.shutdown();
  assert.equal(calls, 1);
  assert.deepEqual(said(sidecar).map((line) => line.split(" ")[0]), ["WARN", "INFO"]);
});

story("METHOD=LIST exits 0 when the application cannot be told, and the next start tells it", async (at) => {
  await using told = application();
  told.status = 503;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const settings = { METHOD: "LIST", REQ_URL: told.url, REQ_RETRY_TOTAL: "2", REQ_RETRY_BACKOFF_FACTOR: "0.1" };
  const first = await at.start(settings);
  assert.equal((await first.exited()).code, 0);
  assertFolderEquals(at.folder, { "a.txt": "1" });
  assert.equal(told.calls.length, 3);
  const [warning, error, ...others] = said(first);
  assert.match(warning!, /^WARN /);
  assert.match(error!, /^ERROR GET .* failed: answered 503 .*\(after 3 attempts\); the notification stays pending/);
  assert.deepEqual(others, []);
  told.status = 200;
  assert.equal((await (await at.start(settings)).exited()).code, 0);
  assert.equal(told.calls.length, 4);
});

story("what a SCRIPT leaves behind does not stay as a zombie under PID 1", async (at) => {
  const script = join(at.dir, "leave.sh");
  await Deno.writeTextFile(script, "sleep 1 >/dev/null 2>&1 &\n(sleep 1; sleep 1) >/dev/null 2>&1 &\n");
  await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
  const through = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const sidecar = await at.startReady({ SCRIPT: script, NOTIFY_QUIET_PERIOD: "0" }, { through });
  for (let run = 1; run <= 5; run++) {
    await sidecar.logged("leave.sh succeeded", { count: run });
    await at.change("ConfigMap", "a", { data: { "a.txt": String(run) } });
  }
  await sidecar.logged("leave.sh succeeded", { count: 6 });
  await eventually(() => assert.deepEqual(childrenOf(sidecar.pid), []));
}, { ignore: Deno.uid() !== 0 });
