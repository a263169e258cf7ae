/** The wall clock of one process, which a test shifts while it runs. Made with the `cc` command. */
import { fileURLToPath } from "node:url";

export class WallClock implements Disposable {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** `undefined`: there is no C compiler here, or what it makes is not loaded. */
  static make(): WallClock | undefined {
    const clock = new WallClock(Deno.makeTempDirSync({ prefix: "wall-clock-" }));
    const source = fileURLToPath(new URL("./wall_clock.c", import.meta.url));
    try {
      clock.shift(0);
      run("cc", ["-shared", "-fPIC", "-O2", "-o", clock.#library, source]);
      clock.shift(-10 * 365 * 86_400);
      const [program = "", ...args] = [...clock.through, "date", "+%Y"];
      if (Number(run(program, args)) > new Date().getFullYear() - 9) throw new Error("it is not loaded");
      clock.shift(0);
      return clock;
    } catch {
      clock[Symbol.dispose]();
      return undefined;
    }
  }

  /** Starts a program with this clock. */
  get through(): string[] {
    return ["env", `LD_PRELOAD=${this.#library}`, `WALL_CLOCK_SHIFT=${this.#dir}/shift`];
  }

  /** From now on the clock is wrong by so many seconds. */
  shift(seconds: number): void {
    // In place, for the file is mapped
    using file = Deno.openSync(`${this.#dir}/shift`, { write: true, create: true });
    file.writeSync(new Uint8Array(new BigInt64Array([BigInt(seconds)]).buffer));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#dir, { recursive: true });
  }

  get #library(): string {
    return `${this.#dir}/wall_clock.so`;
  }
}

function run(program: string, args: string[]): string {
  const { success, stdout } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
  if (!success) throw new Error(`${program} failed`);
  return new TextDecoder().decode(stdout);
}
