import assert from "node:assert/strict";
import { TransportError } from "../../../lib/http/transport.ts";
import { AnswerError, ApiError, CredentialsError } from "../../../lib/kube/client/errors.ts";
import { type Restart, restartOf } from "../../../lib/kube/watch/restarts.ts";
import type { State } from "../../../lib/kube/watch/state.ts";
import { ShortWatchError, StreamingListError, VersionError } from "../../../lib/kube/watch/watch_errors.ts";
import { refusal } from "../../support/api_gateway.ts";
import { Followed, watching } from "../../support/followed.ts";
import { listAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";

const EMPTY: State = { type: "empty" };

Deno.test("restartOf() names what went wrong", () => {
  const status = (code: number) => new ApiError("GET /", code, undefined);
  const cases: [unknown, string][] = [
    [status(410), "expired"],
    [new VersionError("backwards"), "expired"],
    [new TransportError("read", "broken"), "disconnected"],
    [new ShortWatchError("short"), "short"],
    [status(401), "unauthorized"],
    [status(403), "forbidden"],
    [status(429), "throttled"],
    [status(404), "client_error"],
    [status(503), "server_error"],
    [new AnswerError("not JSON"), "bad_answer"],
    [new CredentialsError("gone"), "credentials"],
    [new Error("a bug"), "other"],
  ];
  for (const [error, reason] of cases) {
    const waiting: State = { type: "waiting", seconds: 1, then: EMPTY };
    assert.deepEqual(restartOf(EMPTY, waiting, error), { request: "list", reason });
  }
  assert.deepEqual(restartOf(EMPTY, EMPTY, new StreamingListError("none")), {
    request: "list",
    reason: "streaming_list",
  });
});

function counted() {
  const restarts: string[] = [];
  return { restarts, onRestart: ({ request, reason }: Restart) => void restarts.push(`${request} ${reason}`) };
}

Deno.test("run() reports watches that end, that are refused, and lists that follow", async () => {
  await using api = new ScriptedApi();
  const { restarts, onRestart } = counted();
  const { followed, watch } = await watching(api, { onRestart });
  await using _ = followed;
  api.script(refusal(500, "InternalError", "no"), listAt("11"), refusal(410, "Expired", "too old"), listAt("20"));
  await api.clock.advance(5);
  await watch.end();
  await followed.yielded("failed 500 in 1");
  await api.clock.advance(1);
  await followed.yielded("failed 410 in 0");
  await api.clock.advance(0);
  await followed.requested(7);
  assert.deepEqual(restarts, ["watch ended", "watch server_error", "list expired"]);
});

Deno.test("run() reports no lists of METHOD=SLEEP", async () => {
  await using api = new ScriptedApi();
  const { restarts, onRestart } = counted();
  api.script(listAt("10"), listAt("11"));
  await using followed = new Followed(api, { mode: "list", onRestart });
  await followed.yielded("initDone");
  await api.clock.advance(60);
  await followed.requested(2);
  assert.deepEqual(restarts, []);
});

Deno.test("run() reports the lists of RESYNC_PERIOD", async () => {
  await using api = new ScriptedApi();
  const { restarts, onRestart } = counted();
  const { followed } = await watching(api, { onRestart, resyncPeriod: 100 });
  await using _ = followed;
  api.script(listAt("20"), new WatchStream());
  await api.clock.advance(100);
  await followed.requested(4);
  assert.deepEqual(restarts, ["watch ended", "list resync"]);
});
