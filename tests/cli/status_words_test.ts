import assert from "node:assert/strict";
import { coloursOf } from "../../lib/cli/report.ts";
import { describeStatus } from "../../lib/cli/status_words.ts";
import type { Status } from "../../lib/serve/status.ts";

const NOW = Date.parse("2026-11-25T14:06:31Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

const QUIET: Status = {
  version: 1,
  instance: "3f9a11c2d0",
  build: { version: "0.1.0", revision: "25a39f7", deno: "2.9.6" },
  hostname: "grafana-0",
  now: ago(0),
  startedAt: ago(3 * 86_400),
  method: "WATCH",
  origin: "https://10.96.0.1:443",
  problems: [],
  collections: [],
  sources: [],
  files: [],
  notifications: [],
};

const words = (status: Partial<Status>, isTerminal = false) =>
  describeStatus({ ...QUIET, ...status }, coloursOf(isTerminal)).split("\n");

Deno.test("describeStatus() has the problems first, each with its cure", () => {
  const lines = words({
    notReady: "not synced yet: secrets in all namespaces",
    problems: [{
      severity: "error",
      collection: "dashboards",
      object: "grafana/configmap/a",
      key: "a.json",
      what: "the annotation points outside /dashboards",
      cure: "Correct the annotation, or add the folder to ALLOWED_FOLDERS",
      since: ago(240),
    }, { severity: "warning", what: "LABLE is not a setting", cure: "Correct the settings" }],
    collections: [{
      name: "dashboards",
      selects: "configmaps with labels grafana_dashboard=1 in all namespaces",
      folder: "/dashboards",
      state: "ready",
      since: ago(7200),
      objects: 214,
      files: 1231,
      bytes: 9_134_000,
      changedAt: ago(12),
      notification: {
        kind: "webhook",
        to: "POST http://localhost:3000/reload",
        pending: true,
        pendingSince: ago(30),
        nextAt: ago(-60),
      },
    }],
    sources: [{
      source: "configmaps in all namespaces",
      labelSelector: "grafana_dashboard=1",
      collections: ["dashboards"],
      state: "watching",
      contactAt: ago(4),
      restarts: 12,
      relists: 1,
    }],
    notifications: [{
      at: ago(240),
      collection: "dashboards",
      kind: "webhook",
      to: "POST http://localhost:3000/reload",
      result: "failed",
      detail: "answered 401 Unauthorized",
      seconds: 0.012,
      files: 3,
    }],
  });
  assert.deepEqual(lines, [
    "k8s-sidecar 0.1.0 (25a39f7) on grafana-0, up for 3 d",
    "not ready: not synced yet: secrets in all namespaces",
    "live",
    "METHOD=WATCH, objects of https://10.96.0.1:443, instance 3f9a11c2d0",
    "",
    "2 problems",
    "  error: grafana/configmap/a, key a.json: the annotation points outside /dashboards, for 4 min",
    "    Correct the annotation, or add the folder to ALLOWED_FOLDERS",
    "  warning: LABLE is not a setting",
    "    Correct the settings",
    "",
    "1 collection",
    "  dashboards: ready for 2 h",
    "    configmaps with labels grafana_dashboard=1 in all namespaces in /dashboards",
    "    214 objects, 1,231 files, 9.1 MB; last change 12 s ago",
    "    webhook POST http://localhost:3000/reload: pending for 30 s, next try in 60 s",
    "",
    "1 source",
    "  configmaps in all namespaces with labels grafana_dashboard=1: watching, last contact 4 s ago, 12",
    "    restarts, 1 relist",
    "",
    "last notifications",
    "  4 min ago: POST http://localhost:3000/reload failed: answered 401 Unauthorized (12 ms, 3 files)",
    "",
    "0 files; `k8s-sidecar status -o json` lists them with owner, size and hash",
  ]);
  assert.ok(lines.every((line) => line.length <= 100));
});

Deno.test("describeStatus() says that there is no problem", () => {
  assert.ok(words({}).includes("no problems"));
});

Deno.test("describeStatus() has colours on a terminal only", () => {
  const problems: Status["problems"] = [{ severity: "error", what: "bad", cure: "mend it" }];
  assert.ok(words({ problems }, true).includes("  \x1b[31merror\x1b[0m: bad"));
  assert.ok(words({ problems }).includes("  error: bad"));
});

Deno.test("describeStatus() lets no name break out of its line", () => {
  const bad = "a\x1b[31m\nb\u202e";
  const lines = words({
    hostname: bad,
    origin: bad,
    notReady: bad,
    problems: [{ severity: "error", collection: bad, object: bad, key: bad, what: bad, cure: bad }],
    collections: ["a", bad].map((name) => ({
      ...{ name, selects: bad, folder: bad, state: "ready", since: ago(1), objects: 0, files: 0, bytes: 0 },
      notification: { kind: "script", to: bad, pending: false },
    })),
    sources: [{
      source: bad,
      labelSelector: bad,
      collections: [bad],
      state: "failing",
      restarts: 0,
      relists: 0,
      error: bad,
    }],
    notifications: [{
      ...{ at: ago(1), collection: bad, kind: "script", to: bad, result: "failed", detail: bad, seconds: 1, files: 1 },
    }],
  });
  // deno-lint-ignore no-control-regex
  for (const line of lines) assert.doesNotMatch(line, /[\x00-\x1f\u202e]/);
  assert.match(lines[0] ?? "", /a\\u001b\[31m\\u000ab\\u202e/);
});
