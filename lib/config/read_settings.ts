/** Reads the settings of the table from an environment. */
import type { Setting } from "./setting.ts";
import { type SettingName, SETTINGS, type SettingValues } from "./settings.ts";

/** A setting with an invalid value. */
export interface Fault {
  setting: string;
  message: string;
}

/** Where the value of a setting comes from. `isValid: false`: the text is a fault, and the default is used. */
export type Origin =
  | { from: "default" | "kiwigrid" }
  | { from: "environment"; variable: string; text: string; isValid: boolean };

/** `METHOD="x": expected WATCH, LIST or SLEEP`; the value of a secret is not shown. */
export function faultOf(setting: string, value: string, accepted: string, secret = false): Fault {
  const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return {
    setting,
    message: secret ? `${setting} (value not shown): ${accepted}` : `${setting}=${JSON.stringify(shown)}: ${accepted}`,
  };
}

/**
 * Reads every setting. An empty string and a service link count as unset. An invalid value is a fault and the default
 * is used. With `DEFAULTS=kiwigrid`, a value that kiwigrid's image accepts is only a warning.
 */
export function readSettings(
  env: Record<string, string | undefined>,
): { values: SettingValues; origins: Map<SettingName, Origin>; faults: Fault[]; warnings: string[] } {
  const origins = new Map<SettingName, Origin>();
  const faults: Fault[] = [];
  const warnings: string[] = [];
  const kiwigrid = SETTINGS.DEFAULTS.type.parse(env.DEFAULTS || "kopf") === "kiwigrid";
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const byDefault = (kiwigrid ? row.kiwigrid : undefined) ?? row.default;
    values[name] = byDefault ? row.type.parse(byDefault) : undefined;
    origins.set(name, { from: kiwigrid && row.kiwigrid !== undefined ? "kiwigrid" : "default" });
    const given = givenValue(env, name, row, warnings);
    if (given === undefined) continue;
    const { spelling, text } = given;
    const about = (what: string) => faultOf(spelling, row.redact?.(text) ?? text, what, row.secret);
    const value = row.type.parse(text);
    const origin = { from: "environment", variable: spelling, text } as const;
    if (value !== undefined) {
      origins.set(name, { ...origin, isValid: true });
      values[name] = value;
      const remark = row.type.remark?.(text);
      if (remark !== undefined) warnings.push(about(remark).message);
      continue;
    }
    const expected = `expected ${row.type.accepts}`;
    const read = kiwigrid ? row.kiwigridReads?.(text) : undefined;
    if (read === undefined) {
      origins.set(name, { ...origin, isValid: false });
      faults.push(about(expected));
      continue;
    }
    const readValue = row.type.parse(read);
    if (readValue !== undefined) {
      origins.set(name, { ...origin, isValid: true });
      values[name] = readValue;
    }
    const shownDefault = byDefault ?? row.shownDefault?.replaceAll("`", "") ?? "none";
    const used = readValue === undefined ? `the default, ${shownDefault},` : read;
    warnings.push(about(`${expected}. With DEFAULTS=kiwigrid this is no fault: ${used} is used`).message);
  }
  return { values: values as SettingValues, origins, faults, warnings };
}

/**
 * A variable that the kubelet sets for a Service in the namespace: a Service named `health` sets HEALTH_PORT to its
 * address.
 * See https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const SERVICE_LINK = /^(tcp|udp|sctp):\/\/\S+:\d+$/i;

export function isServiceLink(value: string): boolean {
  return SERVICE_LINK.test(value);
}

/** The value of a setting by its name, else by its alias. */
function givenValue(
  env: Record<string, string | undefined>,
  name: string,
  row: Setting<unknown>,
  warnings: string[],
): { spelling: string; text: string } | undefined {
  for (const spelling of row.alias === undefined ? [name] : [name, row.alias]) {
    const text = env[spelling];
    if (!text) continue;
    if (row.type.isUrl || !isServiceLink(text)) return { spelling, text };
    const reason = "Kubernetes set this to the address of a Service, so it counts as unset " +
      "(enableServiceLinks: false in the pod's spec turns these variables off)";
    warnings.push(faultOf(spelling, text, reason, row.secret).message);
  }
  return undefined;
}
