import assert from "node:assert/strict";
import { watching } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, type ScriptedRequest } from "../../support/scripted_api.ts";

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

const RELISTED = ["init", "initApply a@400", "initDone"];

/** An API server whose front end answers every watch with 200, nothing, and a clean end, instead of 410. */
function endWatchesAtOnce(api: ScriptedApi, text = ""): void {
  const answer = (request: ScriptedRequest): Response => {
    api.script(answer);
    return request.query.watch === undefined ? listAt("500", ["a@400"]) : new Response(text);
  };
  api.script(answer);
}

const BOOKMARK = `{"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":"11"}}}\n`;

for (
  const [what, text] of [["without an event", ""], ["with a bookmark of the version asked for", BOOKMARK]] as const
) {
  Deno.test(`run() lists again when three resumed watches end at once ${what}`, async () => {
    await using api = new ScriptedApi();
    const { followed, watch } = await watching(api, { resyncPeriod: 0 });
    await using _ = followed;
    await api.clock.advance(5);
    endWatchesAtOnce(api, text);
    await watch.cut();
    for (const delay of [1, 2, 4, 8]) {
      await followed.yielded(delay === 1 ? "failed TransportError in 1" : `failed AnswerError in ${delay}`);
      await api.clock.advance(delay);
    }
    await until(() => RELISTED.every((event) => followed.events.slice(6).includes(event)));
    assert.ok(api.clock.now() <= 30_000, "within half a minute");
  });
}

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
