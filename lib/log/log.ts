/** Sets up the logging library. No other file names its sinks; the rest of lib/ sees a {@link Log}. */
import {
  configureSync,
  getLogger,
  type Logger,
  type LogLevel as LibraryLevel,
  type Sink,
  withFilter,
} from "@logtape/logtape";
import { type LineFormatter, lineFormatter, type LogFormat } from "./log_format.ts";

/** What modules log to; each declares the part it needs. Messages are plain text, without placeholders. */
export interface Log {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
  error(message: string, properties?: Record<string, unknown>): void;
  critical(message: string, properties?: Record<string, unknown>): void;
}

/** LOG_LEVEL, which is also what Python calls its levels. */
export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR" | "CRITICAL";

/** Where lines go. */
export type LogOutput =
  | { to: "stdout" | "stderr"; format: LogFormat; level?: LogLevel }
  /** Renamed to `path.1`, `path.2`, … when it would grow past `maxBytes`; 0: never. */
  | { to: "file"; path: string; maxBytes: number; backupCount: number; format: LogFormat; level?: LogLevel };

export interface LogOptions {
  level: LogLevel;
  outputs: readonly LogOutput[];
  /** Times in UTC, else in the zone that TZ names. */
  utc: boolean;
}

const LEVELS: Record<LogLevel, LibraryLevel> = {
  DEBUG: "debug",
  INFO: "info",
  WARN: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
};

/**
 * Sets up logging for the whole program. May be called again.
 *
 * @throws {Deno.errors.*} a log file cannot be opened
 */
export async function openLog({ level, outputs, utc }: LogOptions): Promise<Log> {
  const sinks: Record<string, Sink> = {};
  for (const [index, output] of outputs.entries()) sinks[index] = await sinkOf(output, utc);
  configureSync({
    reset: true,
    sinks,
    loggers: [
      { category: [], lowestLevel: LEVELS[level], sinks: Object.keys(sinks) },
      { category: ["logtape", "meta"], lowestLevel: "error", parentSinks: "override", sinks: [] },
    ],
  });
  return logOf(getLogger("k8s-sidecar"));
}

function logOf(logger: Logger): Log {
  return {
    debug: (message, properties) => logger.debug(message, properties),
    info: (message, properties) => logger.info(message, properties),
    warn: (message, properties) => logger.warn(message, properties),
    error: (message, properties) => logger.error(message, properties),
    critical: (message, properties) => logger.fatal(message, properties),
  };
}

async function sinkOf(output: LogOutput, utc: boolean): Promise<Sink> {
  const format = lineFormatter(output.format, utc);
  const write = output.to === "file" ? await fileSink(output, format) : streamSink(Deno[output.to], format);
  return output.level === undefined ? write : withFilter(write, LEVELS[output.level]);
}

/** Whole lines, written at once: what was logged before a crash is there after it. */
function streamSink(stream: { writeSync(bytes: Uint8Array): number }, format: LineFormatter): Sink {
  const encoder = new TextEncoder();
  return (record) => {
    const bytes = encoder.encode(format(record));
    try {
      for (let offset = 0; offset < bytes.length;) offset += stream.writeSync(bytes.subarray(offset));
    } catch {
      // Nobody reads the log any more: that is no reason to stop keeping files
    }
  };
}

async function fileSink(output: LogOutput & { to: "file" }, formatter: LineFormatter): Promise<Sink> {
  const { getRotatingFileSink } = await import("@logtape/file");
  const rotates = output.maxBytes > 0 && output.backupCount > 0;
  return getRotatingFileSink(output.path, {
    formatter,
    maxSize: rotates ? output.maxBytes : Number.MAX_SAFE_INTEGER,
    // The older ones alone, and at least one even where it never rotates
    maxFiles: Math.max(1, output.backupCount),
    bufferSize: 0,
  });
}
