import assert from "node:assert/strict";
import { refusal } from "../../support/api_gateway.ts";
import { Followed, pagingClient } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";

Deno.test("run() lists in pages between init and initDone, then watches from the version of the list", async () => {
  await using api = new ScriptedApi();
  const watch = new WatchStream();
  api.script(listAt("10", ["a@1", "b@2"], "page2"), listAt("10", ["c@3"]), watch);
  await using followed = new Followed(api, { client: pagingClient(api) });
  await watch.send("MODIFIED", "a@11");
  await followed.yielded("apply a@11");
  await watch.send("DELETED", "b@12");
  await followed.yielded("delete b@12");
  assert.deepEqual(followed.events, [
    ...["init", "initApply a@1", "initApply b@2", "initApply c@3", "initDone"],
    ...["apply a@11", "delete b@12"],
  ]);
  assert.deepEqual(followed.asked, ["list", "list", "watch from 10"]);
  const labelSelector = "app";
  assert.deepEqual(followed.requests.map(({ query }) => query), [
    { labelSelector, limit: "500" },
    { labelSelector, limit: "500", continue: "page2" },
    { labelSelector, watch: "true", allowWatchBookmarks: "true", timeoutSeconds: "600", resourceVersion: "10" },
  ]);
});

Deno.test("run() lists once more, in one page, when a continue has expired", async () => {
  await using api = new ScriptedApi();
  api.script(listAt("10", ["a@1"], "page2"), refusal(410, "Expired", "too old"), listAt("20", ["a@1", "b@2"]));
  await using followed = new Followed(api, { client: pagingClient(api) });
  await followed.requested(4);
  assert.deepEqual(followed.events, ["init", "initApply a@1", "init", "initApply a@1", "initApply b@2", "initDone"]);
  assert.deepEqual(followed.asked, ["list", "list", "list", "watch from 20"]);
  assert.deepEqual(followed.requests[2]?.query, { labelSelector: "app" });
});

Deno.test("run() has no initDone when a page fails, backs off, and lists from the first page", async () => {
  await using api = new ScriptedApi();
  api.script(listAt("10", ["a@1"], "page2"), refusal(500, "InternalError", "no"), listAt("20", ["a@1"]));
  await using followed = new Followed(api, { client: pagingClient(api) });
  await followed.yielded("failed 500 in 1");
  assert.deepEqual(followed.events, ["init", "initApply a@1", "failed 500 in 1"]);
  await api.clock.advance(1);
  await followed.requested(4);
  assert.deepEqual(followed.events.slice(3), ["init", "initApply a@1", "initDone"]);
  assert.deepEqual(followed.requests[2]?.query, { labelSelector: "app", limit: "500" });
});

Deno.test("run() has no initDone when a list is cut", async () => {
  await using api = new ScriptedApi();
  const whole = await listAt("10", ["a@1", "b@2"]).text();
  api.script(new Response(whole.slice(0, -1)));
  await using followed = new Followed(api, { client: pagingClient(api) });
  await followed.yielded("failed AnswerError in 1");
  assert.deepEqual(followed.events, ["init", "initApply a@1", "failed AnswerError in 1"]);
});

Deno.test("run() gives up on a list of which nothing came for 30 seconds", async () => {
  await using api = new ScriptedApi();
  const stalled = new WatchStream();
  api.script(stalled);
  await using followed = new Followed(api, { client: pagingClient(api) });
  const list = await listAt("10", ["a@1", "b@2"]).json();
  for (const item of list.items) item.data = { large: "x".repeat(40_000) };
  await stalled.sendText(JSON.stringify(list).slice(0, 70_000));
  await followed.yielded("initApply a@1");
  await api.clock.advance(29);
  assert.deepEqual(followed.events, ["init", "initApply a@1"]);
  await api.clock.advance(1);
  await followed.yielded("failed TransportError in 1");
  await stalled.gone;
});

Deno.test("run() reads a streaming list up to its end bookmark, and the watch in the same answer", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream);
  await using followed = new Followed(api);
  await stream.send("ADDED", "a@1");
  await stream.bookmark("4");
  await stream.send("ADDED", "b@2");
  await followed.yielded("initApply b@2");
  await stream.bookmark("10", { end: true });
  await followed.yielded("initDone");
  await stream.send("ADDED", "c@11");
  await followed.yielded("apply c@11");
  assert.deepEqual(followed.events, ["init", "initApply a@1", "initApply b@2", "initDone", "apply c@11"]);
  assert.deepEqual(followed.asked, ["streaming list"]);
  await api.clock.advance(30);
  await stream.end();
  await followed.requested(2);
  assert.equal(followed.asked[1], "watch from 11");
});

for (const status of [422, 400]) {
  Deno.test(`run() lists in pages for good, as do other watchers of the client, after a ${status} to a streaming list`, async () => {
    await using api = new ScriptedApi();
    const client = api.makeClient();
    api.script(refusal(status, "Invalid", "sendInitialEvents is forbidden"), listAt("10", ["a@1"]));
    await using followed = new Followed(api, { client });
    await followed.requested(3);
    assert.deepEqual(followed.asked, ["streaming list", "list", "watch from 10"]);
    assert.deepEqual(followed.events, ["init", "init", "initApply a@1", "initDone"]);
    api.script(listAt("10"));
    await using other = new Followed(api, { client });
    await other.requested(2);
    assert.deepEqual(other.asked, ["list", "watch from 10"]);
  });
}

Deno.test("run() lists in pages where it may list, but not watch", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  const forbidden = () => refusal(403, "Forbidden", "cannot watch configmaps");
  api.script(forbidden(), listAt("10", ["a@1"]), forbidden());
  await using followed = new Followed(api, { client });
  await followed.yielded("failed 403 in 8");
  assert.deepEqual(followed.asked, ["streaming list", "list", "watch from 10"]);
  assert.deepEqual(followed.events, ["init", "init", "initApply a@1", "initDone", "failed 403 in 8"]);
  assert.equal(client.streamingLists, true, "others may watch");
});

Deno.test("run() lists in pages 30 seconds after the last initial event", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream, listAt("10", ["a@1"]));
  await using followed = new Followed(api);
  for (const object of ["a@1", "b@2"]) {
    await stream.send("ADDED", object);
    await followed.yielded(`initApply ${object}`);
    await api.clock.advance(29);
    await followed.stillRequested(1);
  }
  await api.clock.advance(1);
  await followed.requested(3);
  assert.deepEqual(followed.asked, ["streaming list", "list", "watch from 10"]);
  assert.deepEqual(followed.events.slice(2), ["initApply b@2", "init", "initApply a@1", "initDone"]);
  await stream.gone;
});

Deno.test("run() lists in pages 30 seconds after the last initial event, whatever comes meanwhile", async () => {
  await using api = new ScriptedApi();
  const stream = new WatchStream();
  api.script(stream, listAt("40", ["a@1"]));
  await using followed = new Followed(api);
  await stream.send("ADDED", "a@1");
  await followed.yielded("initApply a@1");
  const meanwhile = [
    () => stream.bookmark("10"),
    () => stream.send("MODIFIED", "a@20"),
    () => stream.send("ADDED", "new@30"),
    () => stream.send("DELETED", "new@31"),
  ];
  for (const send of meanwhile) {
    await api.clock.advance(7);
    const { contacts } = followed;
    await send();
    await followed.contacted(contacts + 1);
  }
  await followed.stillRequested(1);
  await api.clock.advance(2);
  await followed.requested(3);
  assert.deepEqual(followed.asked, ["streaming list", "list", "watch from 40"]);
  await stream.gone;
});

Deno.test("run() keeps its streaming list while a consumer is slow", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  const stream = new WatchStream();
  api.script(stream);
  // Each object takes a minute, as a finalizer does whose request is slow
  await using followed = new Followed(api, { client }, () => api.clock.advance(60));
  for (const object of ["a@1", "b@2", "c@3"]) {
    const { contacts } = followed;
    await stream.send("ADDED", object);
    await followed.contacted(contacts + 1);
    await followed.yielded(`initApply ${object}`);
  }
  await stream.bookmark("10", { end: true });
  await followed.yielded("initDone");
  await stream.send("ADDED", "d@11");
  await followed.yielded("apply d@11");
  assert.deepEqual(followed.asked, ["streaming list"]);
  assert.equal(client.streamingLists, true);
});

Deno.test("run() backs off from a streaming list that is cut again and again", async () => {
  await using api = new ScriptedApi();
  await using followed = new Followed(api);
  for (const [index, delay] of [1, 2, 4, 8, 16, 30, 30].entries()) {
    const stream = new WatchStream();
    api.script(stream);
    if (index > 0) await api.clock.advance([1, 2, 4, 8, 16, 30, 30][index - 1]!);
    await stream.send("ADDED", "a@1");
    await followed.yielded("initApply a@1");
    await api.clock.advance(2);
    await stream.cut();
    await followed.yielded(`failed TransportError in ${delay}`);
  }
  assert.ok(!followed.events.includes("resumed") && !followed.events.includes("initDone"));
  const stream = new WatchStream();
  api.script(stream);
  await api.clock.advance(30);
  await stream.bookmark("10", { end: true });
  await followed.yielded("initDone");
  await api.clock.advance(2);
  await stream.cut();
  await followed.yielded("failed TransportError in 1");
});

Deno.test("run() lists in pages when a streaming list ends before its end bookmark", async () => {
  await using api = new ScriptedApi();
  api.script(new Response(""), listAt("10"));
  await using followed = new Followed(api);
  await followed.requested(3);
  assert.deepEqual(followed.asked, ["streaming list", "list", "watch from 10"]);
});

Deno.test("run() asks for a streaming list again after a failure that says nothing of streaming lists", async () => {
  await using api = new ScriptedApi();
  api.script(refusal(503, "ServiceUnavailable", "starting"));
  await using followed = new Followed(api);
  await followed.yielded("failed 503 in 1");
  await api.clock.advance(1);
  await followed.requested(2);
  assert.deepEqual(followed.asked, ["streaming list", "streaming list"]);
});

Deno.test("run() lists every sleepTime in list mode, and waits longer only after a failure", async () => {
  await using api = new ScriptedApi();
  api.script(listAt("10", ["a@1"]), listAt("11"), refusal(500, "InternalError", "no"), listAt("12"));
  await using followed = new Followed(api, { mode: "list", sleepTime: 90 });
  await followed.yielded("initDone");
  await followed.expecting(90 + 60);
  await api.clock.advance(89.9);
  await followed.stillRequested(1);
  await api.clock.advance(0.1);
  await until(() => followed.events.filter((event) => event === "initDone").length === 2);
  await followed.expecting(90 + 60);
  await api.clock.advance(90);
  await followed.yielded("failed 500 in 1");
  await api.clock.advance(1);
  await until(() => followed.events.filter((event) => event === "initDone").length === 3);
  assert.deepEqual(followed.asked, ["list", "list", "list", "list"]);
});
