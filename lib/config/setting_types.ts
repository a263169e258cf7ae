import { parseSelector, SelectorError } from "../objects/selector_grammar.ts";

/** Types of settings: each parses a text and describes the accepted values in words. */
export interface SettingType<T> {
  /** Completes "expected …". */
  accepts: string;
  /** `undefined` when the text, which is never empty, is not accepted. Never throws. */
  parse(text: string): T | undefined;
  /** A warning about an accepted text, if any. */
  remark?(text: string): string | undefined;
  /** The value is a URL, so it may look like a service link. */
  isUrl?: true;
  /** How CONFIG_FILE writes the value: a form of `file/forms.ts`. Text if unset. */
  form?: string;
  /** The accepted values, for the forms that have such. */
  min?: number;
  max?: number;
  words?: readonly T[];
  /** What an item of a list looks like, as far as a pattern can say. */
  itemPattern?: string;
}

/** Timers overflow above 2^31 ms, slightly less than 25 days. */
const MAX_SECONDS = 2_000_000;

export const text: SettingType<string> = { accepts: "any text", parse: (text) => text };

/** A name or an address to listen on. An IPv6 address may have the brackets that it has in a URL. */
export const host: SettingType<string> = {
  accepts: text.accepts,
  parse: (text) => text.trim().replace(/^\[(.*)\]$/, "$1"),
};

export const boolean: SettingType<boolean> = {
  form: "boolean",
  accepts: "true or false",
  parse(text) {
    switch (text.trim().toLowerCase()) {
      case "true":
        return true;
      case "false":
        return false;
      default:
        return undefined;
    }
  },
};

/** A number of seconds, fractions allowed. */
export function seconds({ min = 0 } = {}): SettingType<number> {
  return {
    form: "duration",
    ...{ min, max: MAX_SECONDS },
    accepts: `a number of seconds from ${min} to ${MAX_SECONDS}`,
    parse: (text) => numberIn(text, /^\d+(\.\d+)?$/, min, MAX_SECONDS),
  };
}

export const wholeSeconds: SettingType<number> = {
  accepts: `a whole number of seconds from 1 to ${MAX_SECONDS}`,
  parse: (text) => numberIn(text, /^\d+$/, 1, MAX_SECONDS),
};

export const count: SettingType<number> = {
  form: "count",
  ...{ min: 0, max: 1_000_000 },
  accepts: "a whole number from 0 to 1000000",
  parse: (text) => numberIn(text, /^\d+$/, 0, 1_000_000),
};

/** How many of something there may be, one at least. */
export const countFromOne: SettingType<number> = {
  form: "count",
  ...{ min: 1, max: 1_000_000 },
  accepts: "a whole number from 1 to 1000000",
  parse: (text) => numberIn(text, /^\d+$/, 1, 1_000_000),
};

/** A factor, fractions allowed. */
export const factor: SettingType<number> = {
  form: "number",
  ...{ min: 0, max: 1000 },
  accepts: "a number from 0 to 1000",
  parse: (text) => numberIn(text, /^\d+(\.\d+)?$/, 0, 1000),
};

export const port: SettingType<number> = {
  accepts: "a port from 1 to 65535",
  parse: (text) => numberIn(text, /^\d+$/, 1, 65535),
};

/** A size in bytes, optionally with one of Kubernetes' binary suffixes. */
export const bytes: SettingType<number> = {
  form: "size",
  accepts: "a number of bytes, optionally followed by Ki, Mi or Gi",
  parse(text) {
    const match = /^(\d+)(Ki|Mi|Gi)?$/.exec(text.trim());
    if (match === null) return undefined;
    const unit = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }[match[2] ?? ""] ?? 1;
    const size = Number(match[1]) * unit;
    return size >= 1 && Number.isSafeInteger(size) ? size : undefined;
  },
};

/** As {@link bytes}; `Infinity` for `0`. */
export const byteLimit: SettingType<number> = {
  form: "sizeLimit",
  accepts: `${bytes.accepts}, or 0 for no limit`,
  parse: (text) => text.trim() === "0" ? Infinity : bytes.parse(text),
};

/** File mode bits: `644`, `0644` and `0o644` are rw-r--r--. */
export const fileMode: SettingType<number> = {
  form: "mode",
  accepts: "three or four octal digits, such as 644, 0600 or 0o600",
  parse(text) {
    const digits = /^(?:0o)?([0-7]{3,4})$/i.exec(text.trim())?.[1];
    return digits === undefined ? undefined : parseInt(digits, 8);
  },
};

/** One of several words, in any case; `aliases` are accepted but not documented. */
export function oneOf<const T extends string>(words: readonly T[], aliases: Record<string, T> = {}): SettingType<T> {
  const last = words.length - 1;
  return {
    form: "word",
    words,
    accepts: `${words.slice(0, last).join(", ")} or ${words[last]}`,
    parse(text) {
      const wanted = text.trim().toLowerCase();
      const alias = Object.entries(aliases).find(([word]) => word.toLowerCase() === wanted)?.[1];
      return words.find((word) => word.toLowerCase() === wanted) ?? alias;
    },
  };
}

/** The items of a list separated by commas. */
export function itemsOf(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

/** Items separated by commas; blanks around items and empty items are ignored. */
export function listOf(
  what: string,
  item: RegExp | ((item: string) => boolean),
): SettingType<readonly string[]> {
  const isItem = typeof item === "function" ? item : (text: string) => item.test(text);
  return {
    form: "list",
    ...(typeof item === "function" || item.flags !== "" ? {} : { itemPattern: item.source }),
    accepts: `${what}, separated by commas`,
    parse(text) {
      const items = itemsOf(text);
      return items.length > 0 && items.every(isItem) ? [...new Set(items)] : undefined;
    },
  };
}

export const httpUrl: SettingType<string> = {
  form: "url",
  accepts: "an http:// or https:// URL",
  isUrl: true,
  parse(text) {
    const url = URL.parse(text.trim());
    return url?.protocol === "http:" || url?.protocol === "https:" ? text.trim() : undefined;
  },
};

export const absolutePath: SettingType<string> = {
  form: "path",
  accepts: "an absolute path",
  parse: (text) => text.startsWith("/") && !text.includes("\0") ? text : undefined,
};

function numberIn(text: string, form: RegExp, min: number, max: number): number | undefined {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return form.test(trimmed) && value >= min && value <= max ? value : undefined;
}

/** A label selector in the API's syntax, with at least one requirement. */
export const labelSelector: SettingType<string> = {
  accepts: "a label selector, such as team=a or env in (prod,test)",
  parse(text) {
    try {
      return parseSelector(text).length > 0 ? text.trim() : undefined;
    } catch (error) {
      if (error instanceof SelectorError) return undefined;
      throw error;
    }
  },
};

/** Headers by name. */
export const jsonHeaders: SettingType<Record<string, string>> = {
  form: "headers",
  accepts: 'a JSON object of header names and values, such as {"X-Scope-OrgID":"1"}',
  parse(text) {
    try {
      const headers: unknown = JSON.parse(text);
      if (typeof headers !== "object" || headers === null || Array.isArray(headers)) return undefined;
      if (!Object.values(headers).every((value) => typeof value === "string")) return undefined;
      // Throws for an invalid name or value
      new Headers(headers as Record<string, string>);
      return headers as Record<string, string>;
    } catch {
      return undefined;
    }
  },
};
