/** `k8s-sidecar print-config`: every setting, its value and where it comes from, without secrets. */
import type { Flags } from "../config/collection_settings.ts";
import { parseConfig } from "../config/config.ts";
import type { ShownCollection, ShownOptions } from "../config/file/shown_collections.ts";
import { loadConfig } from "../config/load_config.ts";
import { type ShownSection, shownSettings } from "../config/shown_settings.ts";
import { configTable } from "./config_table.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { coloursOf, describeFaults } from "./report.ts";

/** Prints what it can, also if there are faults. */
export async function runPrintConfig(
  { flags, json }: { flags: Flags; json: boolean },
  env: Record<string, string | undefined>,
): Promise<ExitCode> {
  const { config, faults, text } = await loadConfig(env, flags);
  const { configFile, warnings } = config;
  const hasCollection = parseConfig(env).config.collections.length > 0;
  const sections = shownSettings(env, flags, { hasCollection });
  const collections = configFile === undefined
    ? []
    : await collectionsOf(text, { path: configFile, env, isKiwigrid: config.startsLikeKiwigrid });
  if (json) {
    console.log(jsonOf({ sections, configFile, collections, faults: faults.map(({ message }) => message), warnings }));
  } else {
    console.log(
      configTable({ sections, ...(configFile === undefined ? {} : { configFile }), collections }, coloursOf()),
    );
    for (const warning of warnings) console.error(`warning: ${warning}`);
    if (faults.length > 0) console.error(describeFaults(faults));
  }
  return faults.length === 0 ? EXIT.done : EXIT.configuration;
}

/** @param text of CONFIG_FILE; `undefined` if it cannot be read, which is among the faults */
async function collectionsOf(text: string | undefined, options: ShownOptions): Promise<ShownCollection[]> {
  if (text === undefined) return [];
  const { shownCollections } = await import("../config/file/shown_collections.ts");
  return shownCollections(text, options);
}

function jsonOf({ sections, configFile, collections, faults, warnings }: {
  sections: ShownSection[];
  configFile: string | undefined;
  collections: ShownCollection[];
  faults: string[];
  warnings: readonly string[];
}): string {
  const settings = sections.flatMap(({ settings }) => settings.map(({ text: _, ...setting }) => setting));
  const ofFile = collections.map(({ settings, ...collection }) => ({
    ...collection,
    settings: settings.map(({ text: _, ...setting }) => setting),
  }));
  return JSON.stringify({ settings, configFile: configFile ?? null, collections: ofFile, faults, warnings }, null, 2);
}
