/**
 * LOG_CONFIG: a Python `logging.config.dictConfig` file. The subset that the Jenkins chart writes is supported; anything
 * else is an error, so that no log is written to an unexpected place.
 *
 * See https://docs.python.org/3/library/logging.config.html#configuration-dictionary-schema
 */
import type { LogLevel } from "./log.ts";
import type { LogOutput } from "./open_log.ts";
import type { LogFormat } from "./log_format.ts";
import { given } from "../runtime/given.ts";
import { messageOf } from "../runtime/message_of.ts";

/** The file cannot be used. The message names the field and the expected value. */
export class LogConfigError extends Error {
  override readonly name = "LogConfigError";
}

type Mapping = Record<string, unknown>;

const LEVELS: Record<string, LogLevel> = {
  DEBUG: "DEBUG",
  INFO: "INFO",
  WARN: "WARN",
  WARNING: "WARN",
  ERROR: "ERROR",
  CRITICAL: "CRITICAL",
  FATAL: "CRITICAL",
};

const FORMATS: Record<string, LogFormat> = {
  "logger.JsonFormatter": "JSON",
  "logger.LogfmtFormatter": "LOGFMT",
};

/** Reads a dictConfig, in YAML or JSON. @throws {LogConfigError} */
export async function readLogConfig(path: string): Promise<{ level: LogLevel; outputs: LogOutput[] }> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new LogConfigError(`cannot be read: ${messageOf(cause)}`, { cause });
  }
  const { parse } = await import("../runtime/yaml_library.ts");
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new LogConfigError(`is not YAML: ${messageOf(cause).split("\n")[0]}`, { cause });
  }
  return parseLogConfig(document);
}

/** @throws {LogConfigError} */
export function parseLogConfig(document: unknown): { level: LogLevel; outputs: LogOutput[] } {
  const config = mapping(document, "the file");
  only(config, ["version", "disable_existing_loggers", "root", "handlers", "formatters"], "the file");
  if (config.version !== 1) throw new LogConfigError(`version: expected 1, not ${JSON.stringify(config.version)}`);
  const root = mapping(config.root, "root");
  only(root, ["level", "handlers"], "root");
  const handlers = mapping(config.handlers ?? {}, "handlers");
  const formats = formatsOf(mapping(config.formatters ?? {}, "formatters"));
  const names = root.handlers ?? [];
  if (!Array.isArray(names)) throw new LogConfigError("root.handlers: expected a list of names");
  return {
    level: levelOf(root.level ?? "WARNING", "root.level"),
    outputs: names.map((name) => outputOf(String(name), handlers[String(name)], formats)),
  };
}

function formatsOf(formatters: Mapping): Map<string, LogFormat> {
  const formats = new Map<string, LogFormat>();
  for (const [name, value] of Object.entries(formatters)) {
    const place = `formatters.${name}`;
    const formatter = mapping(value, place);
    const format = FORMATS[String(formatter["()"])];
    if (format === undefined) {
      throw new LogConfigError(`${place}: accepted as "()" is ${Object.keys(FORMATS).join(" or ")}`);
    }
    only(formatter, ["()", "format", "rename_fields", "keys", "mapping", "datefmt"], place);
    formats.set(name, format);
  }
  return formats;
}

function outputOf(name: string, value: unknown, formats: Map<string, LogFormat>): LogOutput {
  const place = `handlers.${name}`;
  const handler = mapping(value, place);
  const format = handler.formatter === undefined ? "TEXT" : formats.get(String(handler.formatter));
  if (format === undefined) {
    throw new LogConfigError(`${place}.formatter: there is no formatter ${JSON.stringify(handler.formatter)}`);
  }
  const level = given("level", handler.level === undefined ? undefined : levelOf(handler.level, `${place}.level`));
  switch (handler.class) {
    case "logging.StreamHandler":
      only(handler, ["class", "level", "formatter", "stream"], place);
      return { to: streamOf(handler.stream, place), format, ...level };
    case "logging.handlers.RotatingFileHandler":
      only(handler, ["class", "level", "formatter", "filename", "maxBytes", "backupCount", "mode", "encoding"], place);
      if (typeof handler.filename !== "string" || handler.filename === "") {
        throw new LogConfigError(`${place}.filename: a path is required`);
      }
      return {
        to: "file",
        path: handler.filename,
        maxBytes: countOf(handler.maxBytes, `${place}.maxBytes`),
        backupCount: countOf(handler.backupCount, `${place}.backupCount`),
        format,
        ...level,
      };
    default:
      throw new LogConfigError(
        `${place}.class: expected logging.StreamHandler or logging.handlers.RotatingFileHandler, ` +
          `not ${JSON.stringify(handler.class)}`,
      );
  }
}

/** Python's own default is stderr. */
function streamOf(value: unknown, place: string): "stdout" | "stderr" {
  if (value === undefined || value === "ext://sys.stderr") return "stderr";
  if (value === "ext://sys.stdout") return "stdout";
  throw new LogConfigError(`${place}.stream: expected ext://sys.stdout or ext://sys.stderr`);
}

function levelOf(value: unknown, place: string): LogLevel {
  const level = LEVELS[String(value).toUpperCase()];
  if (level === undefined) {
    throw new LogConfigError(
      `${place}: expected DEBUG, INFO, WARNING, ERROR or CRITICAL, not ${JSON.stringify(value)}`,
    );
  }
  return level;
}

function countOf(value: unknown, place: string): number {
  const count = Number(value ?? 0);
  if (!Number.isSafeInteger(count) || count < 0) throw new LogConfigError(`${place}: expected a whole number`);
  return count;
}

function mapping(value: unknown, place: string): Mapping {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Mapping;
  throw new LogConfigError(`${place}: a mapping is required`);
}

function only(value: Mapping, known: readonly string[], place: string): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new LogConfigError(`${place}: ${unknown.join(", ")} is not supported`);
}
