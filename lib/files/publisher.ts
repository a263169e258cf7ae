import { AllowedFolders, RefusedPathError } from "./allowed_folders.ts";
import type { Body } from "./body.ts";
import { hasOtherName, useCanonicalNames } from "./canonical_names.ts";
import { fileHas } from "./comparison.ts";
import { type ConfigFile, ConfigFiles } from "./config_files.ts";
import { errnoOf, lstat, removeIfThere } from "./file_calls.ts";
import { isFolderWritable } from "./folder_probe.ts";
import { FreePaths } from "./free_paths.ts";
import type { Journal } from "./journal.ts";
import { OwnedFile } from "./owned_file.ts";
import { parentOf } from "./paths.ts";
import { PublishError, publishErrorOf, reasonOf } from "./publish_error.ts";
import { openForRewrite, overwrite, UNFINISHED } from "./rewrite.ts";
import { sameStamp, stampOf } from "./stamp.ts";
import type { TemporaryFile } from "./temporary_file.ts";
import { TemporaryPlaces } from "./temporary_places.ts";

export interface PublisherOptions {
  /** FOLDER: absolute and normalised; made when it is missing. */
  folder: string;
  allowedFolders: readonly string[];
  /** Permission bits, exact whatever the umask, unless the volume refuses modes. */
  mode: number;
  /** `false`: an existing file keeps its inode and is rewritten in place. */
  atomicWrites: boolean;
  journal: Journal;
  /** Files that are never written to. */
  configFiles: readonly ConfigFile[];
  /** Keeps the temporary files of several sidecars in one folder apart. */
  id: string;
  /** Called before a file is changed or removed, so that a crash afterwards loses no notification. */
  beforeChange(path: string): void;
  log: { info(message: string, properties?: Record<string, unknown>): void };
}

/**
 * Puts bytes on disk so that a reader sees the old ones or the new ones, never a part. Does for each file by itself what
 * the kubelet's `pkg/volume/util/atomic_writer.go` does for a directory. All calls are synchronous: a call takes about a
 * microsecond, much less than handing it to another thread.
 *
 * To publish a file:
 *
 *  1. Make its directory, unless it is there. Refuse a directory that leads out of the allowed folders.
 *  2. Compare the bytes with those on disk. If they are right, correct the mode and tell the journal; that is all.
 *  3. Write the bytes to a temporary file on the same file system, in a directory that no consumer reads.
 *  4. Correct the mode of the temporary file, if the umask changed it. A volume may refuse that.
 *  5. Record in the journal that the path is ours, which object it is for, and what identifies the new file. A crash after
 *     this leaves no file that the next start does not know.
 *  6. Rename the temporary file to the path.
 *
 * With ATOMIC_WRITES=false, a regular file that is there is rewritten in place of 4 to 6: record that it is ours and
 * unfinished, copy the temporary file's bytes into it, and record what identifies it now. A copy that fails, or a crash,
 * leaves a part of the bytes and an unfinished file in the journal, which the next attempt or the disk check restores.
 *
 * To remove a file:
 *
 *  1. Make sure that the path is ours and holds a regular file, in an allowed folder, that is ours by no other path; for a
 *     path that only the record of an earlier run names, that it is still the file that was written.
 *  2. Remove the file.
 *  3. Drop the path from the journal.
 *  4. Remove the directories that were made for the file and are empty now.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #allowedFolders: AllowedFolders;
  readonly #temporaries: TemporaryPlaces;
  readonly #configFiles: ConfigFiles;
  #freePaths: FreePaths | undefined;

  /** @throws {PublishError} the folder does not exist and cannot be created */
  constructor(options: PublisherOptions) {
    const { folder, allowedFolders, journal, configFiles } = options;
    this.#options = options;
    try {
      this.#allowedFolders = new AllowedFolders(folder, allowedFolders, journal);
    } catch (cause) {
      throw new PublishError(`cannot use ${folder}: ${reasonOf(cause)}`, { cause });
    }
    useCanonicalNames(journal, this.#allowedFolders);
    this.#temporaries = new TemporaryPlaces({ ...options, allowedFolders: this.#allowedFolders, modes: journal.modes });
    // STATE_FILE may be among the published files
    const record = journal.path === undefined ? [] : [{ path: journal.path, what: "the record of files (STATE_FILE)" }];
    this.#configFiles = new ConfigFiles([...configFiles, ...record]);
    for (const directory of new Set([...journal.files()].map(([path]) => parentOf(path)))) this.#visit(directory);
  }

  /** From now on, these files are never written to, either. */
  protect(files: readonly ConfigFile[]): void {
    this.#configFiles.add(files);
  }

  canonical(directory: string): string {
    return this.#allowedFolders.canonical(directory);
  }

  /** Announces many files, most of them for paths that do not exist yet. */
  beginFirstSync(): void {
    this.#freePaths = new FreePaths(this.#options.journal);
  }

  endFirstSync(): void {
    this.#freePaths = undefined;
  }

  /**
   * Makes a path hold exactly these bytes. Returns whether the bytes on disk changed.
   *
   * @param owner the key of the object that they come from
   * @throws {RefusedPathError | PublishError} nothing changed
   */
  publish(path: string, content: Uint8Array | Body, owner: string): boolean {
    const body = content instanceof Uint8Array ? () => [content] : content;
    return this.#guarded(path, "write", () => {
      this.#prepareDirectory(path); // (1)
      const present = this.#freePaths?.has(path) ? undefined : this.#presentAt(path);
      if (present?.isFile && this.#has(path, present, body) && this.#adopt(path, present, owner)) return false; // (2)
      using file = this.#temporaries.createFile(path, this.#options.mode); // (3)
      for (const piece of body()) file.write(piece);
      this.#put(file, present, owner);
      return true;
    });
  }

  /**
   * Opens a temporary file for content that comes in pieces; {@link commit} or {@link TemporaryFile.end} ends it.
   *
   * @throws {RefusedPathError | PublishError}
   */
  open(path: string): TemporaryFile {
    return this.#guarded(path, "write", () => {
      this.#prepareDirectory(path); // (1)
      return this.#temporaries.createFile(path, this.#options.mode); // (3)
    });
  }

  /** Does what {@link publish} does, with the bytes that a temporary file was filled with. */
  commit(file: TemporaryFile, owner: string): boolean {
    const { target } = file;
    return this.#guarded(target, "write", () => {
      using _ = file;
      // The directory may have been replaced by a symlink during the download, or removed with its last file
      this.#allowedFolders.ensureDirectory(parentOf(target)); // (1)
      const present = this.#presentAt(target);
      if (present?.isFile && this.#has(target, present, file.body) && this.#adopt(target, present, owner)) return false; // (2)
      this.#put(file, present, owner);
      return true;
    });
  }

  /**
   * Removes a file of ours. Returns whether there was one.
   * @throws {PublishError} it is still there
   */
  remove(path: string): boolean {
    const { journal, beforeChange, log } = this.#options;
    return this.#guarded(path, "remove", () => {
      if (journal.ownerOf(path) === undefined) return false; // (1)
      const folders = this.#allowedFolders;
      const isReachable = folders.has(parentOf(path)) && !hasOtherName(path, journal, folders);
      const present = isReachable ? lstat(path) : undefined;
      const isOurs = present?.isFile === true && journal.mayBeOurs(path, stampOf(present));
      if (isOurs) {
        beforeChange(path);
        removeIfThere(path); // (2)
      } else if (present !== undefined) {
        log.info(`${path} is not the file that this sidecar wrote, so it is not removed`, { path });
      }
      journal.drop(path); // (3)
      this.removeIfEmpty(parentOf(path), isReachable); // (4)
      return isOurs;
    });
  }

  #prepareDirectory(path: string): void {
    const directory = parentOf(path);
    const realDirectory = this.#allowedFolders.ensureDirectory(directory);
    this.#configFiles.refusePath(path, realDirectory);
    this.#temporaries.visit(directory);
  }

  /** @throws {RefusedPathError} it is a file that the configuration names */
  #presentAt(path: string): Deno.FileInfo | undefined {
    const present = lstat(path);
    if (present === undefined) return undefined;
    const isStrange = !present.isFile || this.#options.journal.ownerOf(path) === undefined;
    if (isStrange) this.#configFiles.refuseEntry(path, present);
    return present;
  }

  #has(path: string, present: Deno.FileInfo, body: Body): boolean {
    const known = this.#options.journal.fileAt(path);
    return fileHas(path, present, body, { isOurs: known !== undefined && sameStamp(known, stampOf(present)) });
  }

  /**
   * Makes a file with the right bytes ours, and corrects its mode. Returns `false` when the mode cannot be changed because
   * the file belongs to another user: it must be replaced.
   */
  #adopt(path: string, present: Deno.FileInfo, owner: string): boolean {
    const { journal, log } = this.#options;
    if (!this.#correctMode(path, present)) return false;
    const isNew = journal.ownerOf(path) === undefined;
    journal.own(path, owner, stampOf(present));
    if (isNew) log.info(`adopted existing ${path}: its content already matches`, { path });
    return true;
  }

  /** Returns `false` when only another file could have the right mode. */
  #correctMode(path: string, present: Deno.FileInfo): boolean {
    const { journal: { modes }, mode } = this.#options;
    return modes.setAny(path, present, mode, () => {
      const probe = this.#temporaries.createFile(path, mode);
      try {
        probe.ensureMode(mode, modes);
      } finally {
        // Not `using`: the bundler drops that of a variable with a single use
        probe.end();
      }
    });
  }

  /** @param present what is at the path now */
  #put(file: TemporaryFile, present: Deno.FileInfo | undefined, owner: string): void {
    const { journal, mode, atomicWrites, log, beforeChange } = this.#options;
    const { target } = file;
    if (present?.isFile && !atomicWrites && this.#rewrite(file, present, owner)) return;
    if (present?.isDirectory) {
      // A download that was given up may have left one
      if (this.#allowedFolders.removeMade(target)) return this.#put(file, undefined, owner);
      throw new PublishError(`cannot write ${target}: a directory is in the way`, { path: target });
    }
    const before = journal.fileAt(target);
    const isTakeOver = present !== undefined && before === undefined;
    const stamp = file.ensureMode(mode, journal.modes); // (4)
    try {
      journal.own(target, owner, stamp, isTakeOver ? "taken over" : undefined); // (5)
      beforeChange(target);
      // It may lead elsewhere by now
      this.#allowedFolders.realPathOf(parentOf(target));
      file.rename(); // (6)
    } catch (error) {
      journal.disown(target, before);
      const copy = errnoOf(error) === "EXDEV" ? this.#temporaries.copyElsewhere(file, mode) : undefined;
      if (copy === undefined) throw error;
      using _ = copy;
      return this.#put(copy, present, owner);
    }
    if (!isTakeOver) return;
    journal.own(target, owner, stamp);
    log.info(`replaced existing ${target}, which this sidecar had not written`, { path: target });
  }

  /** Copies a temporary file into the file that is there. Returns `false` when that file must be replaced. */
  #rewrite(file: TemporaryFile, present: Deno.FileInfo, owner: string): boolean {
    const { journal, mode, log, beforeChange } = this.#options;
    const { target } = file;
    using open = openForRewrite(target, present, mode);
    if (open === undefined || !this.#correctMode(target, open.statSync())) return false;
    const before = journal.fileAt(target);
    const unfinished = { ...stampOf(present), ...UNFINISHED };
    if (before === undefined) journal.own(target, owner, stampOf(present), "rewritten");
    else journal.own(target, owner, unfinished);
    try {
      beforeChange(target);
      overwrite(open, file.body);
    } catch (error) {
      // A part of it may still be the content of the object that had the path before
      journal.disown(target, new OwnedFile(before?.owner ?? owner, unfinished));
      throw error;
    }
    journal.own(target, owner, stampOf(open.statSync()));
    if (before === undefined) log.info(`rewrote existing ${target}, not written by this sidecar`, { path: target });
    return true;
  }

  #visit(directory: string): void {
    try {
      if (this.#allowedFolders.has(directory)) this.#temporaries.visit(directory);
    } catch {
      // The next file for this directory reports what is wrong
    }
  }

  /** Removes a directory that was made here, and those around it, as far as they are empty. */
  removeIfEmpty(directory: string, isReachable = this.#allowedFolders.has(directory)): void {
    if (!isReachable) return;
    for (const removed of this.#allowedFolders.removeEmpty(directory)) this.#temporaries.forget(removed);
  }

  #guarded<T>(path: string, verb: "write" | "remove", act: () => T): T {
    try {
      return act();
    } catch (cause) {
      if (cause instanceof PublishError || cause instanceof RefusedPathError) throw cause;
      const about = { action: `cannot ${verb} ${path}`, path };
      throw publishErrorOf(cause, about, () => isFolderWritable(this.#options, this.#temporaries));
    }
  }
}
