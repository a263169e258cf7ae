/** What `/status` may answer: of an ordinary sidecar, one without problems, a large one, and one with hostile names. */
import type { FileStatus, Status } from "../../lib/serve/status.ts";

const NOW = Date.parse("2026-11-25T14:06:31Z");

/** The time so many seconds ago. */
export const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const HOUR = 3600;
const DAY = 24 * HOUR;

export function quietStatus(): Status {
  return {
    version: 1,
    instance: "3f9a11c2d0e4",
    build: { version: "0.1.0", revision: "25a39f7c01ab", deno: "2.9.6" },
    hostname: "grafana-7c9f5d8b64-x2x9k",
    now: ago(0),
    startedAt: ago(3 * DAY + 4 * HOUR),
    method: "WATCH",
    origin: "https://10.96.0.1:443",
    problems: [],
    collections: [],
    sources: [],
    files: [],
    notifications: [],
  };
}

export function ordinaryStatus(): Status {
  const reload = (folder: string) => `POST http://localhost:3000/api/admin/provisioning/${folder}/reload`;
  return {
    ...quietStatus(),
    configFile: { path: "/etc/k8s-sidecar/config.yaml", loadedAt: ago(2 * HOUR) },
    problems: [
      {
        severity: "error",
        collection: "dashboards",
        what: `the webhook has been refused: ${reload("dashboards")} answered 401 Unauthorized`,
        cure: "Check notify.webhook.basicAuth.username and notify.webhook.basicAuth.password, or " +
          "notify.webhook.bearer.file. It is called again when files or credentials change. Next try at 2026-11-25T14:10:31Z",
        since: ago(240),
      },
      {
        severity: "error",
        collection: "dashboards",
        what: "not allowed to list secrets in all namespaces",
        cure:
          "Give the service account get, list and watch on secrets there: `k8s-sidecar print-rbac` prints the Roles " +
          "for kubectl apply. Or ask for less with RESOURCE=configmap or NAMESPACE",
        since: ago(3 * DAY),
      },
      {
        severity: "warning",
        collection: "dashboards",
        object: "monitoring/configmap/team-a",
        key: "cpu.json",
        path: "/tmp/dashboards/team-a/cpu.json",
        what: "/tmp/dashboards/team-a/cpu.json belongs to grafana/configmap/cpu, which is older",
        cure: "uniqueFilenames: true keeps both; collisions: newest prefers the newer one",
        since: ago(2 * DAY),
      },
    ],
    collections: [
      {
        name: "dashboards",
        selects: "configmaps and secrets with labels grafana_dashboard=1 in all namespaces",
        folder: "/tmp/dashboards",
        state: "failing",
        since: ago(3 * DAY),
        objects: 214,
        files: 231,
        bytes: 9_134_000,
        changedAt: ago(12),
        notification: {
          kind: "webhook",
          to: reload("dashboards"),
          pending: true,
          pendingSince: ago(240),
          nextAt: ago(-240),
        },
      },
      {
        name: "datasources",
        selects: "secrets with label grafana_datasource in namespaces grafana, monitoring",
        folder: "/etc/grafana/provisioning/datasources",
        state: "ready",
        since: ago(3 * DAY),
        objects: 3,
        files: 3,
        bytes: 2_240,
        changedAt: ago(2 * DAY),
        notification: { kind: "webhook", to: reload("datasources"), pending: false },
      },
    ],
    sources: [
      {
        source: "configmaps in all namespaces",
        labelSelector: "grafana_dashboard=1",
        collections: ["dashboards"],
        state: "watching",
        contactAt: ago(4),
        syncedAt: ago(3 * DAY),
        restarts: 12,
        relists: 1,
      },
      {
        source: "secrets in all namespaces",
        labelSelector: "grafana_dashboard=1",
        collections: ["dashboards"],
        state: "failing",
        contactAt: ago(2),
        restarts: 0,
        relists: 0,
        error: 'secrets is forbidden: User "system:serviceaccount:monitoring:grafana" cannot list resource "secrets"',
      },
      {
        source: "secrets in namespace grafana",
        labelSelector: "grafana_datasource",
        collections: ["datasources"],
        state: "watching",
        contactAt: ago(31),
        syncedAt: ago(3 * DAY),
        restarts: 9,
        relists: 0,
        error: "the watch was cut: connection reset by peer",
      },
      {
        source: "secrets in namespace monitoring",
        labelSelector: "grafana_datasource",
        collections: ["datasources"],
        state: "watching",
        contactAt: ago(17),
        syncedAt: ago(3 * DAY),
        restarts: 9,
        relists: 0,
      },
    ],
    files: [
      file("/etc/grafana/provisioning/datasources/prometheus.yaml", "grafana/secret/prometheus", {
        collection: "datasources",
        size: 263,
        hash: "c01d22e94b6f8a10",
        mode: "600",
      }),
      file("/etc/grafana/provisioning/datasources/loki.yaml", "grafana/secret/loki", {
        collection: "datasources",
        size: 977,
        hash: "0b77ac9135e0fd72",
        mode: "600",
      }),
      file("/tmp/dashboards/team-a/api.json", "monitoring/configmap/team-a", {
        writtenAt: ago(12),
        hash: "9f2c81aa07d3b5e4",
      }),
      file("/tmp/dashboards/team-a/cpu.json", "grafana/configmap/cpu", {
        size: 18_000,
        hash: "77b3d01c9a2248be",
        losers: ["monitoring/configmap/team-a"],
      }),
      file(
        "/tmp/dashboards/kubernetes-mixin/kubernetes-compute-resources-namespace-workloads.json",
        "monitoring/configmap/kube-prometheus-stack-k8s-resources-namespace-workloads",
        { size: 1_240_000, hash: "e41f0a77d6c15903" },
      ),
    ],
    notifications: [
      notification(240, "dashboards", "failed", "refused (401)"),
      notification(250, "dashboards", "failed", "refused (401)"),
      notification(2 * DAY, "datasources", "delivered", "200"),
      { ...notification(3 * DAY, "dashboards", "delivered", "200"), files: 228, seconds: 1.34 },
      { ...notification(3 * DAY, "datasources", "delivered", "0"), kind: "script", to: "/scripts/reload.sh" },
    ],
  };

  function notification(seconds: number, collection: string, result: "delivered" | "failed", detail: string) {
    const to = reload(collection);
    return { at: ago(seconds), collection, kind: "webhook" as const, to, result, detail, seconds: 0.0123, files: 3 };
  }
}

export function file(path: string, object: string, rest: Partial<FileStatus> = {}): FileStatus {
  const common = {
    collection: "dashboards",
    size: 41_200,
    hash: "9f2c81aa07d3b5e4",
    mode: "644",
    writtenAt: ago(2 * DAY),
  };
  return { path, object, ...common, ...rest };
}

export function largeStatus(files: number): Status {
  const status = ordinaryStatus();
  const rows = Array.from({ length: files }, (_, i) => {
    const number = String(i).padStart(4, "0");
    return file(`/tmp/dashboards/team-${i % 7}/dashboard-${number}.json`, `team-${i % 7}/configmap/boards-${number}`);
  });
  return { ...status, files: rows };
}

/** Names that try to become markup, to change the direction of the text, or to break the layout. */
export const HOSTILE = {
  script: "<script>alert(1)</script>",
  quotes: `" onmouseover="alert(1)' autofocus`,
  direction: "gnp.\u202e\u2066exe",
  nul: "a\u0000b",
  lines: "one\ntwo\r\n\u2028three",
  entity: "&lt;b&gt; &amp; </td></table></style><!--",
  surrogate: "half \ud800",
  rightToLeft: "שלום/עולם.json",
  emoji: "🦕".repeat(40),
  long: `${"x".repeat(10_000)}.json`,
} as const;

/** Every text that comes from outside is hostile. */
export function hostileStatus(): Status {
  const names = Object.values(HOSTILE);
  const [since, at] = [ago(60), ago(60)];
  return {
    ...quietStatus(),
    hostname: HOSTILE.script,
    origin: HOSTILE.quotes,
    notReady: HOSTILE.entity,
    notLive: HOSTILE.long,
    configFile: { path: HOSTILE.direction, loadedAt: HOSTILE.script, fault: HOSTILE.lines },
    problems: names.map((name) => ({
      ...{ severity: "error", collection: name, object: name, key: name, path: name, what: name, cure: name, since },
    })),
    collections: names.map((name) => ({
      ...{ name, selects: name, folder: name, state: "ready", since, objects: 1, files: 1, bytes: 1 },
      notification: { kind: name, to: name, pending: true },
    })),
    sources: names.map((name) => ({
      ...{
        source: name,
        labelSelector: name,
        collections: [name],
        state: "failing",
        restarts: 0,
        relists: 0,
        error: name,
      },
    })),
    files: names.map((name) =>
      file(`/tmp/${name}`, name, { collection: name, hash: name, mode: name, writtenAt: name, losers: [name] })
    ),
    notifications: names.map((name) => ({
      ...{ at, collection: name, kind: "webhook", to: name, result: "failed", detail: name, seconds: 1, files: 1 },
    })),
  };
}
