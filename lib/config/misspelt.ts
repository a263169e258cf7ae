/** Finds environment variables whose name differs from that of a setting by one typing error. */
import { isServiceLink } from "./read_settings.ts";
import type { Setting } from "./setting.ts";
import { type SettingName, SETTINGS } from "./settings.ts";

/** Variables that the kubelet sets for each Service: `WEB_SERVICE_HOST`, `WEB_PORT_80_TCP_ADDR`. */
const OF_A_SERVICE = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/;

/** Variables that are read but are not settings. */
const KNOWN = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];

/** A warning for each variable whose name is almost that of a setting. Values are not shown. */
export function misspeltSettings(env: Record<string, string | undefined>): string[] {
  const names: string[] = [];
  for (const name in SETTINGS) {
    const { alias }: Setting<unknown> = SETTINGS[name as SettingName];
    names.push(name);
    if (alias !== undefined) names.push(alias);
  }
  const known = new Set([...names, ...KNOWN]);
  const warnings: string[] = [];
  for (const variable in env) {
    const value = env[variable];
    if (!value || known.has(variable) || OF_A_SERVICE.test(variable) || isServiceLink(value)) continue;
    const meant = names.find((name) => isOneSlipAway(variable, name));
    if (meant !== undefined) warnings.push(`${variable} is not a setting and has no effect: did you mean ${meant}?`);
  }
  return warnings.sort();
}

/** Whether the Damerau-Levenshtein distance is 1: one character added, omitted, changed, or swapped with the next. */
export function isOneSlipAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  if (a.length > b.length) return isOneSlipAway(b, a);
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (a.length < b.length) return a.slice(at) === b.slice(at + 1);
  if (at === a.length) return false;
  if (a.slice(at + 1) === b.slice(at + 1)) return true;
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
