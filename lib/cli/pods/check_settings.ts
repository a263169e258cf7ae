/** The faults and warnings of a container's settings, as far as their values are known. */
import { type Config, parseConfig } from "../../config/config.ts";
import type { Setting } from "../../config/setting.ts";
import { SETTINGS } from "../../config/settings.ts";
import type { Findings } from "./findings.ts";
import type { Path } from "./manifest_stream.ts";
import { isOfKiwigrid, type SidecarContainer } from "./sidecar_container.ts";

/** Returns the configuration that the container would have. */
export function checkSettings(sidecar: SidecarContainer, findings: Findings): Config {
  const { container, variables, env, flags, isRemoval } = sidecar;
  for (const { path, reason } of variables.faults) findings.fault(container, path, reason);
  for (const { message } of sidecar.faults) findings.fault(container, [...container.path, "args"], message);
  const { config, faults } = parseConfig(env, flags);
  for (const { setting, message } of faults) {
    if (isRemoval && setting === "FOLDER") continue;
    if (isCertain(setting, sidecar)) findings.fault(container, pathOf(setting, sidecar), message);
  }
  for (const warning of config.warnings) {
    const names = warning.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [];
    if (names.some((name) => isUncertain(name, sidecar))) continue;
    const named = names.find((name) => variables.pathOf(name) !== undefined) ?? "";
    findings.warn(container, pathOf(named, sidecar), warning);
  }
  if (isOfKiwigrid(container) && !env.DEFAULTS) {
    const text =
      "the image is kiwigrid's: set DEFAULTS=kiwigrid for the image of this project, or use a tag that ends " +
      "in -kiwigrid, so that it starts with the same defaults";
    findings.warn(container, container.path, text);
  }
  return config;
}

/** Settings whose faults depend on others. */
const DEPENDS_ON: Record<string, readonly string[]> = {
  LABEL: ["LABEL", "LABEL_VALUE", "RESOURCE_NAME"],
  LABEL_VALUE: ["LABEL_VALUE", "DEFAULTS"],
  NAMESPACE_SELECTOR: ["NAMESPACE_SELECTOR", "NAMESPACE", "DEFAULTS"],
};

function isCertain(setting: string, sidecar: SidecarContainer): boolean {
  const { known, hasMore } = sidecar.variables;
  const row: Setting<unknown> | undefined = SETTINGS[setting as keyof typeof SETTINGS];
  const others = DEPENDS_ON[setting] ?? [setting, ...(row?.kiwigridReads === undefined ? [] : ["DEFAULTS"])];
  if (others.some((name) => isUncertain(name, sidecar))) return false;
  // A setting that is missing may be in envFrom
  return !hasMore || !!known.get(setting);
}

/** The value is set and unknown. */
function isUncertain(name: string, { variables: { unknown } }: SidecarContainer): boolean {
  return unknown.has(name);
}

/** Where a setting is set, else the container. */
export function pathOf(setting: string, { container, variables }: SidecarContainer): Path {
  return variables.pathOf(setting) ?? container.path;
}
