/**
 * The environment that each Helm chart gives its sidecars, and nothing else. Only what a test machine cannot have is another:
 * the folders, and the ports of application and probes. `extra` is what the values files in `examples/` add.
 */
import type { Settings } from "../support/story.ts";

interface GrafanaOptions {
  folder: string;
  /** Grafana's own port, 3000 in the chart. */
  port: number;
  password: string;
  extra?: Settings;
}

type Provisioned = "alerting" | "dashboards" | "datasources";

const LABELS = { alerting: "grafana_alert", dashboards: "grafana_dashboard", datasources: "grafana_datasource" };

/** The test's own variables, which no chart sets. */
const UNSET: Settings = { ERROR_THROTTLE_SLEEP: undefined };

/** Chart grafana 12.11.1, `sidecar.<what>.enabled`. */
export function grafana(what: Provisioned, { folder, port, password, extra = {} }: GrafanaOptions): Settings {
  return {
    ...UNSET,
    ...extra,
    METHOD: "WATCH",
    LABEL: LABELS[what],
    FOLDER: folder,
    RESOURCE: "both",
    REQ_USERNAME: "admin",
    REQ_PASSWORD: password,
    REQ_URL: `http://localhost:${port}/api/admin/provisioning/${what}/reload`,
    REQ_METHOD: "POST",
  };
}

/** The same chart, `initAlerts: true`. */
export function grafanaInitAlerts(folder: string, healthPort: number, extra: Settings = {}): Settings {
  return {
    ...UNSET,
    ...extra,
    METHOD: "LIST",
    LABEL: LABELS.alerting,
    FOLDER: folder,
    RESOURCE: "both",
    HEALTH_PORT: String(healthPort),
  };
}

/** The same chart, `initDashboards: true` with `restartPolicy: Always`: a native sidecar. */
export function grafanaInitDashboards(options: GrafanaOptions, healthPort: number): Settings {
  return { ...grafana("dashboards", options), REQ_SKIP_INIT: "true", HEALTH_PORT: String(healthPort) };
}

/** Chart kube-prometheus-stack 88.5.3: two containers of one pod. */
export function kubePrometheusStack(what: "dashboards" | "datasources", options: GrafanaOptions): Settings {
  return { ...grafana(what, options), LABEL_VALUE: "1", ...(what === "dashboards" ? { NAMESPACE: "ALL" } : {}) };
}

interface JenkinsOptions {
  folder: string;
  namespace: string;
  healthPort: number;
  /** POD_NAME, which the chart takes from the pod. */
  pod: string;
  extra?: Settings;
}

/** Chart jenkins 5.9.53, container `config-reload-init`. */
export function jenkinsInit({ folder, namespace, healthPort, pod, extra = {} }: JenkinsOptions): Settings {
  return {
    ...UNSET,
    POD_NAME: pod,
    LABEL: "jenkins-jenkins-config",
    FOLDER: folder,
    NAMESPACE: namespace,
    METHOD: "LIST",
    HEALTH_PORT: String(healthPort),
    ...extra,
  };
}

/** The same chart, container `config-reload`; with `sleepTime` it lists instead of watching. */
export function jenkinsReload(options: JenkinsOptions, port: number, sleepTime?: number): Settings {
  return {
    ...jenkinsInit(options),
    METHOD: undefined,
    ...(sleepTime === undefined ? {} : { METHOD: "SLEEP", SLEEP_TIME: String(sleepTime) }),
    REQ_URL: `http://localhost:${port}/reload-configuration-as-code/?casc-reload-token=${options.pod}`,
    REQ_METHOD: "POST",
    REQ_RETRY_CONNECT: "10",
  };
}

/** What the same chart writes for `logging.configuration.override: true`, with everything switched on. */
export function jenkinsLogConfig(logFile: string, formatter: "JSON" | "LOGFMT"): string {
  return `version: 1
disable_existing_loggers: false
root:
  level: INFO
  handlers:
    - console
    - file
handlers:
  console:
    class: logging.StreamHandler
    level: INFO
    formatter: ${formatter}
  file:
    class : logging.handlers.RotatingFileHandler
    formatter: ${formatter}
    filename: ${logFile}
    maxBytes: 1024000
    backupCount: 3
formatters:
  JSON:
    "()": logger.JsonFormatter
    format: "%(levelname)s %(message)s"
    rename_fields:
      message: msg
      levelname: level
  LOGFMT:
    "()": logger.LogfmtFormatter
    keys:
      - time
      - level
      - msg
    mapping:
      time: asctime
      level: levelname
      msg: message
`;
}

/** What the image's tags that end in `-kiwigrid` set. */
export const KIWIGRID_TAG: Settings = { DEFAULTS: "kiwigrid" };

/** Chart loki 18.11.0, container `loki-sc-rules`; NAMESPACE is `sidecar.rules.searchNamespace`, which is unset by default. */
export function lokiRules(folder: string, healthPort: number, namespace?: string): Settings {
  return {
    ...UNSET,
    METHOD: "WATCH",
    LABEL: "loki_rule",
    FOLDER: folder,
    RESOURCE: "both",
    NAMESPACE: namespace,
    WATCH_SERVER_TIMEOUT: "60",
    WATCH_CLIENT_TIMEOUT: "60",
    LOG_LEVEL: "INFO",
    HEALTH_PORT: String(healthPort),
  };
}

/** Chart perses 0.23.2, `sidecar.enabled`; RESOURCE only with `enableSecretAccess`. */
export function perses(folder: string, healthPort: number): Settings {
  return {
    ...UNSET,
    LABEL: "perses.dev/resource",
    LABEL_VALUE: "true",
    FOLDER: folder,
    NAMESPACE: "ALL",
    HEALTH_PORT: String(healthPort),
  };
}
