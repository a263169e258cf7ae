/** Suggests what an unknown key of CONFIG_FILE was meant to be. */
import { isOneSlipAway } from "../misspelt.ts";
import type { Setting } from "../setting.ts";
import { type SettingName, SETTINGS } from "../settings.ts";
import { type Group, leavesOf } from "./keys.ts";

/** @param known the keys at this place */
export function unknownKey(name: string, known: readonly string[], root: Group): string {
  const near = known.find((key) => plain(key) === plain(name)) ??
    leavesOf(root).find(({ path }) => path.endsWith(`.${name}`))?.path ??
    known.find((key) => isOneSlipAway(name, key) || isOneSlipAway(plain(name), plain(key)));
  if (near !== undefined) return `unknown key: did you mean ${near}?`;
  const setting = (Object.keys(SETTINGS) as SettingName[]).find((setting) => plain(setting) === plain(name));
  const row: Setting<unknown> | undefined = setting && SETTINGS[setting];
  if (row?.key !== undefined) return `unknown key: ${setting} is ${row.key} in this file`;
  if (row !== undefined) return `concerns the whole process and stays in the environment: ${setting}`;
  return `unknown key: known are ${known.join(", ")}`;
}

/** `file_mode`, `FileMode` and `fileMode` are the same. */
function plain(name: string): string {
  return name.replace(/[-_]/g, "").toLowerCase();
}
