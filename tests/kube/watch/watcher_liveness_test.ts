import assert from "node:assert/strict";
import { Heartbeat } from "../../../lib/runtime/heartbeat.ts";
import { refusal } from "../../support/api_gateway.ts";
import { Followed, pagingClient } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";

/** Moves time on in steps, and sees at each that the watcher is not overdue. */
async function liveFor(api: ScriptedApi, heartbeat: Heartbeat, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 5) {
    await api.clock.advance(5);
    await api.caughtUp();
    assert.equal(heartbeat.overdue, undefined, `after ${passed} s`);
  }
}

const answers: [name: string, script: (api: ScriptedApi) => void][] = [
  ["answers nothing", () => {}],
  ["asks for a long delay", (api) => {
    const wait = () => {
      api.script(wait);
      return new Response(null, { status: 429, headers: { "retry-after": "250" } });
    };
    api.script(wait);
  }],
  ["refuses", (api) => {
    const refuse = () => {
      api.script(refuse);
      return refusal(403, "Forbidden", "no");
    };
    api.script(refuse);
  }],
  ["lists and then sends nothing", (api) => api.script(listAt("10"), new WatchStream(), new WatchStream())],
];

for (const [name, script] of answers) {
  Deno.test(`run() is never overdue when the API server ${name}`, async () => {
    await using api = new ScriptedApi();
    const heartbeat = new Heartbeat("the watch", api.clock);
    script(api);
    await using _ = new Followed(api, { client: pagingClient(api), heartbeat });
    await liveFor(api, heartbeat, 1500);
  });
}

Deno.test("run() is not overdue while list mode sleeps", async () => {
  await using api = new ScriptedApi();
  const heartbeat = new Heartbeat("the watch", api.clock);
  api.script(listAt("10"), listAt("11"));
  await using followed = new Followed(api, { mode: "list", sleepTime: 3600, heartbeat });
  await followed.yielded("initDone");
  await liveFor(api, heartbeat, 3590);
});

Deno.test("run() is overdue when its consumer hangs", async () => {
  await using api = new ScriptedApi();
  const heartbeat = new Heartbeat("the watch", api.clock);
  api.script(listAt("10", ["a@1", "b@2"]));
  const hang = Promise.withResolvers<void>();
  const followed = new Followed(api, { client: pagingClient(api), heartbeat }, () => hang.promise);
  await until(() => followed.events.length > 0);
  await api.clock.advance(120);
  assert.equal(heartbeat.overdue, undefined);
  await api.clock.advance(1);
  assert.match(heartbeat.overdue ?? "", /^the watch is stuck/);
  hang.resolve();
  await followed[Symbol.asyncDispose]();
});
