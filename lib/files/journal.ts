/**
 * What is ours on disk, recorded on disk: the paths of our files and of the directories we made, and whether the
 * application must still be told of a change. One JSON array a line, only ever added to, and written anew when it has
 * grown to twice what it says. A line that was cut, or is no record, says nothing; the rest counts.
 *
 * ```
 * ["journal", 1]
 * ["own", "/data/a.json", "ConfigMap/default/a"]          ours
 * ["own", "/data/a.json", "ConfigMap/default/a", 4711]    ours if its inode is 4711: we were about to replace a stranger's
 * ["drop", "/data/a.json"]                                no longer ours
 * ["make", "/data/team"]                                  a directory that we made
 * ["unmake", "/data/team"]
 * ["owe", ["/data/a.json"]]                               these changes have yet to be notified
 * ["paid"]
 * ```
 */

import { parentOf } from "./allowed_folders.ts";

/** A small narrow view of the log. */
export interface JournalLog {
  warn(message: string, properties?: Record<string, unknown>): void;
}

const FORMAT = 1;

/** Records beyond twice the live ones that are put up with before the journal is written anew. */
const SLACK = 1000;

const ENCODER = new TextEncoder();

export class Journal {
  /** Path to the key of the object it was written for. */
  readonly #owned = new Map<string, string>();
  /** Paths that are ours, though the file says so of one inode only. */
  readonly #conditional = new Set<string>();
  readonly #made = new Set<string>();
  #owed: Set<string> | undefined;
  readonly #path: string | undefined;
  /** Lines in the file; what a crash leaves behind counts too. */
  #lines = 0;
  /** The file is not what it should be: the next record writes it anew. */
  #stale = true;
  #inode: number | null = null;
  /** Bytes in the file, when nobody else wrote to it; an inode alone may be used again. */
  #size = 0;

  /**
   * Reads a journal. Never throws: one that cannot be read, or only in part, is reported and what it does not say is
   * not ours.
   *
   * @param path `undefined`: nothing is recorded
   */
  constructor(path: string | undefined, log: JournalLog) {
    this.#path = path;
    if (path === undefined) return;
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      log.warn(`cannot read ${path}: files written before this start are left alone until an object wants them`, {
        error,
      });
      return;
    }
    this.#stale = false;
    const text = new TextDecoder().decode(bytes);
    const lines = text.split("\n").filter((line) => line !== "");
    const ignored = lines.filter((line) => !this.#read(line)).length;
    if (ignored > 0) {
      log.warn(
        `${ignored} of ${lines.length} lines of ${path} are no records; files that only they name are left alone`,
      );
    }
    this.#lines = lines.length;
    if (ignored > 0 || !text.endsWith("\n")) this.#stale = true;
    this.#inode = inodeOf(path);
    this.#size = bytes.length;
  }

  /** Where it is; `undefined`: nothing is recorded. */
  get path(): string | undefined {
    return this.#path;
  }

  /** Every path that is ours, with the key of the object it was written for. */
  get owned(): ReadonlyMap<string, string> {
    return this.#owned;
  }

  /** Key of the object whose content a path of ours holds. */
  ownerOf(path: string): string | undefined {
    return this.#owned.get(path);
  }

  *files(): Generator<[path: string, file: { owner: string }], void> {
    for (const [path, owner] of this.#owned) yield [path, { owner }];
  }

  get madeDirectories(): ReadonlySet<string> {
    return this.#made;
  }

  /**
   * Records that a path is ours. With `inode` it is only once the path has that inode.
   *
   * @throws {Deno.errors.*} the record cannot be written; the path is then not ours
   */
  own(path: string, owner: string, inode?: number): void {
    if (inode === undefined && this.#owned.get(path) === owner && !this.#conditional.has(path)) return;
    this.#append(inode === undefined ? ["own", path, owner] : ["own", path, owner, inode]);
    this.#owned.set(path, owner);
    if (inode === undefined) this.#conditional.delete(path);
    else this.#conditional.add(path);
  }

  drop(path: string): void {
    if (!this.#owned.delete(path)) return;
    this.#conditional.delete(path);
    this.#appendIfPossible(["drop", path]);
  }

  make(directory: string): void {
    if (this.#made.has(directory)) return;
    this.#append(["make", directory]);
    this.#made.add(directory);
  }

  unmake(directory: string): void {
    if (this.#made.delete(directory)) this.#appendIfPossible(["unmake", directory]);
  }

  /** Paths whose change has yet to be notified; `undefined` when nothing is owed. */
  get owed(): ReadonlySet<string> | undefined {
    return this.#owed;
  }

  owe(paths: Iterable<string>): void {
    const owed = this.#owed ??= new Set();
    const added = [...paths].filter((path) => !owed.has(path));
    if (added.length === 0) return;
    for (const path of added) owed.add(path);
    this.#appendIfPossible(["owe", added]);
  }

  paid(): void {
    if (this.#owed === undefined) return;
    this.#owed = undefined;
    this.#appendIfPossible(["paid"]);
  }

  /**
   * Makes the file on disk say what is known here: when somebody removed or replaced it, when a record could not be
   * written, or when it has grown too long.
   */
  tidy(): void {
    if (this.#path === undefined) return;
    if (this.#stale || this.#hasGrown || !this.#isOurs(this.#path)) this.#rewriteIfPossible();
  }

  get #hasGrown(): boolean {
    return this.#lines > 2 * (this.#owned.size + this.#made.size) + SLACK;
  }

  /** Nobody put another file in its place, or wrote to it. */
  #isOurs(path: string): boolean {
    try {
      const { ino, size } = Deno.lstatSync(path);
      return ino === this.#inode && size === this.#size;
    } catch {
      return false;
    }
  }

  #append(record: unknown[]): void {
    if (this.#path === undefined) return;
    if (this.#stale) this.#rewrite();
    else if (this.#hasGrown) this.#shorten();
    const bytes = ENCODER.encode(`${JSON.stringify(record)}\n`);
    try {
      Deno.writeFileSync(this.#path, bytes, { append: true, create: false });
      this.#lines++;
      this.#size += bytes.length;
    } catch (error) {
      // A part of the line may be there: it must not become the beginning of the next record
      this.#stale = !this.#isOurs(this.#path);
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      this.#rewrite();
      this.#append(record);
    }
  }

  /** For records whose loss is safe: at worst we look again at a path, or notify once more. */
  #appendIfPossible(record: unknown[]): void {
    try {
      this.#append(record);
    } catch {
      this.#stale = true;
    }
  }

  /** On a disk too full for that, what is there still says all. */
  #shorten(): void {
    try {
      this.#rewrite();
    } catch {
      this.#stale = false;
    }
  }

  #rewriteIfPossible(): void {
    try {
      this.#rewrite();
    } catch {
      this.#stale = true;
    }
  }

  #rewrite(): void {
    if (this.#path === undefined) return;
    const temporary = `${this.#path}.new`;
    const records: unknown[][] = [["journal", FORMAT]];
    for (const directory of this.#made) records.push(["make", directory]);
    for (const [path, owner] of this.#owned) records.push(["own", path, owner]);
    if (this.#owed !== undefined) records.push(["owe", [...this.#owed]]);
    const bytes = ENCODER.encode(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    try {
      Deno.mkdirSync(parentOf(this.#path), { recursive: true });
      Deno.writeFileSync(temporary, bytes, { mode: 0o600 });
      Deno.renameSync(temporary, this.#path);
    } catch (error) {
      removeIfPossible(temporary);
      throw error;
    }
    this.#lines = records.length;
    this.#inode = inodeOf(this.#path);
    this.#size = bytes.length;
    this.#conditional.clear();
    this.#stale = false;
  }

  /** `false`: the line is no record. */
  #read(line: string): boolean {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      return false;
    }
    if (!Array.isArray(record)) return false;
    const [verb, subject, owner, inode] = record;
    switch (verb) {
      case "journal":
        return subject === FORMAT;
      case "paid":
        this.#owed = undefined;
        return true;
      case "owe":
        if (!Array.isArray(subject)) return false;
        this.#owed = new Set([...(this.#owed ?? []), ...subject.filter((path) => typeof path === "string")]);
        return true;
    }
    if (typeof subject !== "string" || !subject.startsWith("/")) return false;
    switch (verb) {
      case "own":
        if (typeof owner !== "string") return false;
        if (inode === undefined || inodeOf(subject) === inode) this.#owned.set(subject, owner);
        // Its inode will be somebody else's one day: the line must not outlive the next rewrite
        else this.#stale = true;
        if (inode === undefined) this.#conditional.delete(subject);
        else this.#conditional.add(subject);
        return true;
      case "drop":
        this.#owned.delete(subject);
        return true;
      case "make":
        this.#made.add(subject);
        return true;
      case "unmake":
        this.#made.delete(subject);
        return true;
      default:
        return false;
    }
  }
}

function inodeOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    return null;
  }
}

function removeIfPossible(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // it was never made, or goes with the next rewrite
  }
}
