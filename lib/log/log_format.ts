/** Formats a log record as one line; in TEXT, the items of a list follow as lines of their own. */
import { escaped } from "../runtime/escaped.ts";

/** The fields of LogTape's records that are used. */
export interface LogRecord {
  level: string;
  rawMessage: string | TemplateStringsArray;
  /** Milliseconds since 1970. */
  timestamp: number;
  properties: Record<string, unknown>;
}

export type LogFormat = "JSON" | "LOGFMT" | "TEXT";

export type LineFormatter = (record: LogRecord) => string;

/** The values of properties with such names are never printed. */
const SECRET = /password|passwd|token|secret$|authorization|credential/i;

/** Maximum characters of a message, or of a property, because some come from objects and servers. */
const MAX_TEXT = 2000;

/** Lines of TEXT for the files of one record, and for the items of another list. */
const MAX_FILE_LINES = 5;
const MAX_LIST_LINES = 20;

const LEVEL_NAMES: Record<string, string> = { warning: "WARN", fatal: "CRITICAL" };

/** @param utc print times in UTC, else in the time zone of TZ */
export function lineFormatter(format: LogFormat, utc: boolean): LineFormatter {
  switch (format) {
    case "JSON":
      return (record) => `${escaped(JSON.stringify(fieldsOf(record, utc)))}\n`;
    case "LOGFMT":
      return (record) => `${escaped(logfmt(fieldsOf(record, utc)))}\n`;
    case "TEXT":
      return (record) => `${textLines(fieldsOf(record, utc)).map(escaped).join("\n")}\n`;
  }
}

/** A line for people, and one for each item of a list. A property that the message shows is left out. */
function textLines({ time, level, msg, ...properties }: Record<string, unknown>): string[] {
  const message = oneLine(String(msg));
  // Without CONFIG_FILE, it would be the same in every line
  if (properties.collection === "default") delete properties.collection;
  const rest: Record<string, unknown> = {};
  const lists: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (isListOfTexts(value)) lists.push(...listLines(name, value, properties.count));
    else if (!isShown(name, value, message)) rest[name] = value;
  }
  const suffix = Object.keys(rest).length === 0 ? "" : `  ${logfmt(rest)}`;
  return [`${time} ${String(level).padEnd(5)} ${message}${suffix}`, ...lists];
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** @param count of all items, where the list has only the first ones */
function listLines(name: string, items: readonly string[], count: unknown): string[] {
  const shown = items.slice(0, name === "files" ? MAX_FILE_LINES : MAX_LIST_LINES);
  const more = (name === "files" && typeof count === "number" ? count : items.length) - shown.length;
  const lines = shown.map((item) => `    ${cut(item)}`);
  return more > 0 ? [...lines, `    and ${more} more`] : lines;
}

/** Whether the message shows the value of a property. It names an object as `ConfigMap namespace/name`. */
function isShown(name: string, value: unknown, message: string): boolean {
  if (typeof value !== "string" && typeof value !== "number") return false;
  const [namespace, kind = "", ...rest] = String(value).split("/");
  // Its name may be any word
  if (name === "collection") return hasWord(message, `collection ${value}`);
  if (name === "object") return hasWord(message.toLowerCase(), `${kind} ${namespace}/${rest.join("/")}`);
  return hasWord(message, String(value));
}

/** Whether the message has the text, and not as a part of a longer word or path. */
function hasWord(message: string, text: string): boolean {
  if (text === "") return false;
  for (let at = message.indexOf(text); at >= 0; at = message.indexOf(text, at + 1)) {
    const isCut = /[\w/-]$/.test(message.slice(0, at)) || /^([\w/-]|\.\w)/.test(message.slice(at + text.length));
    if (!isCut) return true;
  }
  return false;
}

/** `time`, `level` and `msg`, then the properties. */
function fieldsOf({ level, rawMessage, timestamp, properties }: LogRecord, utc: boolean): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    time: formatTime(timestamp, utc),
    level: LEVEL_NAMES[level] ?? level.toUpperCase(),
    msg: cut(typeof rawMessage === "string" ? rawMessage : rawMessage.join("")),
  };
  for (const [name, value] of Object.entries(properties)) {
    fields[name in fields ? `${name}_` : name] = SECRET.test(name) ? "***" : plain(value);
  }
  return fields;
}

/** Replaces an error by its message and those of its causes. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return cut(value);
  if (!(value instanceof Error)) return value;
  return cut(messageWithCauses(value));
}

function messageWithCauses(value: Error): string {
  return value.cause instanceof Error ? `${value.message} (${messageWithCauses(value.cause)})` : value.message;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

/** RFC 3339 with milliseconds. */
export function formatTime(timestamp: number, utc: boolean): string {
  const date = new Date(timestamp);
  if (utc) return date.toISOString();
  const offset = -date.getTimezoneOffset();
  const local = new Date(timestamp + offset * 60_000).toISOString().slice(0, -1);
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${local}${offset < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}

function logfmt(fields: Record<string, unknown>): string {
  return Object.entries(fields).map(([name, value]) => `${name}=${logfmtValue(value)}`).join(" ");
}

function logfmtValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return /^[\w.:/,@+%*~-]+$/.test(text) ? text : JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}
