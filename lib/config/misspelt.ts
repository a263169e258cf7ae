/** Finds variables whose name is one slip away from a setting's. */
import { isServiceLink } from "./read_settings.ts";
import type { Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

/** Variables that the kubelet makes for each Service: `WEB_SERVICE_HOST`, `WEB_PORT_80_TCP_ADDR`. */
const OF_A_SERVICE = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/;

/** Other variables that are read. */
const KNOWN = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];

/** A warning for each variable that is set, is no setting, and has almost the name of one. Values are not shown. */
export function misspeltSettings(env: Record<string, string | undefined>): string[] {
  const byLength = new Map<number, string[]>();
  const known = new Set(KNOWN);
  for (const [name, { alias }] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    for (const spelling of alias === undefined ? [name] : [name, alias]) {
      known.add(spelling);
      byLength.set(spelling.length, [...byLength.get(spelling.length) ?? [], spelling]);
    }
  }
  const warnings: string[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (!value || known.has(variable) || OF_A_SERVICE.test(variable) || isServiceLink(value)) continue;
    const { length } = variable;
    const meant = [length, length - 1, length + 1].flatMap((length) => byLength.get(length) ?? [])
      .find((name) => isOneSlipAway(variable, name));
    if (meant !== undefined) {
      warnings.push(`${variable} is not a setting and has no effect: did you mean ${meant}?`);
    }
  }
  return warnings.sort();
}

/** Whether the Damerau-Levenshtein distance is 1: one character added, left out, changed, or swapped with the next. */
export function isOneSlipAway(a: string, b: string): boolean {
  if (a.length > b.length) return isOneSlipAway(b, a);
  if (b.length - a.length > 1) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (a.length < b.length) return a.slice(at) === b.slice(at + 1);
  if (at === a.length) return false;
  if (a.slice(at + 1) === b.slice(at + 1)) return true;
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
