import assert from "node:assert/strict";
import { ApiError } from "../../lib/kube/client/api_error.ts";
import { Metrics } from "../../lib/runtime/metrics_registry.ts";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";

Deno.test("render() writes counters with their labels in Prometheus' text format", () => {
  const metrics = new Metrics();
  const plain = metrics.counter("plain_total", "Without labels.");
  const labelled = metrics.counter<"a" | "b">("labelled_total", "With labels.");
  metrics.counter("unused_total", "Never counted.");
  plain();
  plain(undefined, 2.5);
  labelled({ a: "1", b: "x" });
  labelled({ a: "1", b: "x" });
  labelled({ a: "2", b: 'say "hi"\\\n' }, 7);
  assert.equal(
    metrics.render(),
    [
      "# HELP k8s_sidecar_plain_total Without labels.",
      "# TYPE k8s_sidecar_plain_total counter",
      "k8s_sidecar_plain_total 3.5",
      "# HELP k8s_sidecar_labelled_total With labels.",
      "# TYPE k8s_sidecar_labelled_total counter",
      'k8s_sidecar_labelled_total{a="1",b="x"} 2',
      'k8s_sidecar_labelled_total{a="2",b="say \\"hi\\"\\\\\\n"} 7',
      "# HELP k8s_sidecar_unused_total Never counted.",
      "# TYPE k8s_sidecar_unused_total counter",
      "",
    ].join("\n"),
  );
});

Deno.test("render() reads gauges anew each time, and forgets labels that are gone", () => {
  const metrics = new Metrics();
  let readings: [Record<string, string>, number][] = [[{ source: "a" }, 1], [{ source: "b" }, 2]];
  metrics.gauge("silence_seconds", "Silence.", () => readings);
  const values = () => metrics.render().split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(values(), [
    'k8s_sidecar_silence_seconds{source="a"} 1',
    'k8s_sidecar_silence_seconds{source="b"} 2',
  ]);
  readings = [[{}, 3]];
  assert.deepEqual(values(), ["k8s_sidecar_silence_seconds 3"]);
});

Deno.test("SidecarMetrics counts what the sidecar does, and measures its collections", () => {
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
    progress: [{ what: "secrets", silence: -4 }],
  };
  metrics.measure(() => [collection, { ...collection, isNotificationPending: false, progress: [] }]);
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
    "objects 4",
    "files 6",
    "notification_pending 1",
    'watch_silence_seconds{source="secrets"} 0',
  ]);
});
