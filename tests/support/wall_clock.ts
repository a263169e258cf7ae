/**
 * The clocks of one process: a test shifts its wall clock, and has time pass more quickly for it, while it runs. Made with
 * the `cc` command.
 */
import { fileURLToPath } from "node:url";

/** How many seconds pass for the process in one second of {@link WallClock.fastForward}, unless it is told otherwise. */
const SPEED = 10;

const STEP_MS = 50;

export class WallClock implements Disposable {
  readonly #dir: string;
  /** Milliseconds by which the process is ahead of the real monotonic clock. */
  #ahead = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** `undefined`: there is no C compiler here, or what it makes is not loaded. */
  static make(): WallClock | undefined {
    const clock = new WallClock(Deno.makeTempDirSync({ prefix: "wall-clock-" }));
    const source = fileURLToPath(new URL("./wall_clock.c", import.meta.url));
    try {
      clock.#write(1, 0);
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
    this.#write(0, seconds);
  }

  /**
   * Has time pass `speed` times as quickly for the process until `seconds` have passed for it, or until `until` returns
   * true. Its timers go off in time only when something wakes it: `wake` must do that, by a request to its health port.
   */
  async fastForward(
    seconds: number,
    wake: () => Promise<unknown>,
    until = () => false,
    speed = SPEED,
  ): Promise<void> {
    const end = performance.now() + seconds * 1000 / speed;
    for (let last = performance.now(); last < end && !until();) {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      const now = performance.now();
      this.#ahead += (now - last) * (speed - 1);
      last = now;
      this.#write(1, Math.round(this.#ahead));
      await wake();
    }
  }

  #write(index: number, value: number): void {
    // In place, for the file is mapped
    using file = Deno.openSync(`${this.#dir}/shift`, { write: true, create: true });
    file.seekSync(index * BigInt64Array.BYTES_PER_ELEMENT, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(new BigInt64Array([BigInt(value)]).buffer));
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
