/** Formats a log record as one line. */
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

const LEVEL_NAMES: Record<string, string> = { warning: "WARN", fatal: "CRITICAL" };

/** @param utc print times in UTC, else in the time zone of TZ */
export function lineFormatter(format: LogFormat, utc: boolean): LineFormatter {
  switch (format) {
    case "JSON":
      return (record) => `${escaped(JSON.stringify(fieldsOf(record, utc)))}\n`;
    case "LOGFMT":
      return (record) => `${escaped(logfmt(fieldsOf(record, utc)))}\n`;
    case "TEXT":
      return (record) => {
        const { time, level, msg, ...rest } = fieldsOf(record, utc);
        // Without CONFIG_FILE, it would be the same in every line
        if (rest.collection === "default") delete rest.collection;
        const properties = logfmt(rest);
        const message = `${time} ${String(level).padEnd(5)} ${oneLine(String(msg))}`;
        return `${escaped(properties === "" ? message : `${message}  ${properties}`)}\n`;
      };
  }
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
