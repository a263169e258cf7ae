import assert from "node:assert/strict";
import type { Collection } from "../../../lib/config/collection_settings.ts";
import { parseConfig } from "../../../lib/config/config.ts";
import { parseConfigFile } from "../../../lib/config/config_file.ts";
import { openNotifications } from "../../../lib/sidecar/opening/open_notifications.ts";
import type { Pending } from "../../../lib/notify/runner.ts";
import { openTransport } from "../../../lib/http/open_transport.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { tempFolder, text } from "../../support/disk.ts";
import { NotificationHistory, Told } from "../../../lib/sidecar/collections/told.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { serve } from "../../support/local_servers.ts";

const NEVER = new AbortController().signal;

/** Notifications as the environment would have them, over real connections. */
function open(env: Record<string, string> = {}, files?: string[]) {
  const { collections: [collection] } = parseConfig({ LABEL: "app", FOLDER: "/data", ...env }).config;
  return openFor(collection!, files);
}

async function openFor(collection: Collection, files?: string[]) {
  const transport = openTransport();
  const clock = new FakeClock();
  const results: string[] = [];
  const state = { opened: 0, delivered: 0 };
  const pending: Pending = {
    load: () => files,
    delivered: () => void state.delivered++,
    failure: () => undefined,
    failed() {},
    add() {},
  };
  const runner = await openNotifications({
    settings: collection.notification,
    requests: collection.requests,
    transport() {
      state.opened++;
      return Promise.resolve(transport);
    },
    env: {},
    pending,
    heartbeat: { expectWithin() {}, idle() {} },
    clock,
    random: () => 0,
    log: keptLog(),
    told: new Told("default", new NotificationHistory(), clock),
    onResult: (kind, ok) => void results.push(`${kind} ${ok ? "ok" : "failed"}`),
  });
  return { runner, clock, results, state, [Symbol.dispose]: () => transport.close() };
}

/** An executable that writes what it was told to `told`, beside it. */
function script(folder: string): string {
  const path = `${folder}/script`;
  Deno.writeTextFileSync(path, '#!/bin/sh\nprintf %s "$SIDECAR_CHANGED_FILES" >"${0%/*}/told"\n', { mode: 0o755 });
  return path;
}

Deno.test("openNotifications() is undefined when nobody is to be told", async () => {
  using it = await open({ REQ_USERNAME: "u", REQ_PASSWORD: "p" });
  assert.deepEqual([it.runner, it.state.opened], [undefined, 0]);
});

Deno.test("openNotifications() tells script and webhook as they are configured", async () => {
  using folder = tempFolder();
  const seen: unknown[] = [];
  await using server = serve(async (request) => {
    seen.push([
      request.method,
      request.headers.get("authorization"),
      await request.text(),
      text(`${folder.path}/told`),
    ]);
    return new Response();
  });
  using it = await open({
    SCRIPT: script(folder.path),
    REQ_URL: `http://127.0.0.1:${server.port}/reload`,
    REQ_METHOD: "POST",
    REQ_PAYLOAD: "reload now",
    REQ_USERNAME: "ü",
    REQ_PASSWORD: "p",
    REQ_BASIC_AUTH_ENCODING: "utf-8",
  });
  it.runner?.changed(["/data/a"], { initial: false });
  await it.runner?.flush(NEVER);
  assert.deepEqual(seen, [["POST", "Basic w7w6cA==", '"reload now"', '["/data/a"]']]);
  assert.deepEqual(it.results, ["script ok", "webhook ok"]);
});

Deno.test("openNotifications() opens no transport for a script alone", async () => {
  using folder = tempFolder();
  using it = await open({ SCRIPT: script(folder.path) });
  it.runner?.changed(["/data/a"], { initial: false });
  await it.runner?.flush(NEVER);
  assert.deepEqual([it.results, it.state.opened], [["script ok"], 0]);
});

Deno.test("openNotifications() waits for NOTIFY_QUIET_PERIOD, for NOTIFY_MAX_WAIT at most", async () => {
  using folder = tempFolder();
  const stop = new AbortController();
  using it = await open({ SCRIPT: script(folder.path), NOTIFY_QUIET_PERIOD: "3", NOTIFY_MAX_WAIT: "4" });
  const running = it.runner?.run(stop.signal);
  it.runner?.changed(["/data/a"], { initial: false });
  await it.clock.advance(0);
  assert.equal(it.clock.nextDue, 3);
  await it.clock.advance(2);
  it.runner?.changed(["/data/b"], { initial: false });
  await it.clock.advance(1);
  assert.equal(it.clock.nextDue, 1);
  stop.abort();
  await running;
});

Deno.test("openNotifications() delivers what an earlier run left pending", async () => {
  using folder = tempFolder();
  using it = await open({ SCRIPT: script(folder.path) }, ["/data/old"]);
  await it.runner?.flush(NEVER);
  assert.equal(text(`${folder.path}/told`), '["/data/old"]');
  assert.equal(it.state.delivered, 1);
});

Deno.test("openNotifications() does not call the webhook for the first sync with REQ_SKIP_INIT", async () => {
  let calls = 0;
  await using server = serve(() => {
    calls++;
    return new Response();
  });
  using it = await open({ REQ_URL: `http://127.0.0.1:${server.port}/`, REQ_SKIP_INIT: "true" });
  it.runner?.changed(["/data/a"], { initial: true });
  await it.runner?.flush(NEVER);
  assert.equal(calls, 0);
  it.runner?.changed(["/data/a"], { initial: false });
  await it.runner?.flush(NEVER);
  assert.equal(calls, 1);
});

Deno.test("openNotifications() sends token and headers that only CONFIG_FILE can name", async () => {
  using folder = tempFolder();
  Deno.writeTextFileSync(`${folder.path}/key`, "from a file\n");
  const seen: (string | null)[] = [];
  await using server = serve(({ headers }) => {
    seen.push(headers.get("authorization"), headers.get("x-api-key"), headers.get("x-a"));
    return new Response();
  });
  const { collections: [collection], faults } = parseConfigFile(
    `
version: 1
collections:
- name: a
  label: app
  folder: /data
  notify:
    webhook:
      url: http://127.0.0.1:${server.port}/
      bearer: { env: TOKEN }
      headers: { X-Api-Key: { file: ${folder.path}/key }, X-A: b }
`,
    { path: "config.yaml", env: { TOKEN: "t" } },
  );
  assert.deepEqual(faults, []);
  using it = await openFor(collection!);
  it.runner!.changed(["/data/a"], { initial: false });
  await it.runner!.flush(NEVER);
  assert.deepEqual(seen, ["Bearer t", "from a file", "b"]);
});
