import assert from "node:assert/strict";
import { ApiError } from "../../lib/kube/client/api_error.ts";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";

const REF = { kind: "Secret", namespace: "a", name: "b" } as const;

Deno.test("SidecarMetrics count files, objects, requests, failures and notifications", () => {
  const metrics = new SidecarMetrics();
  metrics.fileEvent({ type: "written", ref: REF, paths: ["/1", "/2"] });
  metrics.fileEvent({ type: "removed", ref: REF, paths: ["/1"] });
  metrics.fileEvent({ type: "refused", ref: REF, reason: "" });
  metrics.apiRequest("GET", 200);
  metrics.apiRequest("GET", 200);
  metrics.watchFailed(new ApiError("", 403, undefined));
  metrics.watchFailed(new TypeError());
  metrics.notified("webhook", false, 1.5);
  const lines = metrics.render().split("\n");
  for (
    const line of [
      'k8s_sidecar_files_total{action="written"} 2',
      'k8s_sidecar_files_total{action="removed"} 1',
      'k8s_sidecar_object_events_total{event="refused"} 1',
      'k8s_sidecar_api_requests_total{method="GET",status="200"} 2',
      'k8s_sidecar_watch_failures_total{cause="403"} 1',
      'k8s_sidecar_watch_failures_total{cause="TypeError"} 1',
      'k8s_sidecar_notifications_total{kind="webhook",result="failure"} 1',
      'k8s_sidecar_notification_seconds_total{kind="webhook"} 1.5',
    ]
  ) assert.ok(lines.includes(line), line);
});

Deno.test("SidecarMetrics read gauges when they are asked for, over all collections", () => {
  const metrics = new SidecarMetrics();
  const collection = {
    objects: 2,
    files: 3,
    isNotificationPending: true,
    progress: [{ what: "secrets", silence: -5 }],
  };
  metrics.measure(() => [collection, { ...collection, progress: [{ what: "configmaps", silence: 4 }] }]);
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
