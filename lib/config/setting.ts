/** One row of the table in `settings.ts`. */
import type { SettingType } from "./setting_types.ts";

export interface Setting<T> {
  section: string;
  meaning: string;
  type: SettingType<Exclude<T, undefined>>;
  /** As text in the environment. */
  default?: string;
  /** The default under `DEFAULTS=kiwigrid`, where it differs. */
  kiwigrid?: string;
  /**
   * How kiwigrid's image reads a value that the type refuses; see `kiwigrid_values.ts`. Under `DEFAULTS=kiwigrid` such
   * a value is a warning instead of a fault.
   */
  kiwigridReads?: (value: string) => string | undefined;
  /** Shown by `--help` and the documents if the default is not a plain value. */
  shownDefault?: string;
  /**
   * The key of a collection in CONFIG_FILE: `notify.webhook.url`. `….file` is the `{ file }` of a key. Settings that
   * concern the whole process have none.
   */
  key?: string;
  /** The form of the key's value, where it is not that of the type. */
  form?: string;
  /** Another name, used if the first is not set. */
  alias?: string;
  /** The value is never printed. */
  secret?: true;
  /** The part of a value that may be printed. */
  redact?: (value: string) => string;
}

type Details = Omit<Setting<unknown>, "section" | "meaning" | "type">;

/** Makes the rows of one section. */
export function inSection(section: string) {
  return {
    /** A setting that always has a value. */
    withDefault<const T>(type: SettingType<T>, byDefault: string, meaning: string, details: Details = {}): Setting<T> {
      return { section, meaning, type: type as SettingType<Exclude<T, undefined>>, default: byDefault, ...details };
    },
    /** A setting that may be absent. */
    optional<const T>(type: SettingType<T>, meaning: string, details: Details = {}): Setting<T | undefined> {
      return { section, meaning, type: type as SettingType<Exclude<T, undefined>>, ...details };
    },
  };
}
