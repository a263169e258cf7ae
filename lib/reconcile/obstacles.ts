/**
 * Paths where no file can be while something stays as it is: a directory of somebody else is in the way, or a part of the
 * path is a file. Time alone does not help: the object is read again when what is in the way has changed. That costs a look
 * at the disk every {@link PERIOD} seconds, and the API server nothing.
 */
import { lstat } from "../files/file_calls.ts";
import { parentOf } from "../files/paths.ts";
import { Alarm } from "../runtime/alarm.ts";
import type { Clock } from "../runtime/clock.ts";

/** Seconds between two looks at what is in the way. */
const PERIOD = 2;

export interface ObstaclesOptions {
  /** What was in the way of a file of this object has changed. */
  onChanged(key: string): void;
  clock: Clock;
}

export class Obstacles {
  readonly #options: ObstaclesOptions;
  readonly #alarm: Alarm;
  /** What was at each path when it failed, by the key of the object. */
  readonly #seen = new Map<string, Map<string, string>>();

  constructor(options: ObstaclesOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** A path of this object cannot have a file. */
  add(key: string, path: string): void {
    const paths = this.#seen.get(key) ?? new Map<string, string>();
    this.#seen.set(key, paths.set(path, standingAt(path, new Map())));
    if (this.#seen.size === 1) this.#alarm.ring();
  }

  /** The object is published anew, or is gone. */
  forget(key: string): void {
    this.#seen.delete(key);
  }

  /** Looks at once whether something has changed: files were removed. */
  check(): void {
    const known = new Map<string, string>();
    for (const [key, paths] of this.#seen) {
      if (![...paths].some(([path, before]) => standingAt(path, known) !== before)) continue;
      this.#seen.delete(key);
      this.#options.onChanged(key);
    }
  }

  /** Looks again and again, as long as something is in the way, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const next = this.#seen.size === 0 ? Infinity : clock.now() + PERIOD * 1000;
      await this.#alarm.sleepUntil(next, signal);
      if (clock.now() >= next && !signal.aborted) this.check();
    }
  }
}

/**
 * Describes what is at a path and at each directory above it. Two descriptions are equal while nothing relevant changed.
 *
 * @param known the descriptions of directories that this look has made already
 */
function standingAt(path: string, known: Map<string, string>): string {
  const parent = parentOf(path);
  const above = known.get(parent) ?? directoriesTo(parent);
  known.set(parent, above);
  return `${above} ${describe(path, true)}`;
}

/** The time of a directory is left out: it changes with every file that is made there. */
function directoriesTo(directory: string): string {
  const parent = parentOf(directory);
  const above = parent === directory ? "" : directoriesTo(parent);
  return `${above} ${describe(directory, false)}`;
}

function describe(path: string, withTime: boolean): string {
  try {
    const info = lstat(path);
    if (info === undefined) return "nothing";
    const { ino, mode, mtime } = info;
    return `${ino}:${mode}:${withTime ? mtime?.getTime() : ""}`;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
