/**
 * Every setting, in one table. It parses the environment, and `--help` and the tables in the documents are made from it.
 * Names, defaults and meanings are a contract with users.
 */
import type { Setting } from "./setting.ts";
import { EVENTS_SETTINGS } from "./settings/events.ts";
import { FILES_SETTINGS } from "./settings/files.ts";
import { HEALTH_SETTINGS } from "./settings/health.ts";
import { SELECTION_SETTINGS } from "./settings/selection.ts";
import { TELLING_SETTINGS } from "./settings/telling.ts";
import { WATCHING_SETTINGS } from "./settings/watching.ts";

export const SETTINGS = {
  ...SELECTION_SETTINGS,
  ...FILES_SETTINGS,
  ...WATCHING_SETTINGS,
  ...TELLING_SETTINGS,
  ...EVENTS_SETTINGS,
  ...HEALTH_SETTINGS,
};

export type SettingName = keyof typeof SETTINGS;

/** The value of every setting, typed by its row of the table. */
export type SettingValues = { [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never };
