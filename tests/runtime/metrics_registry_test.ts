import assert from "node:assert/strict";
import { Metrics } from "../../lib/runtime/metrics_registry.ts";

Deno.test("render() writes counters with their labels in Prometheus' text format", () => {
  const metrics = new Metrics();
  const plain = metrics.counter("k8s_sidecar_plain_total", "Without labels.");
  const labelled = metrics.counter<"a" | "b">("k8s_sidecar_labelled_total", "With labels.");
  metrics.counter("k8s_sidecar_unused_total", "Never counted.");
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
  metrics.gauge("k8s_sidecar_silence_seconds", "Silence.", () => readings);
  const values = () => metrics.render().split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(values(), [
    'k8s_sidecar_silence_seconds{source="a"} 1',
    'k8s_sidecar_silence_seconds{source="b"} 2',
  ]);
  readings = [[{}, 3]];
  assert.deepEqual(values(), ["k8s_sidecar_silence_seconds 3"]);
});
