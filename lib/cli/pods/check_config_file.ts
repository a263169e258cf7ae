/** The content of CONFIG_FILE, if the ConfigMap that it is mounted from is in the stream. */
import type { Collection } from "../../config/collection_settings.ts";
import type { Config } from "../../config/config.ts";
import { parseConfigFile } from "../../config/config_file.ts";
import { mountedText } from "./check_mounts.ts";
import { pathOf } from "./check_settings.ts";
import { type Findings, whereOf } from "./findings.ts";
import type { StreamObject } from "./manifest_stream.ts";
import type { SidecarContainer } from "./sidecar_container.ts";

/** The fault of `{ env: NAME }`. */
const UNSET_VARIABLE = /^the environment variable \S+ is not set$/;

/** Returns the collections of the file. */
export function checkConfigFile(
  sidecar: SidecarContainer,
  config: Config,
  configMaps: readonly StreamObject[],
  findings: Findings,
): Collection[] {
  const { container, variables, env } = sidecar;
  const path = variables.known.get("CONFIG_FILE");
  const mounted = path ? mountedText(path, container, configMaps) : undefined;
  if (mounted === undefined || path === undefined) {
    if (path || variables.unknown.has("CONFIG_FILE")) {
      findings.unchecked.push(`${whereOf(container)}: CONFIG_FILE is in no ConfigMap of these manifests`);
    }
    return [];
  }
  const { configMap, key, text } = mounted;
  const at = pathOf("CONFIG_FILE", sidecar);
  if (text === undefined) {
    findings.fault(container, at, `CONFIG_FILE="${path}": the ConfigMap ${configMap.name} has no key for it`);
    return [];
  }
  const file = parseConfigFile(text, {
    path: `ConfigMap ${configMap.name}, ${key}`,
    env,
    environment: config.collections[0],
    isFile: () => true,
  });
  const block = configMap.blockAt(["data", key]);
  const { line } = configMap.placeOf(["data", key]);
  for (const fault of file.faults) {
    // envFrom may set it
    if (variables.hasMore && UNSET_VARIABLE.test(fault.reason)) continue;
    const place = block === undefined
      ? { line }
      : { line: block.line + fault.line - 1, column: block.column + fault.column - 1 };
    const what = [fault.key, fault.reason].filter((part) => part !== "").join(": ");
    const inText = block === undefined ? ` (line ${fault.line}, column ${fault.column} of ${key})` : "";
    findings.found.push({ isFault: true, ...place, where: whereOf(container), text: `CONFIG_FILE: ${what}${inText}` });
  }
  for (const warning of file.warnings) findings.warn(container, at, warning);
  return file.collections;
}
