import assert from "node:assert/strict";
import type { Census } from "../../lib/reconcile/census.ts";
import { SidecarMetrics } from "../../lib/serve/metrics.ts";
import type { Measured } from "../../lib/serve/metrics/collection_metrics.ts";
import { tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { promtool, PROMTOOL_MISSING } from "../support/promtool.ts";

const REF = { kind: "ConfigMap", namespace: "a", name: "secret-name" } as const;

const CENSUS: Census = { objects: new Map(), files: 0, bytes: 0, refused: new Map(), collisions: 0 };

const MEASURED: Measured = {
  census: () => CENSUS,
  sources: [],
  isNotificationPending: false,
  notificationPendingSince: undefined,
};

function open() {
  const clock = new FakeClock();
  const metrics = new SidecarMetrics({
    build: { version: "1.2.3", revision: "abc" },
    clock,
    wallClock: () => 1_764_000_000_000 + clock.now(),
  });
  /** The samples whose name begins with this, which is left out. */
  const samples = (name: string) =>
    metrics.render("text").split("\n").filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
  return { metrics, clock, samples };
}

/** Every metric, with every label. */
function busy() {
  const at = open();
  for (const name of ["default", 'with "quotes"']) {
    const collection = at.metrics.forCollection(name);
    collection.begin({
      ...MEASURED,
      census: () => ({
        objects: new Map([["Secret", 2]]),
        files: 3,
        bytes: 70,
        refused: new Map([["key", 1]]),
        collisions: 4,
      }),
      sources: [{ source: { kind: "Secret" }, contactAt: 0, syncedAt: undefined }],
      isNotificationPending: true,
      notificationPendingSince: 0,
    }, ["script", "webhook"]);
    collection.fileEvent({ type: "written", ref: REF, paths: ["/a", "/b"] });
    collection.fileEvent({ type: "removed", ref: REF, paths: ["/a"] });
    collection.fileEvent({ type: "refused", ref: REF, reason: "outside" });
    collection.diskError("ENOSPC");
    collection.propagated(0.004);
    collection.downloaded("refused");
    collection.notified("webhook", false, 0.2);
  }
  at.metrics.apiRequest("watch", 410);
  at.metrics.restarted({ request: "list", reason: "expired" });
  return at;
}

Deno.test({
  name: "promtool has nothing to say about all metrics",
  ignore: PROMTOOL_MISSING,
  async fn() {
    for (const { metrics } of [open(), busy()]) {
      const { success, said } = await promtool(["check", "metrics"], metrics.render("text"));
      assert.deepEqual([success, said], [true, ""]);
    }
  },
});

Deno.test({
  name: "Prometheus reads all metrics as OpenMetrics",
  ignore: PROMTOOL_MISSING,
  async fn() {
    using folder = tempFolder();
    // The only command that parses OpenMetrics wants a time for each sample
    const text = busy().metrics.render("openmetrics").replaceAll(/^([^#].*)$/gm, "$1 1764000000.000");
    const file = `${folder.path}/metrics.om`;
    Deno.writeTextFileSync(file, text);
    const args = ["tsdb", "create-blocks-from", "openmetrics", file, `${folder.path}/blocks`];
    const { success, said } = await promtool(args);
    assert.ok(success, said);
  },
});

Deno.test("all metrics are rendered, in both formats, and none has the name of an object", () => {
  const { metrics } = busy();
  for (const format of ["text", "openmetrics"] as const) {
    const text = metrics.render(format);
    for (const { name, labels } of metrics.families) {
      assert.match(text, new RegExp(`^${name}[_a-z]*${labels.length === 0 ? " " : `\\{${labels[0]}="`}`, "m"));
    }
    assert.ok(!text.includes("secret-name"));
  }
  assert.ok(metrics.render("openmetrics").endsWith("\n# EOF\n"));
});

Deno.test("every family has a help text that ends like a sentence and needs no escapes", () => {
  for (const { name, help } of open().metrics.families) assert.match(help, /^[^\\\n"|]+\.$/, name);
});

Deno.test("a collection shows what it has and what it did", () => {
  const { samples } = busy();
  const all = samples("k8s_sidecar_").filter((line) => line.includes('collection="default"'));
  const shown = (name: string) => all.filter((line) => line.startsWith(`${name}{`));
  assert.deepEqual(shown("objects"), [
    'objects{collection="default",kind="ConfigMap"} 0',
    'objects{collection="default",kind="Secret"} 2',
  ]);
  assert.deepEqual(shown("files"), ['files{collection="default"} 3']);
  assert.deepEqual(shown("file_bytes"), ['file_bytes{collection="default"} 70']);
  assert.deepEqual(shown("collisions"), ['collisions{collection="default"} 4']);
  assert.deepEqual(shown("file_writes_total"), ['file_writes_total{collection="default"} 2']);
  assert.deepEqual(shown("file_removals_total"), ['file_removals_total{collection="default"} 1']);
  assert.deepEqual(shown("synced"), ['synced{collection="default",source="secrets"} 0']);
  assert.deepEqual(shown("refused_objects").map((line) => line.replace(/.*reason=/, "")), [
    '"folder"} 0',
    '"too_many_keys"} 0',
    '"key"} 1',
    '"path"} 0',
    '"content"} 0',
  ]);
  assert.equal(shown("write_errors_total")[0], 'write_errors_total{collection="default",code="ENOSPC"} 1');
  assert.deepEqual(shown("url_downloads_total").map((line) => line.replace(/.*result=/, "")), [
    '"success"} 0',
    '"failure"} 0',
    '"refused"} 1',
  ]);
  assert.deepEqual(shown("notifications_total").map((line) => line.replace(/.*kind=/, "")), [
    '"script",result="success"} 0',
    '"script",result="failure"} 0',
    '"webhook",result="success"} 0',
    '"webhook",result="failure"} 1',
  ]);
  assert.deepEqual(shown("propagation_seconds_bucket").slice(1, 3), [
    'propagation_seconds_bucket{collection="default",le="0.0025"} 0',
    'propagation_seconds_bucket{collection="default",le="0.005"} 1',
  ]);
});

Deno.test("a collection that ends takes its metrics along, and not those of its successor", () => {
  const { metrics, samples } = open();
  const collection = metrics.forCollection("a");
  collection.begin(MEASURED, ["webhook"]);
  collection.notified("webhook", false, 1);
  const next = { ...MEASURED };
  metrics.forCollection("a").begin(next, ["webhook"]);
  collection.end(MEASURED);
  assert.deepEqual(samples("k8s_sidecar_files{"), ['collection="a"} 0']);
  assert.deepEqual(samples("reloader_last_reload_successful"), [" 0"]);
  collection.end(next);
  assert.ok(!metrics.render("text").includes('collection="a"'));
  assert.deepEqual(samples("reloader_last_reload_successful"), [" 1"]);
});

Deno.test("a source is as old as the oldest that has its kind and namespace", async () => {
  const { metrics, clock, samples } = open();
  await clock.advance(100);
  const source = { kind: "ConfigMap", namespace: "b" } as const;
  metrics.forCollection("a").begin({
    ...MEASURED,
    sources: [
      { source: { ...source, name: "secret-name" }, contactAt: 60_000, syncedAt: 50_000 },
      { source: { ...source, name: "other" }, contactAt: 40_000, syncedAt: undefined },
      { source: { kind: "Namespace", labelSelector: "x" }, contactAt: undefined, syncedAt: undefined },
    ],
  }, []);
  assert.deepEqual(samples("k8s_sidecar_last_contact_timestamp_seconds"), [
    '{source="configmaps/b"} 1764000040',
    '{source="namespaces"} 0',
  ]);
  assert.deepEqual(samples("k8s_sidecar_last_sync_timestamp_seconds"), [
    '{source="configmaps/b"} 0',
    '{source="namespaces"} 0',
  ]);
  assert.deepEqual(samples("k8s_sidecar_synced"), [
    '{collection="a",source="configmaps/b"} 0',
    '{collection="a",source="namespaces"} 0',
  ]);
});

Deno.test("the reloader's metrics are 1 before the first attempt and 0 while a last attempt failed", async () => {
  const { metrics, clock, samples } = open();
  const [a, b] = [metrics.forCollection("a"), metrics.forCollection("b")];
  const successful = () => samples("reloader_last_reload_successful").join();
  assert.equal(successful(), " 1");
  assert.deepEqual(samples("reloader_last_reload_success_timestamp_seconds"), [" 0"]);
  a.notified("webhook", false, 1);
  assert.equal(successful(), " 0");
  a.notified("script", true, 1);
  b.notified("webhook", true, 1);
  assert.equal(successful(), " 0");
  await clock.advance(5);
  a.notified("webhook", true, 1);
  assert.equal(successful(), " 1");
  assert.deepEqual(samples("reloader_last_reload_success_timestamp_seconds"), [" 1764000005"]);
  for (const name of ["reloads", "config_apply_operations"]) {
    assert.deepEqual(samples(`reloader_${name}_total`), [" 4"]);
    assert.deepEqual(samples(`reloader_${name}_failed_total`), [" 1"]);
  }
});

Deno.test("the process, its build and its configuration have metrics from the start", async () => {
  const { metrics, clock, samples } = open();
  assert.deepEqual(samples("k8s_sidecar_build_info"), [
    `{version="1.2.3",revision="abc",deno_version="${Deno.version.deno}"} 1`,
  ]);
  assert.ok(Number(samples("process_cpu_seconds_total ")[0]) > 0);
  assert.ok(Number(samples("process_resident_memory_bytes ")[0]) > 1e6);
  assert.ok(Math.abs(Number(samples("process_start_time_seconds ")[0]) - Date.now() / 1000) < 3600);
  const config = () => samples("k8s_sidecar_config_last_reload_success");
  assert.deepEqual(config(), ["ful 1", "_timestamp_seconds 1764000000"]);
  await clock.advance(1);
  metrics.configReloaded(false);
  assert.deepEqual(config(), ["ful 0", "_timestamp_seconds 1764000000"]);
  metrics.configReloaded(true);
  assert.deepEqual(config(), ["ful 1", "_timestamp_seconds 1764000001"]);
});

Deno.test("requests, restarts and relists begin at 0 for what is known before", () => {
  const { metrics, samples } = open();
  metrics.apiRequest("watch", 0);
  metrics.restarted({ request: "watch", reason: "ended" });
  metrics.restarted({ request: "list", reason: "resync" });
  assert.ok(samples("k8s_sidecar_api_requests_total").includes('{verb="watch",code="0"} 1'));
  assert.ok(samples("k8s_sidecar_api_requests_total").includes('{verb="list",code="200"} 0'));
  assert.deepEqual(samples("k8s_sidecar_watch_restarts_total").slice(0, 2), [
    '{reason="ended"} 1',
    '{reason="expired"} 0',
  ]);
  assert.deepEqual(samples("k8s_sidecar_relists_total").slice(0, 2), [
    '{reason="resync"} 1',
    '{reason="streaming_list"} 0',
  ]);
});

Deno.test("render() that takes long is not repeated for each request", () => {
  let now = 0;
  let counts = 0;
  const metrics = new SidecarMetrics({
    build: { version: "1.2.3", revision: "abc" },
    clock: { now: () => now },
    wallClock: () => 0,
  });
  const count = (took: number) => () => {
    counts++;
    now += took;
    return CENSUS;
  };
  metrics.forCollection("slow").begin({ ...MEASURED, census: count(100) }, []);
  const text = metrics.render("text");
  now += 999;
  assert.equal(metrics.render("text"), text);
  assert.equal(counts, 1);
  now += 1;
  metrics.render("text");
  assert.equal(counts, 2);
});
