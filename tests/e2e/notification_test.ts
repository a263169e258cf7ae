/** The application is told of changes: once for many, and sooner or later of every one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { forEach, stories } from "../support/story.ts";

const story = stories();

async function owesNothing(sidecar: SidecarProcess): Promise<void> {
  await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
}

/** An application that writes down how it was called. */
function application() {
  const calls: { method: string; path: string; body: string }[] = [];
  const self = { calls, status: 200 };
  const server = serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    calls.push({ method: request.method, path: pathname + search, body: await request.text() });
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
