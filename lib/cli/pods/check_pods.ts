/** `check --pod`: the sidecars in a stream of manifests. */
import type { Config } from "../../config/config.ts";
import { checkConfigFile } from "./check_config_file.ts";
import { checkFolder, checkVolumes } from "./check_mounts.ts";
import { checkPort, checkProbes, declaredPorts } from "./check_probes.ts";
import { checkSettings, pathOf } from "./check_settings.ts";
import { type Finding, Findings } from "./findings.ts";
import { readStream, type StreamObject } from "./manifest_stream.ts";
import { type Pod, podOf } from "./pod.ts";
import { type SidecarContainer, sidecarContainer } from "./sidecar_container.ts";

export interface CheckedPods {
  /** How many containers are sidecars. */
  containers: number;
  /** In the order of the text. */
  findings: Finding[];
  /** What could not be checked. */
  unchecked: string[];
}

export async function checkPods(text: string): Promise<CheckedPods> {
  const { objects, faults } = await readStream(text);
  const findings = new Findings();
  for (const { line, reason } of faults) findings.found.push({ isFault: true, line, where: "", text: reason });
  const configMaps = objects.filter(({ kind }) => kind === "ConfigMap");
  let containers = 0;
  for (const pod of objects.map(podOf)) {
    if (pod !== undefined) containers += checkPod(pod, configMaps, findings);
  }
  const inOrder = findings.found.sort((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0));
  return { containers, findings: inOrder, unchecked: findings.unchecked };
}

function checkPod(pod: Pod, configMaps: readonly StreamObject[], findings: Findings): number {
  const sidecars = pod.containers.map(sidecarContainer).filter((sidecar) => sidecar !== undefined);
  const taken = declaredPorts(pod.containers.filter((one) => !sidecars.some(({ container }) => container === one)));
  for (const sidecar of sidecars) {
    const { container, isRemoval } = sidecar;
    const config = checkSettings(sidecar, findings);
    const collections = checkConfigFile(sidecar, config, configMaps, findings);
    if (isRemoval) continue;
    checkVolumes(container, findings);
    checkFolders(sidecar, findings);
    for (const { name, files } of collections) {
      const setting = `collection ${name}: folder "${files.folder}"`;
      checkFolder(files.folder, setting, pathOf("CONFIG_FILE", sidecar), container, findings);
    }
    if (isTold(sidecar, "HEALTH_PORT", "HEALTHCHECK_PORT", "LIVENESS")) {
      checkProbes(container, config, findings);
      checkPort(container, config, taken, findings);
    }
    checkMethod(sidecar, config, findings);
  }
  return sidecars.length;
}

function checkFolders(sidecar: SidecarContainer, findings: Findings): void {
  const folder = sidecar.variables.known.get("FOLDER");
  if (!folder) return;
  const setting = `FOLDER=${JSON.stringify(folder)}`;
  checkFolder(folder, setting, pathOf("FOLDER", sidecar), sidecar.container, findings);
}

/** WATCH and SLEEP never end, and LIST does. */
function checkMethod(sidecar: SidecarContainer, { method }: Config, findings: Findings): void {
  const { container } = sidecar;
  if (!isTold(sidecar, "METHOD")) return;
  const at = pathOf("METHOD", sidecar);
  if (container.isInit && method !== "LIST") {
    const remedy = "set METHOD=LIST, or restartPolicy: Always for a native sidecar";
    findings.fault(
      container,
      at,
      `an init container with METHOD=${method} never ends, so the pod never starts: ${remedy}`,
    );
  }
  const policy = container.pod.spec.restartPolicy ?? "Always";
  if (!container.isInit && method === "LIST" && policy === "Always") {
    findings.warn(container, at, "METHOD=LIST ends, and Kubernetes starts the container again and again");
  }
}

/** Whether the manifest tells a setting, which has several variables. */
function isTold({ variables: { known, unknown, hasMore } }: SidecarContainer, ...names: string[]): boolean {
  return !names.some((name) => unknown.has(name)) && (!hasMore || names.some((name) => known.has(name)));
}
