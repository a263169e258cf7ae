/** `{ env: NAME }` and `{ file: /path }`: values that are not in CONFIG_FILE itself. */
import { describeValue, type Located, plainValue } from "./located.ts";
import type { Schema } from "./forms.ts";

const VARIABLE = "^[^=\\u0000]+$";
const FILE = "^/[^\\u0000]*$";

export const REFERENCE_SCHEMA: Schema = {
  anyOf: [
    {
      type: "object",
      additionalProperties: false,
      required: ["env"],
      properties: { env: { type: "string", pattern: VARIABLE, description: "Name of an environment variable" } },
    },
    {
      type: "object",
      additionalProperties: false,
      required: ["file"],
      properties: { file: { type: "string", pattern: FILE, description: "Path of a file that is read at each use" } },
    },
  ],
};

export interface ReferenceContext {
  /** The value of an environment variable. */
  variable(name: string): string | undefined;
  isFile(path: string): boolean;
  fail(at: Located, key: string, reason: string): void;
  warn(at: Located, key: string, reason: string): void;
}

/** `undefined`: a fault was reported. A literal is never shown, because it may be a password. */
export function readReference(
  value: Located,
  key: string,
  { variable, isFile, fail, warn }: ReferenceContext,
): { text: string } | { file: string } | undefined {
  if (value.type !== "map") {
    fail(value, key, "(value not shown): expected { env: NAME } or { file: /path }, never the secret itself");
    return undefined;
  }
  const [[name, entry] = ["", undefined], ...others] = value.entries;
  if (entry === undefined || others.length > 0 || (name !== "env" && name !== "file")) {
    fail(value, key, "expected either { env: NAME } or { file: /path }");
    return undefined;
  }
  const at = entry.value;
  const text = plainValue(at);
  if (name === "env") {
    if (typeof text !== "string" || !new RegExp(VARIABLE).test(text)) {
      fail(at, `${key}.env`, `${describeValue(at)}: expected the name of an environment variable`);
      return undefined;
    }
    const found = variable(text);
    if (found) return { text: found };
    fail(at, `${key}.env`, `the environment variable ${text} is not set`);
    return undefined;
  }
  if (typeof text !== "string" || !new RegExp(FILE).test(text)) {
    fail(at, `${key}.file`, `${describeValue(at)}: expected an absolute path`);
    return undefined;
  }
  if (!isFile(text)) warn(at, `${key}.file`, `${JSON.stringify(text)} does not exist yet: it is read at each use`);
  return { file: text };
}
