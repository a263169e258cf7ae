/** What follows the webhook's answer (row 2 of the field cases, and its kind): the contract's table. */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { text } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Settings } from "../../support/story.ts";
import { type FastStory, fastStory } from "./fast_story.ts";

/** The least and the most calls until then, by seconds from the first call. */
type Calls = Record<number, [number, number]>;

/** Seconds that pass in one second, where a few count. */
const SLOW = 10;

const NO_RETRIES: Settings = { REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0", REQ_RETRY_READ: "0" };

/** Problems that were logged and have this in them. */
function problems(sidecar: SidecarProcess, part: RegExp): string[] {
  return sidecar.findAll(part).filter(({ level }) => ["WARN", "ERROR"].includes(level)).map(({ text }) => text);
}

/** Runs a sidecar for each status, all at one time; each application answers so for ever. */
async function assertCalls(fast: FastStory, statuses: number[], expected: Calls, settings: Settings = {}) {
  const { at } = fast;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await using stack = new AsyncDisposableStack();
  const runs = await Promise.all(statuses.map(async (status) => {
    const told = stack.use(new Application());
    told.respond = () => new Response("no", { status });
    const sidecar = await fast.startReady({ FOLDER: `${at.folder}-${status}`, REQ_URL: told.url, ...settings });
    await eventually(() => assert.equal(told.calls.length, 1));
    return { status, told, sidecar };
  }));
  let passed = 0;
  for (const [until, [least, most]] of Object.entries(expected)) {
    const seconds = Number(until) - passed;
    await fast.pass(seconds, undefined, seconds < 10 ? SLOW : undefined);
    passed = Number(until);
    for (const { status, told } of runs) {
      const { length } = told.calls;
      assert.ok(length >= least && length <= most, `${status}: ${length} calls in ${until} s, not ${least} to ${most}`);
    }
  }
  for (const { status, sidecar, told } of runs) {
    assert.equal(problems(sidecar, new RegExp(`\\b${status}\\b`)).length, 1, `${status} is not logged once`);
    told.respond = () => new Response();
  }
}

export function tellOfWebhookOutcomes(story: AddStory): void {
  fastStory(story, "Webhook that refuses is asked after minutes", async (fast) => {
    await assertCalls(fast, [400, 401, 403, 404, 422], { 30: [1, 1], 150: [2, 2] });
  });

  fastStory(story, "Webhook that failed is asked again after ten seconds, doubling", async (fast) => {
    await assertCalls(fast, [500, 501, 507], { 5: [1, 1], 60: [2, 4], 150: [3, 5] });
  });

  fastStory(story, "Webhook that is not there yet is asked again soon", async (fast) => {
    await assertCalls(fast, [408, 429, 502, 503, 504], { 60: [3, 9], 150: [5, 12] }, NO_RETRIES);
  });

  fastStory(story, "Wrong password is tried at once when it changes", async (fast, at) => {
    await using told = new Application();
    const right = `Basic ${btoa("admin:right")}`;
    told.respond = ({ headers }) => new Response("", { status: headers.get("authorization") === right ? 200 : 401 });
    const file = `${at.dir}/password`;
    Deno.writeTextFileSync(file, "wrong");
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const settings = { REQ_URL: told.url, REQ_USERNAME: "admin", REQ_PASSWORD_FILE: file };
    const sidecar = await fast.startReady(settings);
    await eventually(() => assert.equal(told.calls.length, 1));
    await fast.pass(100);
    assert.equal(told.calls.length, 2);
    const [line, ...more] = problems(sidecar, /\b401\b/);
    assert.match(line ?? "", /REQ_(USERNAME|PASSWORD)/, "it does not say what to check");
    assert.deepEqual(more, []);
    Deno.writeTextFileSync(file, "right");
    // The next try would come after five minutes
    await fast.pass(70, () => told.calls.length === 3, 20);
    assert.equal(told.calls.length, 3);
    await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
  });

  fastStory(story, "Webhook that refused is called when files change", async (fast, at) => {
    await using told = new Application();
    told.respond = () => new Response("", { status: 403 });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await fast.startReady({ REQ_URL: told.url });
    await eventually(() => assert.equal(told.calls.length, 1));
    await fast.pass(30);
    assert.equal(told.calls.length, 1);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await eventually(() => assert.equal(told.calls.length, 2), { timeout: 3000 });
    assert.equal(text(`${at.folder}/a.txt`), "2");
  });

  fastStory(story, "Refused webhook is not called at once after a restart", async (fast, at) => {
    await using told = new Application();
    told.respond = () => new Response("", { status: 401 });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const first = await fast.startReady({ REQ_URL: told.url });
    await eventually(() => assert.equal(told.calls.length, 1));
    await first.logged(/\b401\b/);
    await first.stop();
    const second = await fast.startReady({ REQ_URL: told.url });
    await fast.pass(30);
    assert.equal(told.calls.length, 1);
    assert.equal(await second.metric("k8s_sidecar_notification_pending"), 1);
    told.respond = () => new Response();
    await fast.pass(60, () => told.calls.length === 2);
    assert.equal(told.calls.length, 2);
    await eventually(async () => assert.equal(await second.metric("k8s_sidecar_notification_pending"), 0));
  });

  fastStory(story, "Webhook's Retry-After is kept, in seconds or as a date", async (fast, at) => {
    await using first = new Application();
    await using second = new Application();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const both = [first, second];
    const refuse = (retryAfter: () => string) => () =>
      new Response("", { status: 503, headers: { "retry-after": retryAfter() } });
    first.respond = refuse(() => "90");
    second.respond = refuse(() => new Date(Date.now() + 90_000).toUTCString());
    for (const told of both) await fast.startReady({ FOLDER: `${at.folder}-${told.port}`, REQ_URL: told.url });
    for (const told of both) await eventually(() => assert.equal(told.calls.length, 1));
    await fast.pass(50);
    for (const told of both) {
      assert.equal(told.calls.length, 1);
      told.respond = () => new Response();
    }
    await fast.pass(100, () => both.every(({ calls }) => calls.length === 2));
    for (const told of both) assert.equal(told.calls.length, 2);
  });

  fastStory(story, "Webhook's redirect to another origin is refused", async (fast, at) => {
    await using other = new Application();
    await using told = new Application();
    told.respond = () => new Response("", { status: 302, headers: { location: other.url } });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const access = { REQ_USERNAME: "admin", REQ_PASSWORD: "s3cret-pw" };
    const sidecar = await fast.startReady({ REQ_URL: told.url, ...access });
    await eventually(() => assert.equal(told.calls.length, 1));
    await fast.pass(30);
    assert.equal(told.calls.length, 1);
    assert.equal(other.calls.length, 0);
    assert.equal(problems(sidecar, /redirect/i).length, 1);
  });

  story("Webhook's redirect within its origin is followed", async (at) => {
    await using told = new Application();
    told.respond = ({ path }) =>
      path === "/reload" ? new Response("", { status: 307, headers: { location: "/grafana/reload" } }) : new Response();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const access = { REQ_METHOD: "POST", REQ_PAYLOAD: '{"a":1}', REQ_USERNAME: "admin", REQ_PASSWORD: "pw" };
    const sidecar = await at.startReady({ REQ_URL: told.url, ...access });
    await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
    const seen = told.calls.map((
      { method, path, headers, body },
    ) => [method, path, headers.get("authorization"), body]);
    const authorization = `Basic ${btoa("admin:pw")}`;
    assert.deepEqual(seen, [
      ["POST", "/reload", authorization, '{"a":1}'],
      ["POST", "/grafana/reload", authorization, '{"a":1}'],
    ]);
  });
}
