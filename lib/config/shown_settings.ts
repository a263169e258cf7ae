/** Every setting with its value and where it comes from, without secrets. Loaded only to print them. */
import type { Flags } from "./collection_settings.ts";
import type { Origin } from "./read_settings.ts";
import { readSettings } from "./read_settings.ts";
import type { Setting } from "./setting.ts";
import { type SettingName, SETTINGS } from "./settings.ts";

export const HIDDEN = "***";

export type ShownOrigin =
  | { from: "default" | "kiwigrid" }
  | { from: "environment"; variable: string }
  | { from: "flag"; flag: string }
  | { from: "CONFIG_FILE"; line: number; column: number; inherited: boolean };

export interface ShownSetting {
  /** A variable, or a key of CONFIG_FILE. */
  name: string;
  /** JSON; `null` if there is none. */
  value: unknown;
  /** For people. */
  text: string;
  origin: ShownOrigin;
  /** The value has a fault and is not used. */
  isInvalid?: true;
}

const VOLUME_OF_FOLDER: ShownSetting = {
  name: "ALLOWED_FOLDERS",
  value: null,
  text: "the volume of FOLDER",
  origin: { from: "kiwigrid" },
};

/** Settings of the environment. */
export interface ShownSection {
  section: string;
  settings: ShownSetting[];
}

/**
 * Never throws.
 *
 * @param options.hasCollection whether the environment makes a collection; without it, its settings are left out
 */
export function shownSettings(
  env: Record<string, string | undefined>,
  flags: Flags,
  { hasCollection }: { hasCollection: boolean },
): ShownSection[] {
  const { values, origins } = readSettings(env);
  const sections = new Map<string, ShownSetting[]>();
  for (const [name, row] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    if (row.key !== undefined && !hasCollection) continue;
    const settings = sections.get(row.section) ?? [];
    // Not a value, so it is not in the table
    const isVolume = name === "ALLOWED_FOLDERS" && values.DEFAULTS === "kiwigrid" && values[name] === undefined;
    settings.push(
      flagOf(name, flags) ??
        (isVolume ? VOLUME_OF_FOLDER : shown(name, row, values[name], origins.get(name)!)),
    );
    sections.set(row.section, settings);
  }
  return [...sections].map(([section, settings]) => ({ section, settings }));
}

function flagOf(name: SettingName, { reqUsernameFile, reqPasswordFile }: Flags): ShownSetting | undefined {
  const value = { REQ_USERNAME_FILE: reqUsernameFile, REQ_PASSWORD_FILE: reqPasswordFile }[name as string];
  const flag = `--${name.toLowerCase().replaceAll("_", "-")}`;
  return value === undefined ? undefined : { name, value, text: value, origin: { from: "flag", flag } };
}

function shown(name: SettingName, row: Setting<unknown>, value: unknown, origin: Origin): ShownSetting {
  if (origin.from === "environment") {
    const { from, variable, text, isValid } = origin;
    const given = row.secret ? HIDDEN : row.redact?.(text);
    const json = isValid ? given ?? jsonOf(row, value) : given ?? text;
    return {
      ...{ name, value: json, text: given ?? (isValid ? textOf(json) : text), origin: { from, variable } },
      ...(isValid ? {} : { isInvalid: true }),
    };
  }
  if (origin.from === "kiwigrid" && value === undefined) return { name, value: "OWN", text: "the pod's own", origin };
  if (value !== undefined) return { name, value: jsonOf(row, value), text: textOf(jsonOf(row, value)), origin };
  const text = row.shownDefault?.replaceAll("`", "") ?? "none";
  return { name, value: null, text: text === "required" ? "none" : text, origin };
}

function jsonOf(row: Setting<unknown>, value: unknown): unknown {
  return row.type.form === "mode" ? (value as number).toString(8).padStart(4, "0") : value;
}

export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
