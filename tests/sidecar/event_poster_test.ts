import assert from "node:assert/strict";
import { CONFIG_MAPS, CORE_EVENTS } from "../apiserver/resources.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import type { FileEvent } from "../../lib/reconcile/file_event.ts";
import { Heartbeat } from "../../lib/runtime/heartbeat.ts";
import { openEventPoster } from "../../lib/sidecar/event_poster.ts";
import { ApiGateway, keptLog } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";

const NEVER = new AbortController().signal;
const REF: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };

/** An API server with one ConfigMap, and a poster. */
function start() {
  const gateway = new ApiGateway();
  const { registry } = gateway.server;
  registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" } });
  const clock = new FakeClock();
  const heartbeat = new Heartbeat("it", clock);
  return {
    poster: openEventPoster({ client: gateway.client, heartbeat, clock, random: () => 0, log: keptLog() }),
    // deno-lint-ignore no-explicit-any
    events: (): any[] => registry.store.list(CORE_EVENTS.storage),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const WORDS: [what: string, event: FileEvent, words: string][] = [
  ["files that were written", { type: "written", ref: REF, paths: ["/a", "/b"] }, "Normal FilesWritten: Wrote /a, /b"],
  ["files that were removed", { type: "removed", ref: REF, paths: ["/a"] }, "Normal FilesRemoved: Removed /a"],
  ["what can be no file", { type: "refused", ref: REF, reason: "outside" }, "Warning FilesRefused: Refused: outside"],
  ["what failed", { type: "failed", ref: REF, reason: "the disk is full" }, "Warning FilesFailed: the disk is full"],
  [
    "a path that another has",
    { type: "collided", ref: REF, path: "/a", more: 0, winner: { ...REF, kind: "Secret" } },
    "Warning PathCollision: /a is also claimed by Secret default/a, which has it",
  ],
  [
    "paths below one that another has",
    { type: "collided", ref: REF, path: "/a/b", more: 2, winner: { ...REF, kind: "Secret" }, blocker: "/a" },
    "Warning PathCollision: /a/b and 2 more files are not written: Secret default/a has /a, and a path cannot be a file and a folder",
  ],
  [
    "the first five of many paths",
    { type: "written", ref: REF, paths: ["/1", "/2", "/3", "/4", "/5", "/6", "/7"] },
    "Normal FilesWritten: Wrote /1, /2, /3, /4, /5 and 2 more",
  ],
];

for (const [what, event, words] of WORDS) {
  Deno.test(`openEventPoster() tells of ${what}`, async () => {
    await using t = start();
    t.poster.post(event);
    await t.poster.flush(NEVER);
    assert.deepEqual(t.events().map(({ type, reason, message }) => `${type} ${reason}: ${message}`), [words]);
  });
}

Deno.test("openEventPoster() tells which object it is about, and which of several sidecars tells", async () => {
  await using t = start();
  t.poster.post({ type: "written", ref: REF, uid: "1-2-3", paths: ["/a"] });
  t.poster.post({ type: "written", ref: REF, paths: ["/a"] });
  await t.poster.flush(NEVER);
  assert.deepEqual(t.events().map(({ involvedObject }) => involvedObject.uid), ["1-2-3", undefined]);
  for (const { involvedObject, reportingInstance } of t.events()) {
    assert.deepEqual([involvedObject.kind, involvedObject.name], ["ConfigMap", "a"]);
    assert.equal(reportingInstance, Deno.hostname());
  }
});
