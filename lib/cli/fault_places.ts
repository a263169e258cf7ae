/** The places of faults in CONFIG_FILE that only the checks before the start find. */
import type { LoadedConfig } from "../config/load_config.ts";
import type { Fault } from "../config/read_settings.ts";
import type { StartFault } from "./start_checks.ts";

export interface FaultyFile {
  /** CONFIG_FILE */
  path: string | undefined;
  text: string | undefined;
  env: Record<string, string | undefined>;
}

/** The file of a configuration that was loaded. */
export function fileOf({ config, text }: LoadedConfig, env: FaultyFile["env"]): FaultyFile {
  return { path: config.configFile, text, env };
}

/** The same faults, with the places of those that are in the file. */
export async function withPlaces(faults: readonly StartFault[], { path, text, env }: FaultyFile): Promise<Fault[]> {
  if (path === undefined || text === undefined || faults.every(({ of }) => of === undefined)) {
    return [...faults];
  }
  const { shownCollections } = await import("../config/file/shown_collections.ts");
  const collections = shownCollections(text, { path, env, isKiwigrid: false });
  return faults.map((fault) => {
    if (fault.of === undefined) return fault;
    const { collection, key, value, reason } = fault.of;
    const index = collections.findIndex(({ name }) => name === collection);
    const origin = collections[index]?.settings.find(({ name }) => name === key)?.origin;
    if (origin?.from !== "CONFIG_FILE") return fault;
    const place = `${path}:${origin.line}:${origin.column}`;
    const where = origin.inherited ? "defaults" : `collections[${index}]`;
    return { setting: fault.setting, message: `${place}  ${where}.${key}  ${JSON.stringify(value)}: ${reason}` };
  });
}
