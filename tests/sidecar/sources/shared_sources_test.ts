import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { Liveness } from "../../../lib/sidecar/liveness.ts";
import type { ObjectSink } from "../../../lib/sidecar/sources/object_sink.ts";
import { SharedSources } from "../../../lib/sidecar/sources/shared_sources.ts";
import { CONFIG_MAPS } from "../../apiserver/resources.ts";
import { ApiGateway, keptLog } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/local_servers.ts";

const TARGET = { kind: "ConfigMap", namespace: "default" } as const;

function place(mode: "watch" | "once") {
  const gateway = new ApiGateway();
  gateway.server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" }, data: { a: "a" } });
  const clock = new FakeClock();
  const sources = new SharedSources({
    ...{ client: gateway.client, mode, watch: parseConfig({}).config.watch, liveness: new Liveness(clock) },
    ...{ onRestart() {}, clock, random: () => 0, log: keptLog() },
  });
  return { gateway, sources, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

function receiver(): ObjectSink & { told: string[] } {
  const told: string[] = [];
  return {
    told,
    beginList: () => void told.push("begin"),
    endList: () => void told.push("end"),
    apply: ({ metadata }) => void told.push(metadata.name),
    delete() {},
  };
}

Deno.test("follow() lists for a receiver that joins while the only other one leaves", async () => {
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    await using at = place("watch");
    const [first, second] = [receiver(), receiver()];
    const [stop, stopSecond] = [new AbortController(), new AbortController()];
    const held = Promise.withResolvers<undefined>();
    at.gateway.intercept = () => held.promise;
    const left = at.sources.follow(TARGET, first, stop.signal);
    // A list has begun, and nothing of it has come
    await until(() => first.told.length === 1 && at.gateway.requests.length === 1);
    stop.abort();
    for (let passed = 0; passed < microtasks; passed++) await Promise.resolve();
    const following = at.sources.follow(TARGET, second, stopSecond.signal);
    held.resolve(undefined);
    await left;
    await until(() => second.told.includes("end"));
    assert.ok(second.told.includes("a"), `after ${microtasks} microtasks`);
    stopSecond.abort();
    await following;
  }
});

Deno.test("follow() with METHOD=LIST lists for a receiver that joins when the list has just ended", async () => {
  await using at = place("once");
  const second = receiver();
  const { signal } = new AbortController();
  const late: Promise<string | undefined>[] = [];
  const joinAfter = async (microtasks: number) => {
    for (let passed = 0; passed < microtasks; passed++) await Promise.resolve();
    late.push(at.sources.follow(TARGET, second, signal));
  };
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    second.told.length = 0;
    let lists = 0;
    const first = { ...receiver(), endList: () => void (lists++ === 0 && joinAfter(microtasks)) };
    await at.sources.follow(TARGET, first, signal);
    await until(() => late.length > 0);
    await Promise.all(late.splice(0));
    assert.deepEqual(second.told, ["begin", "a", "end"], `after ${microtasks} microtasks`);
  }
});

Deno.test("follow() goes on for those that stay when a receiver leaves before its list began", async () => {
  await using at = place("watch");
  const [first, second] = [receiver(), receiver()];
  const [stop, stopSecond] = [new AbortController(), new AbortController()];
  const following = at.sources.follow(TARGET, first, stop.signal);
  await until(() => first.told.includes("end"));
  const left = at.sources.follow(TARGET, second, stopSecond.signal);
  stopSecond.abort();
  await left;
  at.gateway.server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "b" } });
  await until(() => first.told.includes("b"), 5);
  stop.abort();
  await following;
});
