import assert from "node:assert/strict";
import { type MetricsFormat, MetricsRegistry } from "../../lib/runtime/metrics_registry.ts";
import { promtool, PROMTOOL_MISSING } from "../support/promtool.ts";

function rendered(registry: MetricsRegistry, format: MetricsFormat = "text"): string[] {
  return [...registry.render(format)].join("").split("\n");
}

/** Without comments. */
function samples(registry: MetricsRegistry): string[] {
  return rendered(registry).filter((line) => line !== "" && !line.startsWith("#"));
}

function example(): MetricsRegistry {
  const registry = new MetricsRegistry();
  const counter = registry.counter("app_writes_total", "Files written.", ["collection", "code"]);
  counter.add({ code: "b", collection: "a" }, 0);
  counter.add({ code: 'say "hi"\\\n', collection: "a" }, 2.5);
  registry.read("gauge", "app_files", "Files.", [], () => [[{}, 3]]);
  registry.counter("app_unused_total", "Never counted.");
  const histogram = registry.histogram("app_duration_seconds", "Durations.", ["collection"], [0.5, 1, 30]);
  for (const seconds of [0.25, 0.5, 0.75, 31]) histogram.observe({ collection: "a" }, seconds);
  return registry;
}

Deno.test("render() writes Prometheus' text format", () => {
  assert.deepEqual(rendered(example()), [
    "# HELP app_writes_total Files written.",
    "# TYPE app_writes_total counter",
    'app_writes_total{collection="a",code="b"} 0',
    'app_writes_total{collection="a",code="say \\"hi\\"\\\\\\n"} 2.5',
    "# HELP app_files Files.",
    "# TYPE app_files gauge",
    "app_files 3",
    "# HELP app_duration_seconds Durations.",
    "# TYPE app_duration_seconds histogram",
    'app_duration_seconds_bucket{collection="a",le="0.5"} 2',
    'app_duration_seconds_bucket{collection="a",le="1.0"} 3',
    'app_duration_seconds_bucket{collection="a",le="30.0"} 3',
    'app_duration_seconds_bucket{collection="a",le="+Inf"} 4',
    'app_duration_seconds_sum{collection="a"} 32.5',
    'app_duration_seconds_count{collection="a"} 4',
    "",
  ]);
});

Deno.test("render() of OpenMetrics differs in the names of counters and in its end", () => {
  const text = rendered(example());
  const openmetrics = rendered(example(), "openmetrics");
  assert.deepEqual(openmetrics.slice(0, 3), [
    "# HELP app_writes Files written.",
    "# TYPE app_writes counter",
    'app_writes_total{collection="a",code="b"} 0',
  ]);
  assert.deepEqual(openmetrics.slice(3), [...text.slice(3, -1), "# EOF", ""]);
});

Deno.test({
  name: "promtool accepts what render() writes",
  ignore: PROMTOOL_MISSING,
  async fn() {
    const { success, said } = await promtool(["check", "metrics"], rendered(example()).join("\n"));
    assert.deepEqual([success, said], [true, ""]);
  },
});

Deno.test("render() reads gauges anew each time", () => {
  const registry = new MetricsRegistry();
  let readings: [{ source: string }, number][] = [[{ source: "a" }, 1], [{ source: "b" }, 2]];
  registry.read("gauge", "app_age_seconds", "Age.", ["source"], () => readings);
  assert.deepEqual(samples(registry), ['app_age_seconds{source="a"} 1', 'app_age_seconds{source="b"} 2']);
  readings = [[{ source: "c" }, 3]];
  assert.deepEqual(samples(registry), ['app_age_seconds{source="c"} 3']);
});

Deno.test("init() makes a histogram appear without an observation", () => {
  const registry = new MetricsRegistry();
  registry.histogram("app_duration_seconds", "Durations.", [], [1]).init({});
  assert.deepEqual(samples(registry), [
    'app_duration_seconds_bucket{le="1.0"} 0',
    'app_duration_seconds_bucket{le="+Inf"} 0',
    "app_duration_seconds_sum 0",
    "app_duration_seconds_count 0",
  ]);
});

Deno.test("forget() drops the values with a label, and none that only look like it", () => {
  const registry = new MetricsRegistry();
  const counter = registry.counter("app_writes_total", "Writes.", ["a", "b"]);
  for (const [a, b] of [["x", "1"], ["1", "x"], ["xx", "1"], ['"a="x"', "1"]]) counter.add({ a: a!, b: b! });
  registry.forget("a", "x");
  assert.deepEqual(samples(registry).length, 3);
  registry.forget("b", "x");
  assert.deepEqual(samples(registry).length, 2);
});

Deno.test("a name is registered once, and only those of counters end in _total", () => {
  const registry = new MetricsRegistry();
  registry.counter("app_a_total", "A.");
  assert.throws(() => registry.counter("app_a_total", "A."), /registered twice/);
  assert.throws(() => registry.counter("app_a", "A."), /_total/);
  assert.throws(() => registry.read("gauge", "app_b_total", "B.", [], () => []), /_total/);
});
