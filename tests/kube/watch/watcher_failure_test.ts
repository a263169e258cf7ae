import assert from "node:assert/strict";
import { refusal } from "../../support/api_gateway.ts";
import { Followed, pagingClient, watching } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";

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

for (const line of ["null", "5", "[]", "{}", '{"type":"ADDED"}', '{"type":"ADDED","object":{"metadata":{}}}']) {
  Deno.test(`run() says that a line is not an event: ${line}`, async () => {
    await using api = new ScriptedApi();
    const { followed, watch } = await watching(api);
    await using _ = followed;
    await watch.sendText(`${line}\n`);
    await until(() => followed.events.some((event) => event.startsWith("failed")));
    assert.match(String(followed.errors), /a watch of ConfigMaps brought a line that is not an event/);
  });
}
