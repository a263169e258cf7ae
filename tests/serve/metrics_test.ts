import assert from "node:assert/strict";
import { ApiError } from "../../lib/kube/client/errors.ts";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";

Deno.test("SidecarMetrics counts files, objects, requests, failures and notifications", () => {
  const metrics = new SidecarMetrics();
  const ref = { kind: "ConfigMap", namespace: "a", name: "b" } as const;
  metrics.fileEvent({ type: "written", ref, paths: ["/a", "/b"] });
  metrics.fileEvent({ type: "removed", ref, paths: ["/a"] });
  metrics.fileEvent({ type: "refused", ref, reason: "outside" });
  metrics.apiRequest("GET", 200);
  metrics.apiRequest("GET", 0);
  metrics.watchFailed(new ApiError("GET /", 410, undefined));
  metrics.watchFailed(new TypeError("x"));
  metrics.notified("webhook", true, 0.5);
  metrics.notified("webhook", false, 1);
  const collection = {
    objects: 2,
    files: 3,
    isNotificationPending: true,
  };
  metrics.measure(
    () => [collection, { ...collection, isNotificationPending: false }],
    () => [{ source: "secrets", silence: -4 }],
  );
  const lines = metrics.render().split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(lines.map((line) => line.replace("k8s_sidecar_", "")), [
    'files_total{action="written"} 2',
    'files_total{action="removed"} 1',
    'object_events_total{event="refused"} 1',
    'api_requests_total{method="GET",status="200"} 1',
    'api_requests_total{method="GET",status="0"} 1',
    'watch_failures_total{cause="410"} 1',
    'watch_failures_total{cause="TypeError"} 1',
    'notifications_total{kind="webhook",result="success"} 1',
    'notifications_total{kind="webhook",result="failure"} 1',
    'notification_seconds_total{kind="webhook"} 1.5',
    "config_last_reload_successful 1",
    "objects 4",
    "files 6",
    "notification_pending 1",
    'watch_silence_seconds{source="secrets"} 0',
  ]);
});

Deno.test("SidecarMetrics reads gauges when they are asked for, over all collections", () => {
  const metrics = new SidecarMetrics();
  const collection = {
    objects: 2,
    files: 3,
    isNotificationPending: true,
  };
  const contacts = [{ source: "secrets", silence: -5 }, { source: "configmaps", silence: 4 }];
  metrics.measure(() => [collection, collection], () => contacts);
  collection.objects = 7;
  const lines = metrics.render().split("\n");
  for (
    const line of [
      "k8s_sidecar_objects 14",
      "k8s_sidecar_files 6",
      "k8s_sidecar_notification_pending 2",
      'k8s_sidecar_watch_silence_seconds{source="secrets"} 0',
      'k8s_sidecar_watch_silence_seconds{source="configmaps"} 4',
    ]
  ) assert.ok(lines.includes(line), line);
});
