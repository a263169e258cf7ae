import assert from "node:assert/strict";
import { TransportError } from "../../../lib/http/transport.ts";
import { Followed, pagingClient } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";
import type { WatcherOptions } from "../../../lib/kube/watch/watcher.ts";

/** A watcher whose list is done, at version 10, and whose first watch is answered. */
async function watching(api: ScriptedApi, options: Partial<WatcherOptions> = {}) {
  const watch = new WatchStream();
  api.script(listAt("10"), watch);
  const followed = new Followed(api, { client: pagingClient(api), ...options });
  await followed.yielded("initDone");
  await followed.requested(2);
  await watch.bookmark("10");
  // The list, the answer to the watch, the bookmark
  await followed.contacted(3);
  return { followed, watch };
}

Deno.test("run() resumes at the last version after a clean end, in one request, and replays nothing", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await watch.send("ADDED", "a@11");
  await followed.yielded("apply a@11");
  const second = new WatchStream();
  api.script(second);
  await api.clock.advance(2);
  await watch.end();
  await followed.requested(3);
  await second.send("MODIFIED", "a@12");
  await followed.yielded("apply a@12");
  assert.deepEqual(followed.asked, ["list", "watch from 10", "watch from 11"]);
  assert.deepEqual(followed.events, ["init", "initDone", "apply a@11", "apply a@12"]);
});

Deno.test("run() resumes at the version of a bookmark that came after the last event", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await watch.send("ADDED", "a@11");
  await watch.bookmark("15");
  await followed.yielded("apply a@11");
  await api.clock.advance(2);
  await watch.end();
  await followed.requested(3);
  assert.equal(followed.asked[2], "watch from 15");
});

Deno.test("run() keeps its version past an event that has none", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await watch.sendLine({ type: "ADDED", object: { metadata: { name: "a", namespace: "a" } } });
  await watch.sendLine({ type: "ADDED", object: { metadata: { name: "b", namespace: "a", resourceVersion: "" } } });
  await followed.yielded("apply b@");
  await api.clock.advance(2);
  await watch.end();
  await followed.requested(3);
  assert.equal(followed.asked[2], "watch from 10");
});

Deno.test("run() takes versions that are no numbers", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await watch.send("ADDED", "a@v-b");
  await watch.send("ADDED", "a@v-a");
  await followed.yielded("apply a@v-a");
  await api.clock.advance(2);
  await watch.end();
  await followed.requested(3);
  assert.equal(followed.asked[2], "watch from v-a");
});

Deno.test("run() ends a watch at the client's timeout and resumes: that is no failure", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api, { serverTimeout: 60, clientTimeout: 66, random: () => 0.999999 });
  await using _ = followed;
  await watch.send("ADDED", "a@11");
  await followed.yielded("apply a@11");
  const second = new WatchStream();
  api.script(second);
  await api.clock.advance(60);
  await followed.requested(3);
  await second.bookmark("12");
  await followed.contacted(6);
  await api.clock.advance(65.9);
  await followed.stillRequested(3);
  await api.clock.advance(0.1);
  await followed.requested(4);
  assert.deepEqual(followed.asked, ["list", "watch from 10", "watch from 11", "watch from 12"]);
  assert.deepEqual(followed.events, ["init", "initDone", "apply a@11"]);
  await Promise.all([watch.gone, second.gone]);
});

for (const [random, cut] of [[0, 30], [0.5, 45], [0.999, 59.97]] as const) {
  Deno.test(`run() cuts the first watch after a list at random, so that a fleet does not come back at once: ${random}`, async () => {
    await using api = new ScriptedApi();
    const { followed, watch } = await watching(api, { serverTimeout: 60, clientTimeout: 66, random: () => random });
    await using _ = followed;
    await api.clock.advance(cut - 0.01);
    await followed.stillRequested(2);
    await api.clock.advance(0.02);
    await followed.requested(3);
    await watch.gone;
  });
}

Deno.test("run() notices a connection that went dead within the client's timeout", async () => {
  await using api = new ScriptedApi();
  const { followed } = await watching(api, { serverTimeout: 60, clientTimeout: 20 });
  await using _ = followed;
  await api.clock.advance(20);
  // The next one has no answer at all
  await followed.requested(3);
  await api.clock.advance(20);
  await followed.yielded("failed TransportError in 1");
  const [error] = followed.errors;
  assert.ok(error instanceof TransportError && error.phase === "read");
  assert.match(error.message, /^no answer to a watch of ConfigMaps$/);
});

Deno.test("run() ends the watch and lists again every resyncPeriod", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api, { resyncPeriod: 100, random: () => 0 });
  await using _ = followed;
  await watch.send("ADDED", "a@11");
  await followed.yielded("apply a@11");
  api.script(listAt("20", ["a@11"]));
  await api.clock.advance(99);
  await followed.stillRequested(2);
  await api.clock.advance(1);
  await followed.requested(4);
  assert.deepEqual(followed.asked, ["list", "watch from 10", "list", "watch from 20"]);
  assert.deepEqual(followed.events.slice(2), ["apply a@11", "init", "initApply a@11", "initDone"]);
  await watch.gone;
});

Deno.test("run() lists again instead of watching for less than a second before a resync", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api, { resyncPeriod: 100 });
  await using _ = followed;
  await api.clock.advance(99.5);
  await watch.end();
  await followed.requested(3);
  assert.equal(followed.asked[2], "list");
});

Deno.test("run() watches between the lists of a resyncPeriod of one second, too", async () => {
  await using api = new ScriptedApi();
  const { followed } = await watching(api, { resyncPeriod: 1, random: () => 0 });
  await using _ = followed;
  await api.clock.advance(0.9);
  await followed.stillRequested(2);
  api.script(listAt("20"));
  await api.clock.advance(0.1);
  await followed.requested(4);
  assert.deepEqual(followed.asked, ["list", "watch from 10", "list", "watch from 20"]);
});

Deno.test("run() never lists again by itself when resyncPeriod is 0", async () => {
  await using api = new ScriptedApi();
  const { followed } = await watching(api, { resyncPeriod: 0, serverTimeout: 2_000_000, clientTimeout: 2_000_000 });
  await using _ = followed;
  await api.clock.advance(999_000);
  await followed.stillRequested(2);
  assert.deepEqual(followed.asked, ["list", "watch from 10"]);
});

Deno.test("run() tells of contact at answers, events, bookmarks and ends", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  const steps: (() => Promise<void>)[] = [
    () => watch.send("ADDED", "a@11"),
    () => watch.bookmark("12"),
    () => watch.end(),
  ];
  for (const step of steps) {
    await api.clock.advance(90);
    const before = followed.contacts;
    await step();
    await until(() => followed.contacts > before);
  }
});

const states: [name: string, reach: (api: ScriptedApi) => Promise<Followed>][] = [
  ["a list without an answer", async (api) => {
    const followed = new Followed(api, { client: pagingClient(api) });
    await followed.requested(1);
    return followed;
  }],
  ["a streaming list", async (api) => {
    const stream = new WatchStream();
    api.script(stream);
    const followed = new Followed(api);
    await stream.send("ADDED", "a@1");
    await followed.yielded("initApply a@1");
    return followed;
  }],
  ["a watch", async (api) => (await watching(api)).followed],
  ["the pause after a failure", async (api) => {
    api.script(new Response(null, { status: 500 }));
    const followed = new Followed(api, { client: pagingClient(api) });
    await followed.yielded("failed 500 in 1");
    return followed;
  }],
  ["the sleep of list mode", async (api) => {
    api.script(listAt("10"));
    const followed = new Followed(api, { mode: "list", sleepTime: 90 });
    await followed.expecting(90 + 60);
    return followed;
  }],
];

for (const [name, reach] of states) {
  Deno.test(`run() ends at once, and leaves no timer, when it is aborted during ${name}`, async () => {
    await using api = new ScriptedApi();
    const followed = await reach(api);
    const before = followed.events.length;
    await followed[Symbol.asyncDispose]();
    assert.equal(followed.events.length, before, "no failure is told");
    assert.equal(api.clock.now(), 0, "no time has passed");
  });
}
