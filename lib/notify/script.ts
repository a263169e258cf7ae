import type { Clock } from "../runtime/clock.ts";
import { lines } from "./lines.ts";
import { given } from "../runtime/given.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../runtime/message_of.ts";
import { within } from "../runtime/within.ts";
import { States } from "./states.ts";

/** Seconds between SIGTERM and SIGKILL for a script that exceeds its timeout. */
const KILL_AFTER_SECONDS = 2;

/** The same when this program stops, which must take less than a second in total. */
const KILL_AFTER_ABORT_SECONDS = 0.5;

/** Seconds to wait for more output after the script ended: a background process may keep the pipe open. */
const OUTPUT_AFTER_EXIT_SECONDS = 1;

/** Lines of output that are added to the error in the log. */
const MAX_LOGGED_LINES = 20;

const CHANGED_FILES = "SIDECAR_CHANGED_FILES";

/** Maximum bytes of `NAME=value` and its NUL in the environment of a program on Linux (MAX_ARG_STRLEN). */
const MAX_ENV_STRING = 131_072;

export interface ScriptOptions {
  /** Absolute path. */
  path: string;
  /** Seconds after which the script is ended. */
  timeout: number;
  clock: Clock;
  log: Pick<Log, "debug" | "info" | "warn" | "error">;
}

/** The script could not be started, failed, or exceeded its timeout. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";

  /** @param exitCode 128 + n for signal n, as in a shell; `undefined` if the script never ran */
  constructor(message: string, readonly exitCode?: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * SCRIPT: a program that runs after files changed.
 *
 * An executable file is run directly, any other as `sh PATH`. `SIDECAR_CHANGED_FILES` is a JSON list of the absolute
 * paths that changed. If the list does not fit into an environment variable (128 KiB on Linux), it is cut, and
 * `SIDECAR_CHANGED_FILES_TRUNCATED=true` tells the script to look at the folder itself.
 *
 * The script runs in its own process group. When it exceeds its timeout, the whole group gets SIGTERM, and SIGKILL once
 * the script has ended or two seconds later. Background processes of a script that ended by itself are left running;
 * as PID 1 this program waits for them, so that they do not become zombies.
 */
export class Script {
  readonly #options: ScriptOptions;
  readonly #states: States;

  constructor(options: ScriptOptions) {
    this.#options = options;
    this.#states = new States(options.log);
  }

  /** The maximum duration of {@link Script.run}. */
  get maxSeconds(): number {
    return this.#options.timeout + KILL_AFTER_SECONDS + OUTPUT_AFTER_EXIT_SECONDS;
  }

  /**
   * Runs the script and waits for its end. Logs its output line by line, and a repeated failure only once.
   *
   * @throws ScriptError, or the signal's reason after the script has been ended
   */
  async run(changedFiles: readonly string[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { path, clock, log } = this.#options;
    const started = clock.now();
    const tail: string[] = [];
    let exitCode: number | undefined;
    try {
      exitCode = await this.#runToEnd(changedFiles, signal, tail);
      if (exitCode !== 0) throw new ScriptError(`Script ${path} failed with exit code ${exitCode}`, exitCode);
      const result = this.#states.clear() ? "works again" : "succeeded";
      log.info(`Script ${path} ${result}`, { durationMs: Math.round(clock.now() - started) });
    } catch (error) {
      signal.throwIfAborted();
      this.#states.report("error", messageOf(error), messageOf(error), {
        ...given("exitCode", error instanceof ScriptError ? error.exitCode : undefined),
        durationMs: Math.round(clock.now() - started),
        ...given("output", tail.length > 0 ? tail : undefined),
      });
      throw error;
    }
  }

  async #runToEnd(changedFiles: readonly string[], signal: AbortSignal, tail: string[]): Promise<number> {
    const { path, timeout, clock, log } = this.#options;
    const child = await this.#start(changedFiles);
    if (Deno.pid === 1) void child.status.then(() => reapLeftBehind(child.pid, clock));
    const outputEnd = new AbortController();
    const copied = Promise.all((["stdout", "stderr"] as const).map(async (stream) => {
      for await (const line of lines(child[stream], outputEnd.signal)) {
        if (tail.push(line) > MAX_LOGGED_LINES) tail.shift();
        log.debug("Script output", { script: path, stream, line });
      }
    }));
    try {
      if (!await within(timeout, child.status, clock, signal)) {
        const exitCode = await endGroup(child, KILL_AFTER_SECONDS, clock, signal);
        throw new ScriptError(
          `Script ${path} was ended because it took longer than ${timeout} s (SCRIPT_TIMEOUT)`,
          exitCode,
        );
      }
      return (await child.status).code;
    } catch (error) {
      if (signal.aborted) await endGroup(child, KILL_AFTER_ABORT_SECONDS, clock);
      throw error;
    } finally {
      if (!signal.aborted) await within(OUTPUT_AFTER_EXIT_SECONDS, copied, clock, signal).catch(() => {});
      outputEnd.abort();
      await copied;
    }
  }

  async #start(changedFiles: readonly string[]): Promise<Deno.ChildProcess> {
    const { path } = this.#options;
    const options: Deno.CommandOptions = {
      env: changedFilesEnv(changedFiles),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    };
    try {
      return new Deno.Command(path, options).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw await startError(path, error);
    }
    try {
      return new Deno.Command("sh", { ...options, args: [path] }).spawn();
    } catch (error) {
      throw new ScriptError(
        `Script ${path} is not executable, and there is no sh in this image to run it: ` +
          "make it executable (for a ConfigMap volume defaultMode: 0755), or use the debug image",
        undefined,
        { cause: error },
      );
    }
  }
}

async function startError(path: string, cause: unknown): Promise<ScriptError> {
  const exists = await Deno.stat(path).then(() => true, () => false);
  const why = !(cause instanceof Deno.errors.NotFound)
    ? messageOf(cause)
    : exists
    ? "the interpreter in its first line is not in this image; use another interpreter or the debug image"
    : "there is no such file";
  return new ScriptError(`Script ${path} cannot be run: ${why}`, undefined, { cause });
}

/** The environment with the list of files, cut to the size limit. */
function changedFilesEnv(files: readonly string[]): Record<string, string> {
  const room = MAX_ENV_STRING - `${CHANGED_FILES}=[]`.length - 1;
  const encoder = new TextEncoder();
  const items: string[] = [];
  let used = 0;
  for (const file of files) {
    const item = JSON.stringify(file);
    used += encoder.encode(item).length + 1;
    if (used - 1 > room) break;
    items.push(item);
  }
  return {
    [CHANGED_FILES]: `[${items.join(",")}]`,
    ...given(`${CHANGED_FILES}_TRUNCATED`, items.length < files.length ? "true" : undefined),
  };
}

/** Ends the process group and returns the exit code. When `signal` aborts, SIGKILL follows at once. */
async function endGroup(
  child: Deno.ChildProcess,
  killAfter: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<number> {
  killGroup(child.pid, "SIGTERM");
  await within(killAfter, child.status, clock, signal).catch(() => {});
  killGroup(child.pid, "SIGKILL");
  return (await child.status).code;
}

async function reapLeftBehind(group: number, clock: Clock): Promise<void> {
  const { reapGroup } = await import("./left_behind.ts");
  await reapGroup(group, clock);
}

/** Signals a whole group. `detached` made the child its leader, so its process id is the group's. */
function killGroup(leader: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-leader, signal);
  } catch {
    // No process is left in the group
  }
}
