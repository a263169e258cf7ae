/** Sets up LogTape. The rest of lib/ knows only `log.ts`. */
import {
  configureSync,
  getLogger,
  type Logger,
  type LogLevel as LibraryLevel,
  type Sink,
  withFilter,
} from "@logtape/logtape";
import type { Log, LogLevel } from "./log.ts";
import type { Clock } from "../runtime/clock.ts";
import { type LimitedLog, limitRate } from "./rate_limit.ts";
import { type LineFormatter, lineFormatter, type LogFormat } from "./log_format.ts";

/** A destination of log lines. */
export type LogOutput =
  | { to: "stdout" | "stderr"; format: LogFormat; level?: LogLevel }
  /** Rotated to `path.1`, `path.2`, … before it exceeds `maxBytes`; 0 for never. */
  | { to: "file"; path: string; maxBytes: number; backupCount: number; format: LogFormat; level?: LogLevel };

export interface LogOptions {
  level: LogLevel;
  outputs: readonly LogOutput[];
  /** Times are in UTC, else in the time zone of TZ. */
  utc: boolean;
  clock: Clock;
}

const LEVELS: Record<LogLevel, LibraryLevel> = {
  DEBUG: "debug",
  INFO: "info",
  WARN: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
};

/**
 * Sets up logging for the whole program. Another call replaces the setup.
 *
 * @throws {Deno.errors} a log file cannot be opened
 */
export async function openLog({ level, outputs, utc, clock }: LogOptions): Promise<LimitedLog> {
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
  return limitRate(logOf(getLogger("k8s-sidecar")), clock);
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

/** Writes each line synchronously, so that a crash loses none. */
function streamSink(stream: { writeSync(bytes: Uint8Array): number }, format: LineFormatter): Sink {
  const encoder = new TextEncoder();
  return (record) => {
    const bytes = encoder.encode(format(record));
    try {
      for (let offset = 0; offset < bytes.length;) offset += stream.writeSync(bytes.subarray(offset));
    } catch {
      // The reader of the log has closed it, but files must still be written
    }
  };
}

async function fileSink(output: LogOutput & { to: "file" }, formatter: LineFormatter): Promise<Sink> {
  const { getRotatingFileSink } = await import("@logtape/file");
  const rotates = output.maxBytes > 0 && output.backupCount > 0;
  return getRotatingFileSink(output.path, {
    formatter,
    maxSize: rotates ? output.maxBytes : Number.MAX_SAFE_INTEGER,
    // Counts rotated files only, and must be positive even without rotation
    maxFiles: Math.max(1, output.backupCount),
    bufferSize: 0,
  });
}
