/** Streaming lists (WatchList) of servers that are slow, break off, or never come to the end of one. */
import assert from "node:assert/strict";
import { EndlessAnswers } from "../support/endless_answers.ts";
import { fastClock, withFastClock } from "../support/fast_clock.ts";
import { eventually } from "../support/oracle.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";
import { pod } from "../support/workplace.ts";

interface Pod {
  api: { url: string };
  env: Record<string, string>;
}

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

/** Asks the API server behind the pod's front. */
// deno-lint-ignore no-explicit-any
async function call({ api }: Pod, path: string, init: RequestInit = {}): Promise<any> {
  const headers = { authorization: "Bearer pod-token", "content-type": "application/json" };
  const answer = await fetch(api.url + path, { ...init, headers });
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return JSON.parse(text);
}

async function create(here: Pod, name: string): Promise<void> {
  const metadata = { name, namespace: "default", labels: { app: "x" } };
  const body = JSON.stringify({ metadata, data: { [`${name}.txt`]: "1" } });
  await call(here, CONFIG_MAPS, { method: "POST", body });
}

function settings(here: Pod): Record<string, string> {
  return { ...here.env, METHOD: "WATCH", RESOURCE: "configmap", ERROR_THROTTLE_SLEEP: "1" };
}

function isStreamingList(request: Request): boolean {
  return request.url.includes("sendInitialEvents=true");
}

/** A list in pages; not one that asks for the version or for one object. */
function isPagedList(request: Request): boolean {
  const { searchParams } = new URL(request.url);
  return request.method === "GET" && !searchParams.has("watch") && searchParams.get("limit") === "500";
}

function isThere(here: { files: string }, name: string): boolean {
  try {
    return Deno.statSync(`${here.files}/${name}`).isFile;
  } catch {
    return false;
  }
}

/** One line of a watch. */
function line(type: string, name: string, version: number, annotations: Record<string, string> = {}): string {
  const metadata = {
    ...{ name, namespace: "default", uid: name, resourceVersion: String(version), labels: { app: "x" }, annotations },
    creationTimestamp: "2024-01-01T00:00:00Z",
  };
  const object = type === "BOOKMARK"
    ? { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: String(version), annotations } }
    : { kind: "ConfigMap", apiVersion: "v1", metadata, data: { [`${name}.txt`]: "1" } };
  return `${JSON.stringify({ type, object })}\n`;
}

const COUNT = 12;

const LIST_END = { "k8s.io/initial-events-end": "true" };

Deno.test({
  ...withFastClock("Streaming lists stay though each object takes a second"),
  async fn() {
    using clock = fastClock();
    using answers = new EndlessAnswers();
    const seen = { patches: 0, streaming: 0, paged: 0 };
    await using here = await pod(async (request) => {
      if (isPagedList(request)) seen.paged++;
      if (isStreamingList(request) && ++seen.streaming === 1) return await objectsAndThenTheEnd();
      if (request.method !== "PATCH") return undefined;
      seen.patches++;
      // A second for the sidecar, whose time passes ten times as quickly
      await new Promise((resolve) => setTimeout(resolve, 100));
      return undefined;
    });
    const objectsAndThenTheEnd = async () => {
      const { items, metadata } = await call(here, CONFIG_MAPS);
      // deno-lint-ignore no-explicit-any
      const lines = items.map((object: any) => `${JSON.stringify({ type: "ADDED", object })}\n`);
      return answers.repeating(lines.join(""), 100, () => line("BOOKMARK", "", metadata.resourceVersion, LIST_END));
    };
    for (let index = 0; index < COUNT; index++) await create(here, `object-${index}`);
    const env = { ...settings(here), FINALIZERS: "true", RESYNC_PERIOD: "30" };
    await using sidecar = SidecarProcess.start(env, { through: clock.through });
    await eventually(() => assert.ok(seen.streaming > 0));
    const wake = () => sidecar.health("/livez");
    await clock.fastForward(120, wake, () => seen.patches >= COUNT && isThere(here, `object-${COUNT - 1}.txt`));
    await sidecar.ready();
    await clock.fastForward(120, wake, () => seen.streaming > 1);
    assert.deepEqual(seen, { patches: COUNT, streaming: 2, paged: 0 });
  },
});

Deno.test({
  ...withFastClock("Streaming lists that break off back off"),
  async fn() {
    using clock = fastClock();
    using answers = new EndlessAnswers();
    let lists = 0;
    await using here = await pod((request) => {
      if (!isStreamingList(request) && !isPagedList(request)) return undefined;
      lists++;
      return isStreamingList(request) ? answers.cut(line("ADDED", "one", 7), 200) : undefined;
    });
    await using sidecar = SidecarProcess.start(settings(here), { through: clock.through });
    await eventually(() => assert.ok(lists > 0));
    await clock.fastForward(40, () => sidecar.health("/livez"));
    // 2 s for each list, and 1, 2, 4, 8, 16 s between them, less the jitter
    assert.ok(lists >= 3 && lists <= 8, `${lists} lists in 40 s`);
    assert.deepEqual(sidecar.findAll(/^following .* again/), [], "no list came to its end");
  },
});

const NEVER_ENDING: Record<string, (version: number) => string> = {
  bookmarks: (version) => line("BOOKMARK", "", version),
  changes: (version) => line("MODIFIED", "one", version),
};

for (const [what, next] of Object.entries(NEVER_ENDING)) {
  Deno.test({
    ...withFastClock(`Streaming list that goes on with ${what} becomes a paged one`),
    async fn() {
      using clock = fastClock();
      using answers = new EndlessAnswers();
      const seen = { streaming: 0, paged: 0 };
      await using here = await pod((request) => {
        if (isPagedList(request)) seen.paged++;
        if (!isStreamingList(request)) return undefined;
        seen.streaming++;
        let version = 7;
        return answers.repeating(line("ADDED", "one", version), 100, () => next(++version));
      });
      await create(here, "one");
      await using sidecar = SidecarProcess.start(settings(here), { through: clock.through });
      await eventually(() => assert.ok(seen.streaming > 0));
      // 30 s are allowed; the rest is for a busy machine
      await clock.fastForward(60, () => sidecar.health("/livez"), () => seen.paged > 0);
      assert.deepEqual(seen, { streaming: 1, paged: 1 });
      await sidecar.ready();
      assert.ok(isThere(here, "one.txt"));
    },
  });
}

for (const status of [401, 408]) {
  for (const times of [1, 2]) {
    Deno.test(`METHOD=LIST goes on after ${times} answers of ${status}`, async () => {
      const refused = new Map<string, number>();
      await using here = await pod((request) => {
        const { pathname } = new URL(request.url);
        const count = refused.get(pathname) ?? 0;
        if (count >= times) return undefined;
        refused.set(pathname, count + 1);
        return Response.json({ kind: "Status", code: status, message: "not now" }, { status });
      });
      await create(here, "one");
      await using sidecar = SidecarProcess.start({ ...here.env, METHOD: "LIST" });
      assert.deepEqual(await sidecar.exited(), { code: 0, signal: null }, sidecar.tail());
      assert.deepEqual([...refused.values()], [times, times]);
      assert.ok(isThere(here, "one.txt"));
    });
  }
}
