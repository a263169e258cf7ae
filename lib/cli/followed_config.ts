/** CONFIG_FILE while the sidecar runs: each version is read and checked like that of the start. */
import type { Config } from "../config/config.ts";
import { ENVIRONMENT_COLLECTION } from "../config/collection_settings.ts";
import { parseConfigFile } from "../config/config_file.ts";
import { resolvePath } from "../files/paths.ts";
import type { FollowedFile } from "../sidecar/collections/reload.ts";
import { withPlaces } from "./fault_places.ts";
import { checkCollections } from "./start_checks.ts";

export interface FollowedConfigOptions {
  path: string;
  /** The text that the process started with. */
  text: string;
  config: Config;
  env: Record<string, string | undefined>;
  onHangup(listener: () => void): void;
}

export function followedConfig({ path, text, config, env, onHangup }: FollowedConfigOptions): FollowedFile {
  const environment = config.collections.find(({ name }) => name === ENVIRONMENT_COLLECTION);
  return {
    path: resolvePath(Deno.cwd(), path),
    text,
    onHangup,
    async parse(next) {
      const { collections, faults, warnings } = parseConfigFile(next, { path, env, environment });
      const checked = faults.length > 0
        ? { faults: [], warnings: [], later: [] }
        : checkCollections(collections, config);
      return {
        collections: environment === undefined ? collections : [environment, ...collections],
        faults: [...faults, ...await withPlaces([...checked.faults, ...checked.later], { path, text: next, env })].map((
          { message },
        ) => message),
        warnings: [...warnings, ...checked.warnings],
      };
    },
  };
}
