/**
 * The label selector grammar of the Kubernetes API: `app=web,tier in (a,b),!draft`.
 *
 * Follows `labels.Parse` and `Requirement.Matches` of k8s.io/apimachinery (`pkg/labels/selector.go`), so that a
 * selector is refused here for the same reasons as by the API server.
 */

/** A text is not a label selector. The message names the selector, the invalid part and its position. */
export class SelectorError extends Error {
  override name = "SelectorError";
}

/** The operators, spelled as apimachinery's `selection.Operator` spells them. */
export type Operator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

/** One condition of a selector. `values` is empty for `exists` and `!`; `gt` and `lt` have one decimal integer. */
export interface Requirement {
  key: string;
  operator: Operator;
  values: string[];
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether `text` may be a label key: an optional DNS subdomain (253) and `/`, then a name (63). */
export function isLabelKey(text: string): boolean {
  const parts = text.split("/");
  if (parts.length > 2) return false;
  const name = parts.pop() ?? "";
  const prefix = parts.pop();
  if (prefix !== undefined && (prefix.length > 253 || !DNS_SUBDOMAIN.test(prefix))) return false;
  return name.length <= 63 && NAME.test(name);
}

/** Whether `text` may be a label value: empty, or a name of at most 63 characters. */
export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= 63 && NAME.test(text));
}

/**
 * Parses a label selector. An empty one has no requirements and selects everything.
 *
 * @throws {SelectorError} when the text does not follow the grammar, or a key or value is not a valid one.
 */
export function parseSelector(text: string): Requirement[] {
  return new Parser(text).parse();
}

/** Whether an object with these labels is selected: it must meet every requirement. */
export function matchesSelector(
  requirements: readonly Requirement[],
  labels: Record<string, string> | undefined,
): boolean {
  return requirements.every((requirement) => matches(requirement, labels));
}

function matches({ key, operator, values }: Requirement, labels: Record<string, string> | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "gt":
    case "lt": {
      const [left, right] = [toInteger(value), toInteger(values[0])];
      if (left === undefined || right === undefined) return false;
      return operator === "gt" ? left > right : left < right;
    }
    default:
      return value !== undefined && values.includes(value);
  }
}

function toInteger(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < 2n ** 63n ? value : undefined;
}

interface Token {
  /** A symbol's own characters, `word` for anything else, `end` at the end of the text. */
  type: string;
  text: string;
  /** Counted from 1, as editors do. */
  position: number;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const { 0: bit, index } of text.matchAll(/==|!=|[=!,()<>]|[^=!,()<> \t\r\n]+/g)) {
    tokens.push({ type: /^[=!,()<>]/.test(bit) ? bit : "word", text: bit, position: index + 1 });
  }
  tokens.push({ type: "end", text: "", position: text.length + 1 });
  return tokens;
}

class Parser {
  readonly #text: string;
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#peek().type === "end") return requirements;
    for (;;) {
      requirements.push(this.#requirement());
      const next = this.#next();
      if (next.type === "end") return requirements;
      if (next.type !== ",") this.#fail(next, "expected ',' or the end");
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek().type === "!";
    if (negated) this.#next();
    const token = this.#next();
    if (token.type !== "word") this.#fail(token, "expected a label key");
    const key = token.text;
    if (!isLabelKey(key)) this.#fail(token, "is not a valid label key");
    if (negated) return { key, operator: "!", values: [] };

    const next = this.#peek();
    if (next.type === "end" || next.type === ",") return { key, operator: "exists", values: [] };
    this.#next();
    switch (next.type === "word" ? next.text : next.type) {
      case "=":
      case "==":
      case "!=":
        return { key, operator: next.type as Operator, values: [this.#value()] };
      case ">":
      case "<":
        return { key, operator: next.type === ">" ? "gt" : "lt", values: [this.#integer()] };
      case "in":
      case "notin":
        return { key, operator: next.text as Operator, values: this.#values() };
      default:
        return this.#fail(next, "expected one of =, ==, !=, in, notin, >, <");
    }
  }

  /** A value may be omitted: `key=` means the empty value. */
  #value(): string {
    const token = this.#peek();
    if (token.type === "end" || token.type === ",") return "";
    return this.#word();
  }

  #word(): string {
    const token = this.#next();
    if (token.type !== "word") this.#fail(token, "expected a label value");
    if (!isLabelValue(token.text)) this.#fail(token, "is not a valid label value");
    return token.text;
  }

  #integer(): string {
    const token = this.#peek();
    const value = this.#value();
    if (toInteger(value) === undefined) this.#fail(token, "expected an integer");
    return value;
  }

  /** `(a,b)`; an omitted value, as in `(a,)` and `()`, is the empty value. */
  #values(): string[] {
    const open = this.#next();
    if (open.type !== "(") this.#fail(open, "expected '('");
    const values = new Set<string>();
    for (;;) {
      const token = this.#peek();
      values.add(token.type === "," || token.type === ")" ? "" : this.#word());
      const next = this.#next();
      if (next.type === ")") return [...values];
      if (next.type !== ",") this.#fail(next, "expected ',' or ')'");
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at]!;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.type !== "end") this.#at++;
    return token;
  }

  #fail({ type, text, position }: Token, reason: string): never {
    const bit = type === "end" ? "the end" : `"${text}"`;
    throw new SelectorError(`label selector "${this.#text}": ${bit} at position ${position}: ${reason}`);
  }
}
