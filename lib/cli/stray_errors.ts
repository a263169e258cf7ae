/**
 * Errors that nobody waits for, such as those of a request that was given up. They are bugs of the sidecar, but none that a
 * restart cures: what it depends on is awaited, or has a heartbeat (sidecar/liveness.ts). So they are logged, and the
 * sidecar goes on.
 */
import type { Log } from "../log/log.ts";
import { messageOf } from "../runtime/message_of.ts";

const STACK_LINES = 5;

/** Logs such errors until it is disposed. */
export function logStrayErrors(log: Pick<Log, "error">): Disposable {
  const report = (error: unknown) => {
    const frames = String(error instanceof Error ? error.stack : "").split("\n").filter((line) => /^\s+at /.test(line));
    log.error(`a bug of the sidecar, which goes on: ${messageOf(error)}`, {
      stack: frames.slice(0, STACK_LINES).map((line) => line.trim()),
    });
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    report(event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    report(event.error);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
    },
  };
}
