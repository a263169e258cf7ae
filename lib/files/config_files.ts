/** Files that the sidecar's configuration names: no object may write to them, by whatever path. */
import { nameOf, parentOf } from "./paths.ts";
import { realPathOf } from "./file_calls.ts";

export interface ConfigFile {
  /** Absolute and normalised. */
  path: string;
  /** Names it in an error message: `the SCRIPT`. */
  what: string;
}

export class ConfigFiles {
  /** What each file is, by its real path. */
  readonly #files = new Map<string, string>();

  constructor(files: readonly ConfigFile[]) {
    for (const { path, what } of files) {
      this.#files.set(joined(realPathOf(parentOf(path)), nameOf(path)), what);
      // The file that a symlink in its place leads to
      this.#files.set(realPathOf(path), what);
    }
  }

  /** What the file of this name in a directory is; `undefined`: it is none of them. */
  find(realDirectory: string, name: string): string | undefined {
    return this.#files.size === 0 ? undefined : this.#files.get(joined(realDirectory, name));
  }
}

function joined(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}
