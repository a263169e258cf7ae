import { OwnedFile } from "./owned_file.ts";
import type { Entry, RecordedCollection, RecordedFailure } from "./record_format.ts";
import { isAt, isOurs } from "./recorded_file.ts";
import { UNFINISHED } from "./rewrite.ts";
import type { Stamp } from "./stamp.ts";

/** A process has no more collections than this. */
const MAX_COLLECTIONS = 2000;

/** What the entries of a record say, in their order. */
export class RecordReplay {
  readonly owned = new Map<string, OwnedFile>();
  /** Directories that we made. */
  readonly made = new Set<string>();
  /** Paths whose changes the application has not been notified of. */
  pending: Set<string> | undefined;
  failure: RecordedFailure | undefined;
  /** All collections of the process that wrote the record. */
  collections: RecordedCollection[] = [];
  /** An entry had a condition. It must not last, because the inode may be used again for another file. */
  hasConditions = false;
  /** Each key is stored once, even if the object has many files. */
  readonly #owners = new Map<string, string>();
  #last: { path: string; before: OwnedFile | undefined } | undefined;

  take(entry: Entry): void {
    switch (entry[0]) {
      case "own": {
        const [, path, key, ino, mtime, size, condition] = entry;
        this.#last = { path, before: this.owned.get(path) };
        const owner = this.#owners.get(key) ?? key;
        this.#owners.set(key, owner);
        const stamp: Stamp = { ino, mtime, size };
        if (condition === undefined) return void this.owned.set(path, new OwnedFile(owner, stamp));
        this.hasConditions = true;
        if (!isOurs(path, stamp, condition)) return;
        this.owned.set(path, new OwnedFile(owner, condition === "rewritten" ? { ino, ...UNFINISHED } : stamp));
        return;
      }
      case "drop":
        return void this.owned.delete(entry[1]);
      case "make":
        return void this.made.add(entry[1]);
      case "unmake":
        return void this.made.delete(entry[1]);
      case "pending":
        this.pending ??= new Set();
        for (const path of entry[1]) this.pending.add(path);
        return;
      case "delivered":
        return this.settle(entry[1]);
      case "failure":
        this.failure = entry[1] ?? undefined;
        return;
      case "collections":
        this.collections = [];
        return;
      case "collection":
        if (this.collections.length < MAX_COLLECTIONS) this.collections.push(entry[1]);
    }
  }

  /** Every entry was taken. After a crash between the last one and the rename, the file is the one before. */
  end(): void {
    const { path, before } = this.#last ?? {};
    if (path === undefined || before === undefined) return;
    const latest = this.owned.get(path);
    if (!(latest && isAt(path, latest)) && isAt(path, before)) this.owned.set(path, before);
  }

  /** Replaces paths by other names of the same files and directories. Returns whether there was any. */
  rename(nameOf: (path: string) => string): boolean {
    let isRenamed = false;
    for (const [path, file] of this.owned) {
      const name = nameOf(path);
      if (name === path) continue;
      this.owned.delete(path);
      if (!this.owned.has(name)) this.owned.set(name, file);
      isRenamed = true;
    }
    for (const directory of this.made) {
      const name = nameOf(directory);
      if (name === directory) continue;
      this.made.delete(directory);
      this.made.add(name);
      isRenamed = true;
    }
    return isRenamed;
  }

  /** The record is lost. */
  clear(): void {
    this.owned.clear();
    this.made.clear();
    this.pending = undefined;
    this.failure = undefined;
    this.collections = [];
  }

  /** @param told `undefined` for all */
  settle(told: readonly string[] | undefined): void {
    for (const path of told ?? []) this.pending?.delete(path);
    if (told === undefined || this.pending?.size === 0) this.pending = undefined;
  }
}
