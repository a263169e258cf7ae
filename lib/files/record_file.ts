import { errnoOf } from "./file_calls.ts";
import type { FileModes } from "./file_modes.ts";
import { parentOf } from "./paths.ts";
import { type Entry, parseEntry } from "./record_format.ts";
import type { StateDirectory } from "./state_directory.ts";

/** Readable by all: it contains no content of files, and a program that opens every file must not fail here. */
const MODE = 0o644;

/** Bytes; a larger file is not ours. */
const MAX_SIZE = 64 * 2 ** 20;

const ENCODER = new TextEncoder();

/**
 * The record on disk. Entries are appended. If somebody changed or removed the file, or if it ends with half an entry, it is
 * rewritten.
 */
export class RecordFile {
  readonly path: string;
  /** Directories to write it in before it is renamed. The first one is dropped when it is on another file system. */
  readonly #places: StateDirectory[];
  readonly #modes: FileModes;
  /** Lines in the file, invalid ones included. */
  #lines = 0;
  #inode: number | null = null;
  #size = 0;
  /** The file must be rewritten. */
  #isStale = true;

  constructor(path: string, places: readonly StateDirectory[], modes: FileModes) {
    this.path = path;
    this.#modes = modes;
    this.#places = [...places];
  }

  get lines(): number {
    return this.#lines;
  }

  get isStale(): boolean {
    return this.#isStale || !this.#isUnchanged;
  }

  /** Probes whether an entry can be appended now. Rewrites the file with `all` entries if that is necessary. */
  isWritable(all: () => Entry[]): boolean {
    try {
      if (this.isStale) this.rewrite(all());
      else Deno.openSync(this.path, { append: true }).close();
      return true;
    } catch {
      return false;
    }
  }

  /** Requests that the file is rewritten at the next opportunity. */
  expire(): void {
    this.#isStale = true;
  }

  /**
   * Reads the file. Lines that are not entries are skipped; `ignored` is their number.
   *
   * @returns `undefined` when there is no file
   * @throws {Error} the file cannot be read, or is not a record
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
   * Appends an entry. Rewrites the file first, with `all` entries, if that is necessary.
   *
   * @throws {Deno.errors.*} the entry is not recorded
   */
  append(entry: Entry, all: () => Entry[]): void {
    if (this.#isStale) this.rewrite(all());
    const bytes = ENCODER.encode(lineOf(entry));
    try {
      this.#add(bytes);
    } catch (error) {
      const isGone = error instanceof Deno.errors.NotFound;
      // An earlier run was under another user
      const isForeign = error instanceof Deno.errors.PermissionDenied;
      if (!isGone && !isForeign) throw error;
      this.rewrite(all());
      this.#add(bytes);
    }
  }

  #add(bytes: Uint8Array): void {
    try {
      Deno.writeFileSync(this.path, bytes, { append: true, create: false });
      this.#lines++;
      this.#size += bytes.length;
    } catch (error) {
      // A part of the entry may have been written
      this.#isStale = !this.#isUnchanged;
      throw error;
    }
  }

  /** @throws {Deno.errors.*} the file did not change */
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
    const { ino } = file.ensureMode(MODE, this.#modes);
    Deno.mkdirSync(parentOf(this.path), { recursive: true });
    file.rename();
    this.#lines = lines;
    this.#inode = ino;
    this.#size = bytes.length;
    this.#isStale = false;
  }

  /** Whether it is the file that was written last. The inode alone is not enough, because it may be reused. */
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

/** @throws {Deno.errors.*} also when a file, such as the record of an earlier version, is where a directory should be */
function lstatOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
