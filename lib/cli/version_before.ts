/** The running sidecar, where it goes on with the version of CONFIG_FILE before the present one, which has faults. */
import { parseConfig } from "../config/config.ts";
import type { Flags } from "../config/collection_settings.ts";
import type { Fault } from "../config/read_settings.ts";
import type { Status } from "../serve/status.ts";
import { statusOf } from "./status.ts";

/** `undefined`: other settings have faults, or no sidecar with this environment answers. */
export async function versionBefore(
  faults: readonly Fault[],
  env: Record<string, string | undefined>,
  flags: Flags,
): Promise<Status | undefined> {
  if (!faults.every(({ setting }) => setting.startsWith("CONFIG_FILE"))) return undefined;
  try {
    return await statusOf({ config: parseConfig(env, flags).config, faults: [] });
  } catch {
    return undefined;
  }
}
