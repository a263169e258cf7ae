/** Every path that was ever there below a folder, if only for a microsecond: the kernel tells of each. */
import assert from "node:assert/strict";
import { relative } from "node:path";
import { eventually } from "./oracle.ts";

const SENTINEL = "sentinel";

export class SeenPaths implements AsyncDisposable {
  readonly #folder: string;
  readonly #watcher: Deno.FsWatcher;
  readonly #paths = new Set<string>();
  readonly #over: Promise<void>;

  /** From now on, below a folder that is there with all its directories. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#watcher = Deno.watchFs(folder, { recursive: true });
    this.#over = this.#collect();
  }

  /** Paths within the folder that were there until now. */
  async all(): Promise<string[]> {
    // What happened before this file was made is told before it
    await Deno.writeTextFile(`${this.#folder}/${SENTINEL}`, "");
    await eventually(() => assert.ok(this.#paths.has(SENTINEL), "the kernel tells nothing"));
    await Deno.remove(`${this.#folder}/${SENTINEL}`);
    return [...this.#paths].filter((path) => path !== SENTINEL && path !== "").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher.close();
    await this.#over;
  }

  async #collect(): Promise<void> {
    for await (const { paths } of this.#watcher) {
      for (const path of paths) this.#paths.add(relative(this.#folder, path));
    }
  }
}
