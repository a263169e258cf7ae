import assert from "node:assert/strict";
import { CORE_EVENTS, EVENTS } from "../../apiserver/resources.ts";
import { CORE_V1, type EventApi, eventPath, EVENTS_V1 } from "../../../lib/kube/events/event_api.ts";
import type { EventSeries } from "../../../lib/kube/events/event_series.ts";
import { ApiGateway } from "../../support/api_gateway.ts";
import { START, WRITTEN } from "../../support/recorded_events.ts";

const NEVER = new AbortController().signal;
const SERIES: EventSeries = {
  event: WRITTEN,
  name: "dashboards.1",
  firstTime: new Date(START),
  lastTime: new Date(START + 7000),
  count: 1,
  postedCount: 0,
  failures: 0,
  dueAt: 0,
  seenAt: 0,
  spread: 5,
};

/** Posts and patches Events on an API server, which checks them. Each gives the Event as the API shows it afterwards. */
function start(api: EventApi) {
  const gateway = new ApiGateway();
  const resource = api === CORE_V1 ? CORE_EVENTS : EVENTS;
  const shown = ({ name }: EventSeries) => {
    const { registry } = gateway.server;
    const stored = registry.get(resource, "default", name);
    const { metadata: _, ...event } = resource.encode?.(stored) ?? stored;
    return event;
  };
  return {
    async create(series: EventSeries, reportingInstance = "grafana-0") {
      await gateway.client.request("POST", eventPath(api, "default"), NEVER, api.create(series, reportingInstance));
      return shown(series);
    },
    async repeat(series: EventSeries) {
      await gateway.client.request("PATCH", eventPath(api, "default", series.name), NEVER, api.repeat(series));
      return shown(series);
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const REGARDING = { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "dashboards", uid: "1-2-3" };

Deno.test("EVENTS_V1 makes an Event on the object, and counts its repeats as a series", async () => {
  await using t = start(EVENTS_V1);
  const event = {
    kind: "Event",
    apiVersion: "events.k8s.io/v1",
    type: "Normal",
    reason: "FilesWritten",
    action: "PublishFiles",
    note: "wrote /data/a.json",
    regarding: REGARDING,
    reportingController: "deno-k8s-sidecar",
    reportingInstance: "grafana-0",
    eventTime: "2026-01-02T03:04:05.678000Z",
  };
  assert.deepEqual(await t.create(SERIES), event);
  const series = { count: 3, lastObservedTime: "2026-01-02T03:04:12.678000Z" };
  assert.deepEqual(await t.repeat({ ...SERIES, count: 3 }), { ...event, series });
  assert.deepEqual(await t.create({ ...SERIES, name: "other", count: 3 }), { ...event, series });
});

Deno.test("CORE_V1 makes an Event on the object, and counts its repeats in it", async () => {
  await using t = start(CORE_V1);
  const event = {
    kind: "Event",
    apiVersion: "v1",
    type: "Normal",
    reason: "FilesWritten",
    action: "PublishFiles",
    message: "wrote /data/a.json",
    involvedObject: REGARDING,
    source: { component: "deno-k8s-sidecar" },
    reportingComponent: "deno-k8s-sidecar",
    reportingInstance: "grafana-0",
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:04:12Z",
    count: 1,
  };
  assert.deepEqual(await t.create(SERIES), event);
  const later = { ...SERIES, count: 3, lastTime: new Date(Date.UTC(2026, 0, 2, 3, 5)) };
  assert.deepEqual(await t.repeat(later), { ...event, count: 3, lastTimestamp: "2026-01-02T03:05:00Z" });
});

for (
  const [name, api, field] of [["EVENTS_V1", EVENTS_V1, "regarding"], ["CORE_V1", CORE_V1, "involvedObject"]] as const
) {
  Deno.test(`${name} leaves the uid out when it is not known`, async () => {
    await using t = start(api);
    const { uid: _, ...event } = SERIES.event;
    const { uid: __, ...regarding } = REGARDING;
    assert.deepEqual((await t.create({ ...SERIES, event }))[field], regarding);
  });

  Deno.test(`${name} cuts the name of a pod after 128 characters, and has one where there is none`, async () => {
    await using t = start(api);
    assert.equal((await t.create(SERIES, "p".repeat(253))).reportingInstance, "p".repeat(128));
    assert.equal((await t.create({ ...SERIES, name: "other" }, "")).reportingInstance, "deno-k8s-sidecar");
  });
}
