/** Reads the settings of the table from an environment. */
import type { Setting } from "./setting.ts";
import { type SettingName, SETTINGS, type SettingValues } from "./settings.ts";

/** A setting whose value is not accepted. */
export interface Fault {
  setting: string;
  message: string;
}

/** `METHOD="x": expected WATCH, LIST or SLEEP`; the value of a secret is left out. */
export function faultOf(setting: string, value: string, accepted: string, secret = false): Fault {
  const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return {
    setting,
    message: secret ? `${setting} (value not shown): ${accepted}` : `${setting}=${JSON.stringify(shown)}: ${accepted}`,
  };
}

/** Reads every setting. An empty string means unset. A value that is not accepted becomes a fault; its default is used. */
export function readSettings(env: Record<string, string | undefined>): { values: SettingValues; faults: Fault[] } {
  const faults: Fault[] = [];
  const kiwigrid = SETTINGS.DEFAULTS.type.parse(env.DEFAULTS || "kopf") === "kiwigrid";
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const byDefault = (kiwigrid ? row.kiwigrid : undefined) ?? row.default;
    values[name] = byDefault ? row.type.parse(byDefault) : undefined;
    const spelling = [name, row.alias].find((spelling) => spelling !== undefined && env[spelling]);
    const text = spelling === undefined ? undefined : env[spelling];
    if (spelling === undefined || !text) continue;
    const value = row.type.parse(text);
    const shown = row.redact?.(text) ?? text;
    if (value === undefined) faults.push(faultOf(spelling, shown, `expected ${row.type.accepts}`, row.secret));
    else values[name] = value;
  }
  return { values: values as SettingValues, faults };
}
