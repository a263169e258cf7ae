import assert from "node:assert/strict";
import type { KubeClient } from "../../../lib/kube/client/client.ts";
import { Watcher } from "../../../lib/kube/watch/watcher.ts";
import { refusal } from "../../support/api_gateway.ts";
import { pagingClient } from "../../support/followed.ts";
import { until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi, WatchStream } from "../../support/scripted_api.ts";

/** Lists of one client that are under way at one time. */
const MAX_LISTS = 16;

/** Watchers that share a client. */
class Crowd implements AsyncDisposable {
  /** Seconds that each watcher may take for its step. */
  readonly expected: number[] = [];
  readonly #abort = new AbortController();
  readonly #ended: Promise<void>[] = [];

  constructor(readonly api: ScriptedApi, readonly client: KubeClient) {}

  add(count: number): void {
    for (let added = 0; added < count; added++) this.#ended.push(this.#follow());
  }

  /** Waits for so many requests, and that no other is on its way. */
  async requested(count: number): Promise<void> {
    await until(() => this.api.requests.length >= count);
    await this.api.caughtUp();
    assert.equal(this.api.requests.length, count);
  }

  async #follow(): Promise<void> {
    const index = this.#ended.length;
    const watcher = new Watcher({
      client: this.client,
      source: { kind: "ConfigMap" },
      mode: "watch",
      ...{ sleepTime: 60, serverTimeout: 600, clientTimeout: 660, resyncPeriod: 0, firstBackoff: 1 },
      clock: this.api.clock,
      random: () => 0,
      heartbeat: { expectWithin: (seconds) => this.expected[index] = seconds },
    });
    for await (const _ of watcher.run(this.#abort.signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error("the test is over"));
    await Promise.all(this.#ended);
  }
}

Deno.test("run() lists for at most 16 watchers of a client at one time", async () => {
  await using api = new ScriptedApi();
  const answers = Array.from({ length: MAX_LISTS }, () => Promise.withResolvers<Response>());
  using _ = { [Symbol.dispose]: () => answers.forEach(({ resolve }) => resolve(listAt("10"))) };
  await using crowd = new Crowd(api, pagingClient(api));
  api.script(...answers.map(({ promise }) => () => promise));
  crowd.add(MAX_LISTS + 4);
  await crowd.requested(MAX_LISTS);
  assert.equal(crowd.expected.at(-1), Infinity, "a watcher that waits for its turn is not stuck");
  answers[0]?.resolve(listAt("10"));
  await crowd.requested(MAX_LISTS + 2);
  answers[1]?.resolve(refusal(403, "Forbidden", "no"));
  await crowd.requested(MAX_LISTS + 3);
  const lists = api.requests.filter(({ query }) => query.watch === undefined);
  assert.equal(lists.length, MAX_LISTS + 2);
});

Deno.test("run() counts a streaming list as a list until its end", async () => {
  await using api = new ScriptedApi();
  await using crowd = new Crowd(api, api.makeClient());
  const first = new WatchStream();
  api.script(first);
  crowd.add(1);
  await crowd.requested(1);
  crowd.add(MAX_LISTS);
  await crowd.requested(MAX_LISTS);
  await first.bookmark("10", { end: true });
  await crowd.requested(MAX_LISTS + 1);
});
