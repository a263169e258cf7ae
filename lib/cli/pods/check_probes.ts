/** Whether probes ask the port that the sidecar serves, and whether it can have that port. */
import type { Config } from "../../config/config.ts";
import type { Findings } from "./findings.ts";
import { entriesOf, isMap, mapOf } from "./manifest_stream.ts";
import type { Container } from "./pod.ts";

const PROBES = ["startupProbe", "readinessProbe", "livenessProbe"];
const ENDPOINTS = ["/healthz", "/livez", "/readyz"];

export function checkProbes(container: Container, { health }: Config, findings: Findings): void {
  const { spec, path } = container;
  for (const probe of PROBES) {
    const { httpGet } = mapOf(spec[probe]);
    if (!isMap(httpGet) || !ENDPOINTS.includes(String(httpGet.path))) continue;
    const port = portOf(httpGet.port, container);
    const at = [...path, probe, "httpGet", "port"];
    if (!health.enabled) findings.warn(container, at, `${probe} gets no answer with LIVENESS=false`);
    else if (port === undefined) {
      findings.fault(
        container,
        at,
        `${probe} asks the port ${JSON.stringify(httpGet.port)}, which ports does not name`,
      );
    } else if (port !== health.port) {
      findings.warn(container, at, `${probe} asks port ${port}, but HEALTH_PORT is ${health.port}`);
    }
  }
}

/** The ports that containers of a pod say they listen on, with their names. */
export function declaredPorts(containers: readonly Container[]): Map<number, string> {
  const ports = new Map<number, string>();
  for (const { name, spec, isInit } of containers) {
    if (isInit) continue;
    for (const [, { containerPort, protocol = "TCP" }] of entriesOf(spec.ports)) {
      if (typeof containerPort === "number" && protocol === "TCP") ports.set(containerPort, name);
    }
  }
  return ports;
}

/**
 * Containers of a pod share its ports: only the first that asks for one gets it.
 *
 * @param taken ports of other containers of the pod; the one of this container is added
 */
export function checkPort(container: Container, config: Config, taken: Map<number, string>, findings: Findings): void {
  const { health: { enabled, port }, method } = config;
  if (!enabled || container.isInit || method === "LIST") return;
  const holder = taken.get(port);
  if (holder !== undefined) {
    const reason = `the container ${holder} has the same port, and only one of them gets it. Set another HEALTH_PORT`;
    findings.warn(container, container.path, `HEALTH_PORT=${port}: ${reason}`);
  }
  taken.set(port, container.name);
}

function portOf(port: unknown, { spec }: Container): number | undefined {
  if (typeof port === "number") return port;
  if (/^\d+$/.test(String(port))) return Number(port);
  const named = entriesOf(spec.ports).find(([, { name }]) => name === port)?.[1];
  return typeof named?.containerPort === "number" ? named.containerPort : undefined;
}
