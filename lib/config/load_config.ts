/** Reads the environment and the file that CONFIG_FILE names. */
import { applicationsPortWarnings } from "./applications_port.ts";
import type { Flags } from "./collection_settings.ts";
import { type Config, parseConfig } from "./config.ts";
import type { Fault } from "./read_settings.ts";
import { deepFreeze } from "../runtime/deep_freeze.ts";
import { given } from "../runtime/given.ts";

export interface LoadedConfig {
  config: Config;
  faults: Fault[];
  /** The text of the file. */
  text?: string;
}

/** Never throws: `faults` lists those of the environment and those of the file. */
export async function loadConfig(
  env: Record<string, string | undefined>,
  flags: Flags,
): Promise<LoadedConfig> {
  const { config, faults } = parseConfig(env, flags);
  const { configFile: path, collections, warnings } = config;
  if (path === undefined) return { config, faults };
  const { readConfigFile } = await import("./config_file.ts");
  const file = await readConfigFile({ path, env, environment: collections[0] });
  const all = { ...config, collections: [...collections, ...file.collections] };
  return {
    config: deepFreeze({
      ...all,
      warnings: [...new Set([...warnings, ...file.warnings, ...applicationsPortWarnings(all)])],
    }),
    faults: [...faults, ...file.faults],
    ...given("text", file.text),
  };
}
