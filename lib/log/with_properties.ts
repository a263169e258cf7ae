import type { Log } from "./log.ts";

/** The same log, with properties for each line. A line's own property takes precedence. */
export function withProperties(log: Log, common: Record<string, unknown>): Log {
  return {
    debug: (message, properties) => log.debug(message, { ...common, ...properties }),
    info: (message, properties) => log.info(message, { ...common, ...properties }),
    warn: (message, properties) => log.warn(message, { ...common, ...properties }),
    error: (message, properties) => log.error(message, { ...common, ...properties }),
    critical: (message, properties) => log.critical(message, { ...common, ...properties }),
  };
}
