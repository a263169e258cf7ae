/** How `/status` names things, and what it never shows. */
import type { Collection } from "../../config/collection_settings.ts";
import { ENVIRONMENT_COLLECTION } from "../../config/collection_settings.ts";
import { type SettingName, SETTINGS } from "../../config/settings.ts";
import type { Setting } from "../../config/setting.ts";
import { qualifiedName, refOf } from "../../objects/ref.ts";
import type { Clock } from "../../runtime/clock.ts";

/** `namespace/configmap/name`, as RESOURCE_NAME has it. */
export function objectOf(key: string): string {
  return qualifiedName(refOf(key));
}

export function isSecret(key: string): boolean {
  return refOf(key).kind === "Secret";
}

/** A message without the queries and credentials of the URLs in it. */
export function withoutQueries(text: string): string {
  return text.replace(/(https?:\/\/)[^\s/?#"]*@/gi, "$1")
    .replace(/(https?:\/\/[^\s?#"]*)[?#][^\s"]*?(?=[:;,]?(?:[\s"]|$))/gi, "$1");
}

/** The name of a setting of a collection: that of the variable, or the key in CONFIG_FILE. */
export function settingOf({ name }: Pick<Collection, "name">, setting: SettingName): string {
  const { key }: Setting<unknown> = SETTINGS[setting];
  return name === ENVIRONMENT_COLLECTION || key === undefined ? setting : key;
}

/** The same with a value: `UNIQUE_FILENAMES=true` or `uniqueFilenames: true`. */
export function assignmentOf(collection: Pick<Collection, "name">, setting: SettingName, value: string): string {
  const name = settingOf(collection, setting);
  return name === setting ? `${name}=${value}` : `${name}: ${value}`;
}

/** `first and 3 more`. */
export function andMore(first: string, more: number): string {
  return more > 0 ? `${first} and ${more} more` : first;
}

/** Turns times of the clock into RFC 3339, right even if the wall clock has been set since. */
export class Calendar {
  readonly #offset: number;

  /** @param wallClock in ms since 1970 */
  constructor(clock: Pick<Clock, "now">, wallClock: () => number) {
    this.#offset = wallClock() - clock.now();
  }

  at(time: number): string;
  at(time: number | undefined): string | undefined;
  at(time: number | undefined): string | undefined {
    return time === undefined ? undefined : rfc3339(time + this.#offset);
  }
}

/** @param ms since 1970 */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
