import { errnoOf, lstat } from "./file_calls.ts";
import { parentOf } from "./paths.ts";
import { type Entry, parseEntry } from "./record_format.ts";
import type { StateDirectory } from "./state_directory.ts";

/** Whoever walks the folder may read it: it names files and holds no content. */
const MODE = 0o644;

/** Bytes; a longer file is not a record of ours. */
const MAX_SIZE = 64 * 2 ** 20;

const ENCODER = new TextEncoder();

/**
 * The record on disk. Lines are added to its end; when that is not possible, or the file is no longer what was written,
 * all of it is written anew.
 */
export class RecordFile {
  readonly path: string;
  /** Where it is prepared: the first one from which it can be renamed to its path. */
  readonly #places: StateDirectory[];
  /** Lines in the file, also those that are no entries. */
  #lines = 0;
  #inode: number | null = null;
  #size = 0;
  /** The file does not say what it should: it must be written anew. */
  #isStale = true;

  constructor(path: string, places: readonly StateDirectory[]) {
    this.path = path;
    this.#places = [...places];
  }

  get lines(): number {
    return this.#lines;
  }

  get isStale(): boolean {
    return this.#isStale || !this.#isUnchanged;
  }

  /** Whether an entry could be added now. A file that is not as it should be is written anew with `all` entries. */
  isWritable(all: () => Entry[]): boolean {
    try {
      if (this.isStale) this.rewrite(all());
      else Deno.openSync(this.path, { append: true }).close();
      return true;
    } catch {
      return false;
    }
  }

  /** From now on the file does not say what it should. */
  expire(): void {
    this.#isStale = true;
  }

  /**
   * Reads the file. Lines that were cut short or are no entries are skipped; `ignored` counts them.
   *
   * @returns `undefined` when there is none
   * @throws {Error} it cannot be read
   */
  read(): { entries: Entry[]; ignored: number } | undefined {
    const info = lstatOf(this.path);
    if (info === undefined) return undefined;
    if (!info.isFile) throw new Error("it is not a regular file");
    if (info.size > MAX_SIZE) throw new Error(`it has ${info.size} bytes`);
    const bytes = Deno.readFileSync(this.path);
    const text = new TextDecoder().decode(bytes);
    const lines = text.split("\n").filter((line) => line !== "");
    const entries = lines.map(parseEntry).filter((entry) => entry !== undefined);
    this.#lines = lines.length;
    this.#inode = info.ino;
    this.#size = bytes.length;
    this.#isStale = entries.length < lines.length || !text.endsWith("\n");
    return { entries, ignored: lines.length - entries.length };
  }

  /**
   * Adds an entry. A file that is gone, or is known to be wrong, is first written anew with `all` entries.
   *
   * @throws {Deno.errors.*} the entry is not recorded
   */
  append(entry: Entry, all: () => Entry[]): void {
    // A symlink or a pipe in its place must not be written to
    if (this.#isStale || !lstat(this.path)?.isFile) this.rewrite(all());
    const bytes = ENCODER.encode(lineOf(entry));
    try {
      Deno.writeFileSync(this.path, bytes, { append: true, create: false });
      this.#lines++;
      this.#size += bytes.length;
    } catch (error) {
      // A part of the line may be there: it must not become the beginning of the next one
      this.#isStale = !this.#isUnchanged;
      throw error;
    }
  }

  /** @throws {Deno.errors.*} the file is as it was */
  rewrite(entries: readonly Entry[]): void {
    const bytes = ENCODER.encode(entries.map(lineOf).join(""));
    for (let [place, next] = this.#places; place !== undefined; [place, next] = this.#places) {
      try {
        return this.#writeFrom(place, bytes, entries.length);
      } catch (error) {
        if (errnoOf(error) !== "EXDEV" || next === undefined) throw error;
        this.#places.shift();
      }
    }
  }

  #writeFrom(place: StateDirectory, bytes: Uint8Array, lines: number): void {
    using file = place.createFile(this.path, MODE);
    file.write(bytes);
    const { ino } = file.ensureMode(MODE);
    Deno.mkdirSync(parentOf(this.path), { recursive: true });
    file.rename();
    this.#lines = lines;
    this.#inode = ino;
    this.#size = bytes.length;
    this.#isStale = false;
  }

  /** Nobody put another file in its place, or wrote to it. The inode alone could have been used again. */
  get #isUnchanged(): boolean {
    try {
      const { ino, size } = Deno.lstatSync(this.path);
      return ino === this.#inode && size === this.#size;
    } catch {
      return false;
    }
  }
}

function lineOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** @throws {Deno.errors.*} NotADirectory among them: a record of an earlier format is where our directory must be */
function lstatOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
