import assert from "node:assert/strict";
import { refusal } from "../../support/api_gateway.ts";
import { watching } from "../../support/followed.ts";
import { listAt, ScriptedApi } from "../../support/scripted_api.ts";

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
