import { errnoOf } from "./file_calls.ts";
import type { FileModes } from "./file_modes.ts";
import { linePiecesOf } from "./line_pieces.ts";
import { openWithoutWaiting } from "./open_without_waiting.ts";
import { parentOf } from "./paths.ts";
import { type Entry, MAX_LINE_BYTES, parseEntry, sizeOf } from "./record_format.ts";
import type { StateDirectory } from "./state_directory.ts";

/** Readable by all: it contains no content of files, and a program that opens every file must not fail here. */
const MODE = 0o644;

/**
 * Lines, and paths in them; a record with more is not ours. It is rewritten when it has twice as many lines as files, so there
 * is room for 70,000 files. Memory is limited to about 100 bytes for each, and their text.
 */
const MAX_ENTRIES = 150_000;

/** Bytes; a larger file is not ours. */
const MAX_SIZE = 24 * 2 ** 20;

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
  /** STATE_FILE is set. */
  readonly #isElsewhere: boolean;
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
    this.#isElsewhere = path !== places[0]?.recordPath;
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
      else this.#open().close();
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
   * Reads the file with little memory. Yields an entry for each line, `undefined` for one that is none.
   *
   * @throws {Error} the file cannot be read, or is not a record
   */
  *read(): Generator<Entry | undefined, void> {
    const [place] = this.#places;
    place?.pin();
    const info = lstatOf(this.path);
    if (info === undefined) return;
    if (this.path === place?.recordPath && !place.isReal) throw new Error("a symlink to elsewhere is in its path");
    if (!info.isFile) throw new Error("it is not a regular file");
    if (info.size > MAX_SIZE) throw new Error(`it has ${info.size} bytes, more than any record`);
    // Another file came in its place, which must not be waited for
    using file = openWithoutWaiting(this.path, info) ?? replaced();
    let entries = 0;
    let isValid = true;
    const pieces = linePiecesOf(file, info.size, MAX_LINE_BYTES);
    let piece = pieces.next();
    for (; !piece.done; piece = pieces.next()) {
      for (const line of piece.value) {
        const entry = line === "" ? undefined : parseEntry(line);
        entries += sizeOf(entry);
        if (entries > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} entries, more than any record`);
        if (line === "") continue;
        this.#lines++;
        isValid &&= entry !== undefined;
        yield entry;
      }
    }
    this.#inode = info.ino;
    this.#size = info.size;
    this.#isStale = !isValid || !piece.value;
  }

  /**
   * Appends entries in one write. Rewrites the file first, with `all` entries, if that is necessary.
   *
   * @throws {Deno.errors.*} the entries are not recorded
   */
  append(entries: readonly Entry[], all: () => Entry[]): void {
    try {
      this.#append(entries, all);
    } catch (error) {
      // It is reported as the failure of a file, which is on another volume perhaps
      if (this.#isElsewhere && error instanceof Error) {
        error.message = `cannot record it in STATE_FILE ${this.path}: ${error.message}`;
      }
      throw error;
    }
  }

  #append(entries: readonly Entry[], all: () => Entry[]): void {
    if (this.#isStale) this.rewrite(all());
    try {
      this.#add(entries);
    } catch (error) {
      const isGone = error instanceof Deno.errors.NotFound;
      // An earlier run was under another user
      const isForeign = error instanceof Deno.errors.PermissionDenied || error instanceof ReplacedError;
      if (!isGone && !isForeign) throw error;
      this.rewrite(all());
      this.#add(entries);
    }
  }

  #add(entries: readonly Entry[]): void {
    const bytes = ENCODER.encode(entries.map(lineOf).join(""));
    try {
      using file = this.#open();
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      this.#lines += entries.length;
      this.#size += bytes.length;
    } catch (error) {
      // A part of the entry may have been written
      this.#isStale = !this.#isUnchanged;
      throw error;
    }
  }

  /** Opens the file to append to it. Opened for reading too, it does not wait for the other side of a FIFO. */
  #open(): Deno.FsFile {
    const file = Deno.openSync(this.path, { append: true, read: true });
    const { isFile, ino } = file.statSync();
    if (isFile && ino === this.#inode) return file;
    file.close();
    return replaced();
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
    if (this.path === place.recordPath) place.freeRecordPath();
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

/** Another file, or something else, is in the record's place. */
class ReplacedError extends Error {}

function replaced(): never {
  throw new ReplacedError("it was replaced by somebody else");
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
