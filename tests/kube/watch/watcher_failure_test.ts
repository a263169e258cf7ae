import assert from "node:assert/strict";
import { refusal } from "../../support/api_gateway.ts";
import { Followed, pagingClient } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, type ScriptedRequest, WatchStream } from "../../support/scripted_api.ts";
import type { WatcherOptions } from "../../../lib/kube/watch/watcher.ts";

/** A watcher whose list is done, at version 10; the next request is the one after its first watch. */
async function watching(api: ScriptedApi, options: Partial<WatcherOptions> = {}) {
  const watch = new WatchStream();
  api.script(listAt("10"), watch);
  const followed = new Followed(api, { client: pagingClient(api), ...options });
  await watch.bookmark("11");
  await followed.contacted(3);
  return { followed, watch };
}

const expired = () => refusal(410, "Expired", "too old resource version: 11 (20)");

Deno.test("run() lists once, at once, when a watch is answered with status 410", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(expired(), listAt("20"));
  await api.clock.advance(5);
  await watch.end();
  await followed.yielded("failed 410 in 0");
  await api.clock.advance(0);
  await followed.requested(5);
  assert.deepEqual(followed.asked, ["list", "watch from 10", "watch from 11", "list", "watch from 20"]);
  assert.deepEqual(followed.events.slice(2), ["failed 410 in 0", "init", "initDone"]);
});

Deno.test("run() lists once, at once, when a watch brings an ERROR event with code 410", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(listAt("20"));
  await api.clock.advance(5);
  await watch.error(410, "Expired", "too old resource version: 11 (20)");
  await followed.yielded("failed 410 in 0");
  await api.clock.advance(0);
  await followed.requested(4);
  assert.deepEqual(followed.asked, ["list", "watch from 10", "list", "watch from 20"]);
  await watch.gone;
});

Deno.test("run() backs off when 410 comes again and again", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(listAt("20"), expired(), listAt("30"), expired(), listAt("40"));
  await api.clock.advance(5);
  await watch.error(410, "Expired");
  await followed.yielded("failed 410 in 0");
  await api.clock.advance(0);
  await followed.yielded("failed 410 in 2");
  await api.clock.advance(1.9);
  await followed.stillRequested(4);
  await api.clock.advance(0.1);
  await followed.yielded("failed 410 in 4");
  await api.clock.advance(4);
  await followed.requested(8);
  assert.equal(followed.asked[7], "watch from 40");
});

Deno.test("run() lists again when a server says that the version asked for is ahead of its own", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(refusal(504, "Timeout", "Too large resource version: 11, current: 3"), listAt("3"));
  await api.clock.advance(5);
  await watch.end();
  await followed.yielded("failed 504 in 0");
  await api.clock.advance(0);
  await followed.requested(5);
  assert.equal(followed.asked[4], "watch from 3");
});

Deno.test("run() keeps its version and backs off after an ERROR event that is not 410", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(listAt("11"));
  await watch.error(500, "InternalError", "etcdserver: no leader");
  await followed.yielded("failed 500 in 1");
  assert.match(String(followed.errors[0]), /etcdserver: no leader/);
  await followed.stillRequested(2);
  await api.clock.advance(1);
  await followed.requested(4);
  assert.deepEqual(followed.asked.slice(2), ["list", "watch from 11"]);
});

for (const [status, ...asked] of [[429, "watch from 11"], [503, "list", "watch from 11"]] as const) {
  Deno.test(`run() waits for as long as a ${status} says, keeps its version, and tells health of the pause`, async () => {
    await using api = new ScriptedApi();
    const { followed, watch } = await watching(api);
    await using _ = followed;
    api.script(new Response(null, { status, headers: { "retry-after": "17" } }));
    if (asked.length > 1) api.script(listAt("11"));
    await api.clock.advance(5);
    await watch.end();
    await followed.yielded(`failed ${status} in 17`);
    await followed.expecting(17 + 60);
    await api.clock.advance(16.9);
    await followed.stillRequested(3);
    await api.clock.advance(0.1);
    await followed.requested(3 + asked.length);
    assert.deepEqual(followed.asked.slice(2), ["watch from 11", ...asked]);
  });
}

Deno.test("run() doubles its delays to 30 seconds, and begins anew after an event", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await api.clock.advance(5);
  const delays = [1, 2, 4, 8, 16, 30, 30];
  api.script(...delays.map(() => refusal(500, "InternalError", "no")));
  await watch.end();
  for (const [index, delay] of delays.entries()) {
    await until(() => followed.errors.length === index + 1);
    await followed.yielded(`failed 500 in ${delay}`);
    const next = new WatchStream();
    if (index === delays.length - 1) api.script(listAt("11"), next);
    await api.clock.advance(delay);
    if (index < delays.length - 1) continue;
    await next.send("ADDED", "a@12");
    await followed.yielded("apply a@12");
    api.script(refusal(500, "InternalError", "no"));
    await api.clock.advance(5);
    await next.end();
  }
  await followed.yielded("failed 500 in 1");
});

Deno.test("run() takes a quarter off a delay by chance at most", async () => {
  await using api = new ScriptedApi();
  api.script(refusal(500, "InternalError", "no"));
  await using followed = new Followed(api, { client: pagingClient(api), random: () => 0.8, firstBackoff: 10 });
  await followed.yielded("failed 500 in 8");
});

Deno.test("run() asks less often while it is forbidden, and counts each answer as contact", async () => {
  await using api = new ScriptedApi();
  api.script(...Array.from({ length: 3 }, () => refusal(403, "Forbidden", "configmaps is forbidden")), listAt("10"));
  await using followed = new Followed(api, { client: pagingClient(api) });
  for (const count of [1, 2, 3]) {
    await until(() => followed.errors.length === count);
    await followed.yielded("failed 403 in 8");
    assert.equal(followed.contacts, count);
    await followed.expecting(8 + 60);
    await api.clock.advance(7.9);
    await followed.stillRequested(count);
    await api.clock.advance(0.1);
  }
  await followed.yielded("initDone");
});

Deno.test("run() tells of no contact when there was no answer", async () => {
  await using api = new ScriptedApi();
  await using followed = new Followed(api, { client: pagingClient(api) });
  await followed.requested(1);
  await api.clock.advance(30);
  await followed.yielded("failed TransportError in 1");
  assert.equal(followed.contacts, 0);
});

Deno.test("run() backs off from a server that ends each watch at once", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await watch.end();
  const watches = () => followed.asked.filter((asked) => asked.startsWith("watch")).length;
  for (const [delay, count] of [[1, 2], [2, 3], [4, 4], [8, 5]] as const) {
    await followed.yielded(`failed AnswerError in ${delay}`);
    assert.equal(watches(), count - 1);
    // After a failure that was no answer of the API, the version is looked at first
    api.script(listAt("11"), new Response(""));
    await api.clock.advance(delay);
    await until(() => watches() === count);
  }
  await followed.yielded("failed AnswerError in 16");
  assert.ok(followed.requests.length <= 1 + 2 * api.clock.now() / 1000);
});

Deno.test("run() backs off from a watch that ends at once even if it brought an event", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await watch.send("ADDED", "a@12");
  await followed.yielded("apply a@12");
  await watch.end();
  await followed.yielded("failed AnswerError in 1");
});

Deno.test("run() lists again when the server refuses to go on from its version three times in a row", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  await api.clock.advance(5);
  const noSense = () => refusal(400, "BadRequest", "invalid resource version");
  api.script(noSense(), noSense(), noSense(), listAt("20"));
  await watch.end();
  for (const delay of [1, 2, 4]) {
    await followed.yielded(`failed 400 in ${delay}`);
    await api.clock.advance(delay);
  }
  await followed.requested(7);
  assert.deepEqual(followed.asked.slice(2), [
    ...["watch from 11", "watch from 11", "watch from 11"],
    ...["list", "watch from 20"],
  ]);
});

Deno.test("run() looks at the server's version after a failure, by a list of one, and resumes when it is not older", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(listAt("15", ["a@1"], "more"));
  await watch.cut();
  await followed.yielded("failed TransportError in 1");
  await api.clock.advance(1);
  await followed.requested(4);
  assert.deepEqual(followed.asked.slice(2), ["list", "watch from 11"]);
  assert.deepEqual(followed.requests[2]?.query, { labelSelector: "app", limit: "1" });
  assert.deepEqual(followed.events, ["init", "initDone", "failed TransportError in 1"], "nothing of it is yielded");
});

Deno.test("run() lists again when the server's versions went backwards while it was away", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(listAt("5", ["a@1"], "more"), listAt("5", ["a@1"]));
  await watch.cut();
  await followed.yielded("failed TransportError in 1");
  await api.clock.advance(1);
  await followed.yielded("failed VersionError in 2");
  assert.equal(String(followed.errors[1]), "VersionError: the API server is at 5, we are at 11");
  await api.clock.advance(2);
  await followed.requested(5);
  assert.equal(followed.asked[4], "watch from 5");
  assert.deepEqual(followed.events.slice(-3), ["init", "initApply a@1", "initDone"]);
});

Deno.test("run() lists again when the versions go backwards within a watch", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(listAt("5"));
  await watch.bookmark("5");
  await followed.yielded("failed VersionError in 1");
  await api.clock.advance(1);
  await followed.requested(4);
  assert.equal(followed.asked[3], "watch from 5");
});

Deno.test("run() goes on looking at the version until it has it", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(refusal(503, "ServiceUnavailable", "starting"), listAt("11"));
  await watch.cut();
  await followed.yielded("failed TransportError in 1");
  await api.clock.advance(1);
  await followed.yielded("failed 503 in 2");
  await api.clock.advance(2);
  await followed.requested(5);
  assert.deepEqual(followed.asked.slice(2), ["list", "list", "watch from 11"]);
});

Deno.test("run() survives lines that are no events", async () => {
  for (const line of ["<html>\n", "null\n", '"text"\n', '{"type":"ADDED","object":null}\n']) {
    await using api = new ScriptedApi();
    const { followed, watch } = await watching(api);
    await using _ = followed;
    api.script(listAt("11"));
    await watch.sendText(line);
    await until(() => followed.errors.length === 1);
    await api.clock.advance(1);
    await followed.requested(4);
    assert.equal(followed.asked[3], "watch from 11", line);
  }
});

Deno.test("run() tells once that a watch works again, also when nothing changes", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  const again = new WatchStream();
  api.script(refusal(503, "ServiceUnavailable", "starting"), listAt("11"), again);
  await api.clock.advance(5);
  await watch.end();
  await followed.yielded("failed 503 in 1");
  await api.clock.advance(1);
  await followed.requested(5);
  await again.bookmark("12");
  await followed.yielded("resumed");
  await again.bookmark("13");
  await followed.contacted(9);
  assert.deepEqual(followed.events.slice(2), ["failed 503 in 1", "resumed"]);
});

Deno.test("run() lists at once after a 410, whatever failed before it", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api);
  await using _ = followed;
  api.script(
    refusal(429, "TooManyRequests", "slow down"),
    refusal(429, "TooManyRequests", "slow down"),
    expired(),
    listAt("20"),
  );
  await api.clock.advance(5);
  await watch.end();
  await followed.yielded("failed 429 in 1");
  await api.clock.advance(1);
  await followed.yielded("failed 429 in 2");
  await api.clock.advance(2);
  await followed.yielded("failed 410 in 0");
  await api.clock.advance(0);
  await followed.requested(7);
  assert.equal(followed.asked.at(-1), "watch from 20");
});

const RELISTED = ["init", "initApply a@400", "initDone"];

/** An API server whose front end answers every watch with 200, nothing, and a clean end, instead of 410. */
function endWatchesAtOnce(api: ScriptedApi): void {
  const answer = (request: ScriptedRequest): Response => {
    api.script(answer);
    return request.query.watch === undefined ? listAt("500", ["a@400"]) : new Response("");
  };
  api.script(answer);
}

Deno.test("run() lists again when three resumed watches end at once without an event", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api, { resyncPeriod: 0 });
  await using _ = followed;
  await api.clock.advance(5);
  endWatchesAtOnce(api);
  await watch.cut();
  await followed.yielded("failed TransportError in 1");
  for (const delay of [1, 2, 4, 8]) {
    await followed.yielded(delay === 1 ? "failed TransportError in 1" : `failed AnswerError in ${delay}`);
    await api.clock.advance(delay);
  }
  await until(() => RELISTED.every((event) => followed.events.slice(6).includes(event)));
  assert.ok(api.clock.now() <= 30_000, "within half a minute");
});

Deno.test("run() backs off when the watches after such a list end at once, too", async () => {
  await using api = new ScriptedApi();
  const { followed, watch } = await watching(api, { resyncPeriod: 0 });
  await using _ = followed;
  await api.clock.advance(5);
  endWatchesAtOnce(api);
  await watch.cut();
  const delays = [1, 2, 4, 8, 16, 30, 30, 30, 30, 30];
  for (const [index, delay] of delays.entries()) {
    await until(() => followed.errors.length === index + 1);
    await followed.yielded(`failed ${index === 0 ? "TransportError" : "AnswerError"} in ${delay}`);
    await api.clock.advance(delay);
  }
  await until(() => followed.errors.length === delays.length + 1);
  const lists = followed.events.filter((event) => event === "initDone").length;
  assert.equal(lists, 1 + 3);
});

Deno.test("run() takes a list whose watch failed later for a success", async () => {
  await using api = new ScriptedApi();
  api.script(refusal(500, "InternalError", "no"), refusal(500, "InternalError", "no"), listAt("10"));
  await using followed = new Followed(api, { client: pagingClient(api) });
  await followed.yielded("failed 500 in 1");
  await api.clock.advance(1);
  await followed.yielded("failed 500 in 2");
  await api.clock.advance(2);
  await followed.requested(4);
  await followed.yielded("initDone");
  await api.clock.advance(30);
  await followed.yielded("failed TransportError in 1");
});

Deno.test("run() backs off from a server that answers every list with 410", async () => {
  await using api = new ScriptedApi();
  api.script(expired(), expired());
  await using followed = new Followed(api, { client: pagingClient(api) });
  await followed.yielded("failed 410 in 1");
  await api.clock.advance(1);
  await followed.yielded("failed 410 in 2");
});
