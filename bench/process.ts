/** Starts the sidecar and its floors, the same way. */
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { watchdogOf } from "../tests/support/child_process.ts";
import { SidecarProcess } from "../tests/support/sidecar_process.ts";

/** Becomes the program, its output in a file: reading it here would take time from what is measured. */
const INTO_LOG = 'exec "$@" >>"$0" 2>&1';

/** Starts the sidecar: `main.ts` with the flags of the task `start`, or SIDECAR_BIN. Its output goes to a file. */
export function startSidecar(env: Record<string, string>, logFile: string): SidecarProcess {
  return SidecarProcess.start(env, { through: ["sh", "-c", INTO_LOG, logFile] });
}

/** A floor's process: a script of `bench/floor` with the permissions and the V8 flags of the sidecar. */
export class FloorProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #watchdog: { stop(): Promise<void> };

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#watchdog = watchdogOf(child.pid);
  }

  static start(
    script: "idle" | "bare_loop" | "bare_watch" | "bare_watches",
    env: Record<string, string> = {},
    args: string[] = [],
  ): FloorProcess {
    const program = fileURLToPath(new URL(`floor/${script}.ts`, import.meta.url));
    const flags = / deno run (.*) main\.ts$/.exec(project.tasks.start.command)?.[1];
    if (flags === undefined) throw new Error("the task `start` in deno.json is not `deno run FLAGS main.ts`");
    return new FloorProcess(
      new Deno.Command(Deno.execPath(), {
        args: ["run", ...flags.split(" "), program, ...args],
        env,
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn(),
    );
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves when it prints something. */
  async printed(): Promise<void> {
    const reader = this.#child.stdout.getReader();
    await reader.read();
    reader.releaseLock();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#child.stdout.cancel();
    await this.#child.status;
    await this.#watchdog.stop();
  }
}
