/** The sidecar as its users run it: a process of its own, seen only from outside. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { resolve } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { watchdogOf } from "./child_process.ts";
import { freePort } from "./free_port.ts";
import { eventually } from "./oracle.ts";
import { below } from "./process_tree.ts";

/** One line of the log, or of whatever else the program printed. */
export interface LogLine {
  stream: "stdout" | "stderr";
  /** As it was printed. */
  text: string;
  /** Empty when the line is no JSON. */
  level: string;
  /** The whole text when the line is no JSON. */
  msg: string;
  /** Everything that the JSON holds. */
  fields: Record<string, unknown>;
}

export interface StartOptions {
  /** A program, and its arguments, that is started with the sidecar's command line as its last arguments, and becomes it. */
  through?: readonly string[];
  /** The sidecar's own arguments. */
  args?: readonly string[];
}

export interface Exit {
  code: number;
  /** Set when a signal ended it; `code` is then 128 and its number. */
  signal: Deno.Signal | null;
}

const READY_LINE = "Initial sync complete, sidecar is ready.";

/** What a program needs of this machine, whatever it is told: where programs and Deno's cache are. */
const INHERITED = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "TZ"];

const READY_TIMEOUT = 30_000;
const EXIT_TIMEOUT = 30_000;

export class SidecarProcess implements AsyncDisposable {
  /** Everything printed so far, in the order in which it came. */
  readonly lines: LogLine[] = [];
  readonly healthPort: number;
  readonly #logTells: boolean;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Exit>;
  #exit: Exit | undefined;

  /**
   * Starts `main.ts` by `deno run`, with the flags of the project's own task, or the program that `SIDECAR_BIN` names. Its
   * environment is `env` alone, but for {@link INHERITED} and a free HEALTH_PORT. It ends with the test process.
   */
  static start(env: Record<string, string>, options: StartOptions = {}): SidecarProcess {
    return new SidecarProcess(env, options);
  }

  private constructor(env: Record<string, string>, { through = [], args = [] }: StartOptions) {
    this.healthPort = Number(env.HEALTH_PORT ?? freePort());
    this.#logTells = env.LOG_CONFIG === undefined && ["INFO", "DEBUG"].includes(env.LOG_LEVEL ?? "INFO");
    const [program = "", ...rest] = [...through, ...commandLine(), ...args];
    this.#child = new Deno.Command(program, {
      args: rest,
      env: { ...inherited(), HEALTH_PORT: String(this.healthPort), ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const watchdog = watchdogOf(this.#child.pid);
    this.#ended = Promise.all([this.#child.status, this.#collect("stdout"), this.#collect("stderr")]).then(
      async ([{ code, signal }]) => {
        await watchdog.stop();
        return this.#exit = { code, signal };
      },
    );
  }

  /** The sidecar's own process, which in the image's file tree is below `unshare --fork` and tini. */
  get pid(): number {
    return below(this.#entry, ["tini-static"]);
  }

  /** The process that was started: with {@link StartOptions.through} perhaps not the sidecar itself. */
  get startedPid(): number {
    return this.#child.pid;
  }

  /** The process that a container engine would signal. `unshare --fork` passes no signal on. */
  get #entry(): number {
    return below(this.#child.pid, ["unshare"]);
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /**
   * Resolves after the first complete sync, with all lines that were logged until then; asks `/readyz` where the log does
   * not tell.
   *
   * @throws {Error} it ended, or was not ready in time
   */
  async ready(timeout = READY_TIMEOUT): Promise<void> {
    await this.#until(async () => {
      if (this.#logTells) assert.ok(this.find(READY_LINE), "not ready yet");
      else assert.equal((await this.health("/readyz")).status, 200);
    }, timeout);
  }

  /** The first line whose message has this in it. */
  find(part: string | RegExp): LogLine | undefined {
    return this.findAll(part)[0];
  }

  findAll(part: string | RegExp): LogLine[] {
    return this.lines.filter(({ msg }) => typeof part === "string" ? msg.includes(part) : part.test(msg));
  }

  /** Waits for `count` such lines. @throws {Error} it ended, or they did not come in time */
  async logged(part: string | RegExp, { count = 1, timeout = 15_000 } = {}): Promise<LogLine> {
    await this.#until(() => assert.ok(this.findAll(part).length >= count, `no line has ${part}`), timeout);
    return this.findAll(part)[count - 1] as LogLine;
  }

  /** Asks a health endpoint. @throws {TypeError} nobody listens there */
  async health(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.healthPort}${path}`, {
      signal: AbortSignal.timeout(READY_TIMEOUT),
    });
    return { status: response.status, text: (await response.text()).trim() };
  }

  /** The value of a metric that has these labels and perhaps others, `name{a="b"}`; if several have, their sum. */
  async metric(wanted: string): Promise<number | undefined> {
    const [, name = "", labels = ""] = /^([^{]+)(?:\{(.*)\})?$/.exec(wanted) ?? [];
    const pairs = labels.match(/\w+="[^"]*"/g) ?? [];
    const lines = (await this.health("/metrics")).text.split("\n").filter((line) =>
      /^[^ {]*/.exec(line)?.[0] === name && pairs.every((pair) => line.includes(pair))
    );
    if (lines.length === 0) return undefined;
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }

  kill(signal: Deno.Signal): void {
    const entry = this.#entry;
    if (entry === this.#child.pid) this.#child.kill(signal);
    else Deno.kill(entry, signal);
  }

  /** How it ended; `undefined` while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Waits until it ends by itself. @throws {Error} it did not */
  async exited(timeout = EXIT_TIMEOUT): Promise<Exit> {
    return await eventually(() => {
      assert.ok(this.#exit, "the sidecar still runs");
      return this.#exit;
    }, { timeout });
  }

  /** Returns how it ended and how many milliseconds that took. */
  async stop(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<Exit & { ms: number }> {
    const startedAt = performance.now();
    this.kill(signal);
    await this.#child.status;
    const ms = performance.now() - startedAt;
    return { ...await this.exited(), ms };
  }

  /** SIGKILL: no time to put anything down. */
  async kill9(): Promise<void> {
    if (this.running) this.kill("SIGKILL");
    await this.#ended;
  }

  /** Private memory in bytes, without what is mapped from files. */
  rssAnon(): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** The end of the log, for whoever looks into a failure. */
  tail(count = 25): string {
    return this.lines.slice(-count).map(({ stream, text }) => `${stream}: ${text}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
  }

  async #until(assertion: () => void | Promise<void>, timeout: number): Promise<void> {
    let ended: Error | undefined;
    await eventually(async () => {
      const exit = this.#exit;
      try {
        await assertion();
      } catch (error) {
        if (exit === undefined) throw error;
        ended = new Error(`the sidecar ended with code ${exit.code}: ${error}`);
      }
    }, { timeout });
    if (ended !== undefined) throw ended;
  }

  async #collect(stream: "stdout" | "stderr"): Promise<void> {
    let rest = "";
    for await (const text of this.#child[stream].pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines.map((line) => parseLine(stream, line)));
    }
    if (rest !== "") this.lines.push(parseLine(stream, rest));
  }
}

/**
 * Passes when a signal ends with code 0, within a second, what `start` starts. What takes longer may have waited for a
 * busy machine; three in a row have not.
 */
export async function assertStopsInASecond(
  start: () => Promise<SidecarProcess>,
  signal?: "SIGTERM" | "SIGINT",
): Promise<void> {
  const times: number[] = [];
  while (times.length < 3) {
    await using sidecar = await start();
    const { ms, ...exit } = await sidecar.stop(signal);
    assert.deepEqual(exit, { code: 0, signal: null }, sidecar.tail());
    if (ms < 1000) return;
    times.push(Math.round(ms));
  }
  assert.fail(`took ${times.join(", ")} ms`);
}

function parseLine(stream: LogLine["stream"], text: string): LogLine {
  let fields: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) fields = { ...value };
  } catch { /* a line of another format, or of another program */ }
  return { stream, text, level: String(fields.level ?? ""), msg: String(fields.msg ?? text), fields };
}

function commandLine(): string[] {
  const program = Deno.env.get("SIDECAR_BIN") ?? "";
  if (program !== "") return [resolve(program)];
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const flags = / deno run (.*) main\.ts$/.exec(project.tasks.start.command)?.[1];
  if (flags === undefined) throw new Error("the task `start` in deno.json is not `deno run FLAGS main.ts`");
  return [Deno.execPath(), "run", ...flags.split(" "), main];
}

function inherited(): Record<string, string> {
  return Object.fromEntries(INHERITED.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
