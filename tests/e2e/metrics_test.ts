/** What `/metrics` says follows what happens, on a real API server. */
import assert from "node:assert/strict";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { promtool, PROMTOOL_MISSING } from "../support/promtool.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { stories } from "../support/story.ts";

const story = stories();

/** Waits until metrics, whose prefix is left out, have these values. */
async function show(sidecar: SidecarProcess, wanted: Record<string, number>): Promise<void> {
  await eventually(async () => {
    const found: Record<string, number | undefined> = {};
    for (const name of Object.keys(wanted)) {
      found[name] = await sidecar.metric(name.startsWith("reloader_") ? name : `k8s_sidecar_${name}`);
    }
    assert.deepEqual(found, wanted);
  }, { timeout: 20_000 });
}

story("objects that come, change, go and are refused are counted", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1", "b.txt": "12" } });
  await at.create("Secret", "s", { data: { "s.txt": "123" } });
  const sidecar = await at.startReady();
  await show(sidecar, {
    'objects{collection="default",kind="ConfigMap"}': 1,
    'objects{collection="default",kind="Secret"}': 1,
    "files": 3,
    "file_bytes": 6,
    "file_writes_total": 3,
    "file_removals_total": 0,
    "propagation_seconds_count": 0,
    "synced": 2,
    "notification_pending": 0,
  });

  await at.change("ConfigMap", "a", { data: { "a.txt": "12345", "b.txt": null } });
  await show(sidecar, {
    "files": 2,
    "file_bytes": 8,
    "file_writes_total": 4,
    "file_removals_total": 1,
    "propagation_seconds_count": 1,
    'propagation_seconds_bucket{le="30.0"}': 1,
  });

  await at.create("ConfigMap", "outside", {
    data: { "c.txt": "1" },
    annotations: { "k8s-sidecar-target-directory": "/etc" },
  });
  await at.create("ConfigMap", "rival", { data: { "a.txt": "2" } });
  await show(sidecar, { 'refused_objects{reason="folder"}': 1, "refused_objects": 1, "collisions": 1, "files": 2 });

  for (const name of ["outside", "rival", "a"]) await at.delete("ConfigMap", name);
  await show(sidecar, {
    'objects{kind="ConfigMap"}': 0,
    "files": 1,
    "file_removals_total": 2,
    "refused_objects": 0,
    "collisions": 0,
  });
  assertFolderEquals(at.folder, { "s.txt": "123" });

  const now = Date.now() / 1000;
  for (const source of ["configmaps", "secrets"]) {
    for (const name of ["last_contact", "last_sync"]) {
      const time = await sidecar.metric(`k8s_sidecar_${name}_timestamp_seconds{source="${source}"}`) ?? 0;
      assert.ok(time > now - 120 && time <= now + 1, `${name} of ${source}: ${time}`);
    }
  }
  const watches = await sidecar.metric('k8s_sidecar_api_requests_total{verb="watch",code="200"}') ?? 0;
  const lists = await sidecar.metric('k8s_sidecar_api_requests_total{verb="list",code="200"}') ?? 0;
  assert.ok(watches >= 2 && watches + lists >= 2, `${watches} watches, ${lists} lists`);
  assert.equal(await sidecar.metric('k8s_sidecar_relists_total{reason="expired"}'), 0);
});

story("a webhook that fails is pending until it works, and Thanos' names say so", async (at) => {
  let status = 200;
  await using app = serve(() => new Response(null, { status }));
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await at.startReady({
    REQ_URL: `http://127.0.0.1:${app.port}/reload`,
    REQ_SKIP_INIT: "true",
    NOTIFY_QUIET_PERIOD: "0.1",
  });
  await show(sidecar, {
    "notification_pending": 0,
    "notification_pending_since_timestamp_seconds": 0,
    'notifications_total{kind="webhook",result="failure"}': 0,
    "reloader_last_reload_successful": 1,
    "reloader_reloads_total": 0,
  });

  status = 403;
  const before = Date.now() / 1000;
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  await show(sidecar, {
    "notification_pending": 1,
    'notifications_total{kind="webhook",result="failure"}': 1,
    'notification_duration_seconds_count{kind="webhook"}': 1,
    "reloader_last_reload_successful": 0,
    "reloader_last_reload_success_timestamp_seconds": 0,
    "reloader_reloads_failed_total": 1,
  });
  const since = await sidecar.metric("k8s_sidecar_notification_pending_since_timestamp_seconds") ?? 0;
  assert.ok(since >= before - 1 && since <= Date.now() / 1000 + 1, `pending since ${since}`);

  status = 200;
  await at.change("ConfigMap", "a", { data: { "a.txt": "3" } });
  await show(sidecar, {
    "notification_pending": 0,
    "notification_pending_since_timestamp_seconds": 0,
    'notifications_total{kind="webhook",result="success"}': 1,
    "reloader_last_reload_successful": 1,
    "reloader_reloads_total": 2,
    "reloader_config_apply_operations_total": 2,
  });
});

story("promtool has nothing to say about what a sidecar serves", async (at) => {
  await at.create("ConfigMap", "secret-name", { data: { "a.txt": "1" } });
  const sidecar = await at.startReady({ RESOURCE_NAME: "secret-name", REQ_URL: "http://127.0.0.1:1/" });
  const { text } = await sidecar.health("/metrics");
  assert.ok(!text.includes("secret-name"));
  assert.deepEqual(await promtool(["check", "metrics"], `${text}\n`), { success: true, said: "" });
}, { ignore: PROMTOOL_MISSING });
