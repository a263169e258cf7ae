/** A server process of a test, which must not outlive the test process. */

export type StopSignal = "SIGKILL" | "SIGTERM";

/** Reads until standard input closes, which it does when the test process ends, however that happens. */
const WATCHDOG = 'read -r _; kill -CONT "$0"; kill -KILL "$0" $(cat "/proc/$0/task/$0/children")';

/** Ends a process and its children when the test process ends. `stop` once it has ended by itself. */
export function watchdogOf(pid: number): { stop(): Promise<void> } {
  const args = ["-c", WATCHDOG, String(pid)];
  const watchdog = new Deno.Command("sh", { args, stdin: "piped", stdout: "null", stderr: "null" }).spawn();
  return {
    async stop() {
      watchdog.kill("SIGKILL");
      await watchdog.stdin.close().catch(() => {});
      await watchdog.status;
    },
  };
}

/** A program that can be started and stopped again and again; its output goes to the end of a log file. */
export class ChildProcess {
  readonly #program: string;
  readonly #args: string[];
  readonly #logFile: string;
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(program: string, args: string[], logFile: string) {
    this.#program = program;
    this.#args = args;
    this.#logFile = logFile;
  }

  /** False before {@link start} and as soon as the process has ended, by itself or by {@link stop}. */
  get running(): boolean {
    return this.#child !== undefined;
  }

  /** @throws {Error} when it runs already. */
  start(): void {
    if (this.#child !== undefined) throw new Error(`${this.#program} runs already`);
    const args = ["-c", 'exec "$@" >>"$0" 2>&1', this.#logFile, this.#program, ...this.#args];
    const child = new Deno.Command("sh", { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    this.#child = child;
    this.#ended = this.#end(child, watchdogOf(child.pid));
  }

  /** @throws {Error} when it does not run. */
  kill(signal: Deno.Signal): void {
    if (this.#child === undefined) throw new Error(`${this.#program} does not run`);
    this.#child.kill(signal);
  }

  /** Ends the process, also when it is suspended, and waits for it. Does nothing when it does not run. */
  async stop(signal: StopSignal): Promise<void> {
    this.#child?.kill("SIGCONT");
    this.#child?.kill(signal);
    await this.#ended;
  }

  async #end(child: Deno.ChildProcess, watchdog: { stop(): Promise<void> }): Promise<void> {
    await child.status;
    this.#child = undefined;
    await watchdog.stop();
  }
}
