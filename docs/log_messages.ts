/** Finds every log message in the code. Expressions in a message become `…`, those with a known meaning a word in capitals. */

export interface LogMessage {
  level: "debug" | "info" | "warn" | "error" | "critical" | "any";
  text: string;
  /** Path of the file below lib/. */
  file: string;
}

/** What stands for an expression in a message. */
const PLACEHOLDERS: readonly [expression: RegExp, name: string][] = [
  [/^(describeRef\(|(winner|loser)Name$)/, "OBJECT"],
  [/(^|[.#])(path|target)$/, "PATH"],
  [/(^|[.#])folder$/, "FOLDER"],
  [/^this\.#call$/, "METHOD URL"],
  [/^limit$/, "REQ_TIMEOUT"],
];

/** Calls that log: the level, and which argument is the message. */
const CALLS: readonly { call: RegExp; level?: LogMessage["level"]; argument: number }[] = [
  { call: /log\??\.(debug|info|warn|error|critical)\(/gi, argument: 0 },
  { call: /log\[[^\]]+\]\(/g, level: "any", argument: 0 },
  { call: /\.report\(\s*"(warn|error)",/g, argument: 1 },
  // Their messages are logged as they are
  { call: /new ScriptError\(/g, level: "error", argument: 0 },
];

/** A message that is nothing but an expression. */
export const OPAQUE = "…";

/** A message, and all levels and files that log it. */
export interface LoggedMessage {
  text: string;
  /** The most severe first. */
  levels: LogMessage["level"][];
  files: string[];
}

/** Sorted by level, the most severe first, then by text. */
export function findLogMessages(lib: URL): LoggedMessage[] {
  const all = sourceFiles(lib).flatMap((file) => messagesIn(Deno.readTextFileSync(new URL(file, lib)), file));
  return [...Map.groupBy(all, ({ text }) => text)].map(([text, messages]) => ({
    text,
    levels: [...new Set(messages.map(({ level }) => level))].sort((a, b) => LEVELS.indexOf(a) - LEVELS.indexOf(b)),
    files: [...new Set(messages.map(({ file }) => file))],
  })).sort((a, b) => rank(a) - rank(b) || (a.text < b.text ? -1 : 1));
}

const LEVELS: readonly LogMessage["level"][] = ["critical", "error", "warn", "info", "any", "debug"];

function rank({ levels: [level = "debug"] }: LoggedMessage): number {
  return LEVELS.indexOf(level);
}

function sourceFiles(lib: URL, below = ""): string[] {
  return [...Deno.readDirSync(new URL(below, lib))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return sourceFiles(lib, `${below}${name}/`);
    return name.endsWith(".ts") ? [`${below}${name}`] : [];
  }).sort();
}

export function messagesIn(source: string, file: string): LogMessage[] {
  const messages: LogMessage[] = [];
  for (const { call, level, argument } of CALLS) {
    for (const match of source.matchAll(call)) {
      const text = argumentsAt(source, match.index + match[0].length)[argument];
      if (text === undefined) continue;
      const isPassedOn = file.startsWith("log/") || level === "any" || match[0].startsWith(".report");
      for (const template of templatesOf(text, source.slice(0, match.index))) {
        if (template === OPAQUE && isPassedOn) continue;
        messages.push({ level: level ?? match[1] as LogMessage["level"], text: template, file });
      }
    }
  }
  return messages;
}

/** The texts that an expression can have. @param before the code above, where its variables are */
function templatesOf(expression: string, before: string): string[] {
  const text = expression.trim().replace(/,$/, "");
  const [, first = "", second = ""] = conditional(text) ?? [];
  if (first !== "") return [...templatesOf(first, before), ...templatesOf(second, before)];
  const terms = split(text, "+");
  if (terms.length > 1) {
    return terms.map((term) => templatesOf(term, before))
      .reduce((all, next) => all.flatMap((start) => next.map((end) => merged(start + end))));
  }
  if (text.startsWith("(") && endOf(text, 0) === text.length) return templatesOf(text.slice(1, -1), before);
  if (/^["']/.test(text) && endOf(text, 0) === text.length) return [unescaped(text.slice(1, -1))];
  if (text.startsWith("`") && endOf(text, 0) === text.length) return [merged(templateText(text.slice(1, -1), before))];
  return valuesOf(text, before) ?? [OPAQUE];
}

/** The texts that a variable can have. */
function valuesOf(text: string, before: string): string[] | undefined {
  if (!/^\w+$/.test(text)) return undefined;
  const declared = [...before.matchAll(new RegExp(`\\bconst ${text} =`, "g"))].at(-1);
  if (declared === undefined) return undefined;
  const start = declared.index + declared[0].length;
  return templatesOf(split(before.slice(start), ";")[0] ?? "", before.slice(0, declared.index));
}

function templateText(body: string, before: string): string {
  let text = "";
  for (let at = 0; at < body.length;) {
    if (body.startsWith("${", at)) {
      const end = endOf(body, at + 1);
      text += placeholder(body.slice(at + 2, end - 1).trim(), before);
      at = end;
    } else if (body[at] === "\\") {
      text += unescaped(body.slice(at, at + 2));
      at += 2;
    } else text += body[at++];
  }
  return text;
}

function placeholder(expression: string, before: string): string {
  const known = PLACEHOLDERS.find(([pattern]) => pattern.test(expression))?.[1];
  if (known !== undefined) return known;
  const [value = OPAQUE, ...others] = valuesOf(expression, before) ?? [];
  return others.length === 0 && value !== "" ? value : OPAQUE;
}

function merged(text: string): string {
  return text.replace(/…(\s*…)+/g, OPAQUE);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

/** Condition and branches of `a ? b : c`. */
function conditional(text: string): string[] | undefined {
  const [condition = "", ...rest] = split(text, "?");
  if (rest.length === 0) return undefined;
  const [first = "", ...second] = split(text.slice(condition.length + 1), ":");
  return second.length === 0 ? undefined : [condition, first, second.join(":")];
}

/** The arguments of a call, whose first one begins here. */
function argumentsAt(source: string, start: number): string[] {
  return split(source.slice(start, endOf(source, start - 1, ")") - 1), ",");
}

/** Splits at a separator that is in no brackets, strings or templates. `?.` and `??` are no separators. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length;) {
    if (text.startsWith("?.", at) || text.startsWith("??", at)) at += 2;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = ++at;
    } else at = endOf(text, at);
  }
  return [...parts, text.slice(start)];
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Where what begins at an index ends: a string, a template, brackets with all they hold, or a character. */
function endOf(text: string, at: number, closing = CLOSING[text[at] ?? ""]): number {
  const first = text[at] ?? "";
  if (/["'`]/.test(first)) {
    for (at++; at < text.length && text[at] !== first;) {
      if (text[at] === "\\") at += 2;
      else if (first === "`" && text.startsWith("${", at)) at = endOf(text, at + 1);
      else at++;
    }
    return at + 1;
  }
  if (closing === undefined) return at + 1;
  for (at++; at < text.length && text[at] !== closing;) {
    if (text.startsWith("//", at)) at = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at);
    else at = endOf(text, at);
  }
  return at + 1;
}
