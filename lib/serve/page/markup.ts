/** HTML in which every value is escaped. */
import { escaped } from "../../runtime/escaped.ts";

/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

/** `undefined` and `false` are left out. */
export type Value = Html | string | number | undefined | false | readonly Value[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Maximum characters of a text: file systems allow paths of 4 kB, and servers send longer errors. */
const MAX_TEXT = 1000;

/**
 * `` markup`<b>${text}</b>` `` escapes the values that are not {@link Html}. Values of attributes must be quoted. A tag
 * named `html` would have its spaces changed by the formatter.
 */
export function markup(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(strings.reduce((text, part, i) => text + textOf(values[i - 1]) + part));
}

function textOf(value: Value): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escaped(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  return value.map(textOf).join("");
}

/** A text of others without its middle, if it is very long. */
export function shortened(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  const half = MAX_TEXT / 2;
  return `${text.slice(0, half)} … ${text.length - MAX_TEXT} characters … ${text.slice(-half)}`;
}

/** A path or a URL that breaks after its slashes. */
export function path(text: string): Html {
  return new Html(textOf(shortened(text)).replaceAll("/", "/<wbr>"));
}
