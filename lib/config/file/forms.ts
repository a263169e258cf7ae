/**
 * How CONFIG_FILE writes the values of a setting. A form gives the type of a setting the text that the environment would
 * have, so that both accept the same, and describes the value in the schema for editors.
 */
import type { Setting } from "../setting.ts";
import { plainValue } from "./located.ts";
import type { Located } from "./located.ts";

type Row = Setting<unknown>;
export type Schema = Record<string, unknown>;

export interface Form {
  /** Completes "expected …". */
  expected(row: Row): string;
  /** The value for the setting; `undefined` if it is not accepted. */
  read(value: Located, row: Row): unknown;
  /** JSON schema, draft 7. */
  schema(row: Row): Schema;
}

const DURATION = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$";
const UNIT_SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
/** As many digits as a number holds exactly. */
const SIZE = "^[1-9]([0-9]{0,14}|[0-9]{0,11}Ki|[0-9]{0,8}Mi|[0-9]{0,5}Gi)$";
const MAX_SIZE = 999_999_999_999_999;
const LABEL_NAME = "([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)";
const DNS_SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const PATH = "^/[^\\u0000]*$";
const NAMESPACES = ["ALL", "OWN"];

export const FORMS: Record<string, Form> = {
  text: string("^[^\\u0000]+$", ({ type }) => type.accepts === "any text" ? "a text" : type.accepts),
  boolean: {
    expected: () => "true or false",
    read: (value) => scalarOf(value, "boolean"),
    schema: () => ({ type: "boolean" }),
  },
  negated: {
    expected: () => "true or false",
    read(value) {
      const read = scalarOf(value, "boolean");
      return read === undefined ? undefined : !read;
    },
    schema: () => ({ type: "boolean" }),
  },
  duration: {
    expected: ({ type }) => `a duration from ${type.min} s to ${type.max} s with its unit, such as 500ms, 10s or 1m30s`,
    read(value, { type }) {
      const text = scalarOf(value, "string");
      return text !== undefined && matches(text, DURATION) ? type.parse(String(secondsOf(text))) : undefined;
    },
    schema: () => ({ type: "string", pattern: DURATION }),
  },
  size: {
    expected: () => "a number of bytes from 1, such as 65536, 64Ki, 64Mi or 1Gi",
    read(value, { type }) {
      const number = scalarOf(value, "number");
      const text = number !== undefined && Number.isInteger(number) ? String(number) : scalarOf(value, "string");
      return text !== undefined && matches(text, SIZE) ? type.parse(text) : undefined;
    },
    schema: () => ({
      anyOf: [{ type: "string", pattern: SIZE }, { type: "integer", minimum: 1, maximum: MAX_SIZE }],
    }),
  },
  sizeLimit: {
    expected: () => "a number of bytes, such as 65536, 64Ki, 64Mi or 1Gi, or 0 for no limit",
    read(value, row) {
      return scalarOf(value, "number") === 0 || scalarOf(value, "string") === "0"
        ? row.type.parse("0")
        : FORMS.size!.read(value, row);
    },
    schema: () => ({
      anyOf: [{ type: "string", pattern: `^0$|${SIZE}` }, { type: "integer", minimum: 0, maximum: MAX_SIZE }],
    }),
  },
  count: {
    expected: ({ type }) => type.accepts,
    read(value, row) {
      const number = FORMS.number!.read(value, row);
      return Number.isInteger(number) ? number : undefined;
    },
    schema: ({ type }) => ({ type: "integer", minimum: type.min, maximum: type.max }),
  },
  number: {
    expected: ({ type }) => type.accepts,
    read(value, { type }) {
      const number = scalarOf(value, "number");
      return number !== undefined && number >= type.min! && number <= type.max! ? number : undefined;
    },
    schema: ({ type }) => ({ type: "number", minimum: type.min, maximum: type.max }),
  },
  word: {
    expected: ({ type }) => type.accepts,
    read: (value, { type }) => type.words!.find((word) => word === scalarOf(value, "string")),
    schema: ({ type }) => ({ enum: type.words }),
  },
  mode: string("^(0o)?[0-7]{3,4}$", () => 'three or four octal digits, such as "0644"'),
  // A password is never in the file
  url: string("^https?://(?![^/?#]*@)", ({ type }) => `${type.accepts} without user name and password`),
  path: {
    ...string(PATH, () => "an absolute path"),
    read: (value) => textOf(value, PATH),
  },
  pathOrNone: string(`^none$|${PATH}`, ({ type }) => type.accepts),
  name: string("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", ({ type }) => type.accepts),
  labelKey: string(
    `^(?=([^/]{1,253}/)?[^/]+$)(${DNS_SUBDOMAIN}/)?${LABEL_NAME}$`,
    () => "a label key, such as app or example.com/app (a whole label selector goes into selector)",
  ),
  labelValue: string(`^${LABEL_NAME}$`, () => "a label value: at most 63 letters, digits, -, _ and ."),
  namespaces: {
    expected: () => "ALL, OWN or a list of namespaces",
    read(value, row) {
      const word = scalarOf(value, "string");
      // The setting has no value for OWN: it is the absence of all others
      if (word !== undefined) return NAMESPACES.includes(word) ? word : undefined;
      return FORMS.list!.read(value, row);
    },
    schema: (row) => ({ anyOf: [{ enum: NAMESPACES }, FORMS.list!.schema(row)] }),
  },
  list: {
    expected: ({ type }) => `a list: ${type.accepts.replace(", separated by commas", "").replace("ALL, or ", "")}`,
    read(value, { type }) {
      if (value.type !== "list" || value.items.length === 0) return undefined;
      const items = value.items.map((item) => itemOf(item, type));
      return items.includes(undefined) ? undefined : [...new Set(items)];
    },
    schema: ({ type }) => ({
      type: "array",
      minItems: 1,
      items: { type: "string", pattern: type.itemPattern ?? "^[^,\\s]+$" },
    }),
  },
  json: {
    expected: () => "any value",
    read(value) {
      const text = scalarOf(value, "string");
      return text ?? JSON.stringify(plainValue(value));
    },
    schema: () => ({}),
  },
};

/** The item of a list; `undefined` if the environment would read it as several items, or not accept it. */
export function itemOf(item: Located, type: Row["type"]): string | undefined {
  const text = scalarOf(item, "string");
  const parsed = text ? type.parse(text) : undefined;
  return Array.isArray(parsed) && parsed.length === 1 && parsed[0] === text ? text : undefined;
}

/** A form of text that a pattern limits before the type does. */
function string(pattern: string, expected: Form["expected"]): Form {
  return {
    expected,
    read(value, { type }) {
      const text = textOf(value, pattern);
      return text === undefined ? undefined : type.parse(text);
    },
    schema: () => ({ type: "string", pattern }),
  };
}

function textOf(value: Located, pattern: string): string | undefined {
  const text = scalarOf(value, "string");
  return text !== undefined && matches(text, pattern) ? text : undefined;
}

function matches(text: string, pattern: string): boolean {
  return new RegExp(pattern, "u").test(text);
}

function secondsOf(duration: string): number {
  let seconds = 0;
  for (const [, amount, , unit = ""] of duration.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) {
    seconds += Number(amount) * UNIT_SECONDS[unit]!;
  }
  // 1.1 s is not 1.1000000000000003 s
  return Math.round(seconds * 1e6) / 1e6;
}

interface Scalars {
  string: string;
  number: number;
  boolean: boolean;
}

function scalarOf<T extends keyof Scalars>(value: Located, type: T): Scalars[T] | undefined {
  return value.type === "scalar" && typeof value.value === type ? value.value as Scalars[T] : undefined;
}
