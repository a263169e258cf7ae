import assert from "node:assert/strict";
import { EventRecorder } from "../../../lib/kube/events/event_recorder.ts";
import { Heartbeat } from "../../../lib/runtime/heartbeat.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { START, WRITTEN } from "../../support/recorded_events.ts";

Deno.test("EventRecorder.run() is overdue when a request hangs, not while it waits", async () => {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("events", clock);
  const answer = Promise.withResolvers<unknown>();
  const recorder = new EventRecorder({
    client: { request: () => answer.promise },
    clock,
    heartbeat,
    random: () => 0,
    log: keptLog(),
    reportingInstance: "grafana-0",
    now: () => new Date(START + clock.now()),
  });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  await clock.advance(1e6);
  assert.equal(heartbeat.overdue, undefined, "there is nothing to post");
  recorder.record(WRITTEN);
  await clock.advance(240);
  assert.equal(heartbeat.overdue, undefined);
  await clock.advance(1);
  assert.match(heartbeat.overdue ?? "", /^events is stuck/);
  answer.resolve({});
  await clock.advance(0);
  assert.equal(heartbeat.overdue, undefined);
  stop.abort();
  await running;
});
