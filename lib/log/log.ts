/** The log. Modules declare the part that they need. Messages are plain text, without placeholders. */
export interface Log {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
  error(message: string, properties?: Record<string, unknown>): void;
  critical(message: string, properties?: Record<string, unknown>): void;
}

/** For commands, which print their own lines. */
export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, critical() {} };

/** The levels of LOG_LEVEL, which have Python's names. */
export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR" | "CRITICAL";
