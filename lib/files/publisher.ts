import { AllowedFolders, RefusedPathError } from "./allowed_folders.ts";
import type { Body } from "./body.ts";
import { fileHas } from "./comparison.ts";
import { errnoOf, lstat, removeIfThere } from "./file_calls.ts";
import { FirstListing } from "./first_listing.ts";
import type { Journal } from "./journal.ts";
import { joinPath, nameOf, parentOf, RESERVED_PREFIX } from "./paths.ts";
import { PublishError, reasonOf } from "./publish_error.ts";
import { stampOf } from "./stamp.ts";
import type { TemporaryFile } from "./temporary_file.ts";
import { TemporaryPlaces } from "./temporary_places.ts";

export interface PublisherOptions {
  /** FOLDER: absolute and normalised; made when it is missing. */
  folder: string;
  allowedFolders: readonly string[];
  /** Permission bits, exact whatever the umask. */
  mode: number;
  journal: Journal;
  /** Tells the temporary files of several sidecars in one folder apart. */
  id: string;
  /** Called before the bytes at a path change or go, so that a crash right after it does not lose the notification. */
  beforeChange(path: string): void;
  log: { info(message: string, properties?: Record<string, unknown>): void };
}

/** The call and its paths in an error message of Deno's: `: open '/a'`, `: rename '/a' -> '/b'`. */
const CALL = /: \w+ '.*'(?=:|$)/;

/** The system's error numbers for a missing right. */
const MISSING_RIGHT: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM", "EROFS"]);

/**
 * Puts bytes on disk so that a reader sees the old ones or the new ones, never a part. Follows the kubelet's
 * `pkg/volume/util/atomic_writer.go`, for each file by itself. All calls are synchronous: one takes some ten
 * microseconds, less than handing it to another thread and back.
 *
 * To publish a file:
 *
 *  1. The directory is made where it is missing. One that leads out of the allowed folders is refused.
 *  2. The bytes are compared with those on disk. If they are right, only the mode is corrected and the journal told.
 *  3. The bytes are written to a temporary file, on the same file system, in a directory that nobody reads.
 *  4. It is made sure that the temporary file has the right mode.
 *  5. The journal records that the path is ours, whose content it has and what identifies the new file. From here on a
 *     crash leaves a file that the next start knows as ours.
 *  6. The temporary file is renamed to the path.
 *
 * To remove a file:
 *
 *  1. The journal must know the path as ours, and it must be a regular file in an allowed folder.
 *  2. The file is removed.
 *  3. The journal forgets the path.
 *  4. The directories that were made for it are removed, as far as they are empty.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #allowedFolders: AllowedFolders;
  readonly #temporaries: TemporaryPlaces;
  /** Set during the first sync. */
  #firstListing: FirstListing | undefined;
  /** The real path of the directory that the record is in, in case STATE_FILE is between the published files. */
  readonly #recordDirectory: string | undefined;

  /** @throws {PublishError} the folder can neither be found nor made */
  constructor(options: PublisherOptions) {
    const { folder, id, allowedFolders, journal } = options;
    this.#options = options;
    try {
      this.#allowedFolders = new AllowedFolders(folder, allowedFolders, journal);
    } catch (cause) {
      throw new PublishError(`cannot use ${folder}: ${reasonOf(cause)}`, { cause });
    }
    this.#temporaries = new TemporaryPlaces({ folder, id, allowedFolders: this.#allowedFolders });
    this.#recordDirectory = journal.path && realPathOf(parentOf(journal.path));
    for (const directory of new Set([...journal.files()].map(([path]) => parentOf(path)))) this.#visit(directory);
  }

  /** From now on many files come, nearly all of them to paths where nothing is. */
  beginFirstSync(): void {
    this.#firstListing = new FirstListing(this.#options.journal);
  }

  endFirstSync(): void {
    this.#firstListing = undefined;
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
      const present = this.#firstListing?.isFree(path) ? undefined : lstat(path);
      if (present?.isFile && fileHas(path, body) && this.#adopt(path, present, owner)) return false; // (2)
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
      const present = lstat(target);
      if (present?.isFile && fileHas(target, file.body) && this.#adopt(target, present, owner)) return false; // (2)
      this.#put(file, present, owner);
      return true;
    });
  }

  /**
   * Removes a file of ours. Returns whether there was one.
   *
   * @throws {PublishError} it is still there
   */
  remove(path: string): boolean {
    const { journal, beforeChange, log } = this.#options;
    return this.#guarded(path, "remove", () => {
      if (journal.ownerOf(path) === undefined) return false; // (1)
      const isReachable = this.#allowedFolders.has(parentOf(path));
      const present = isReachable ? lstat(path) : undefined;
      if (present?.isFile) {
        beforeChange(path);
        removeIfThere(path); // (2)
      } else if (present !== undefined) {
        log.info(`${path} is no longer a file, so it is not ours: left alone`, { path });
      }
      journal.drop(path); // (3)
      if (isReachable) this.#removeEmptyDirectories(parentOf(path)); // (4)
      return present?.isFile === true;
    });
  }

  #prepareDirectory(path: string): void {
    const directory = parentOf(path);
    const realDirectory = this.#allowedFolders.ensureDirectory(directory);
    if (realDirectory === this.#recordDirectory && nameOf(path) === nameOf(this.#options.journal.path ?? "")) {
      throw new RefusedPathError(`${path} is where the record of files is kept (STATE_FILE)`);
    }
    this.#temporaries.visit(directory);
  }

  /**
   * The bytes are right: makes the path ours and corrects its mode. `false`: the mode of a file that belongs to another
   * user cannot be changed, so the file must be replaced.
   */
  #adopt(path: string, present: Deno.FileInfo, owner: string): boolean {
    const { journal, mode, log } = this.#options;
    if (present.mode !== null && (present.mode & 0o7777) !== mode) {
      try {
        Deno.chmodSync(path, mode);
      } catch (error) {
        if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return false;
        throw error;
      }
    }
    if (journal.ownerOf(path) === undefined) {
      log.info(`${path} was there with the same content: it is ours from now on`, { path });
    }
    journal.own(path, owner, stampOf(present));
    return true;
  }

  /** @param present what is at the path now */
  #put(file: TemporaryFile, present: Deno.FileInfo | undefined, owner: string): void {
    const { journal, mode, log, beforeChange } = this.#options;
    const { target } = file;
    if (present?.isDirectory) throw new PublishError(`cannot write ${target}: there is a directory in its place`);
    const before = journal.fileAt(target);
    const isTakeOver = present !== undefined && before === undefined;
    const stamp = file.ensureMode(mode); // (4)
    try {
      journal.own(target, owner, stamp, { isTakeOver }); // (5)
      beforeChange(target);
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
    log.info(`${target} was there before: taken over and replaced`, { path: target });
  }

  #visit(directory: string): void {
    try {
      if (this.#allowedFolders.has(directory)) this.#temporaries.visit(directory);
    } catch {
      // It is looked at again when a file goes there
    }
  }

  #removeEmptyDirectories(directory: string): void {
    for (const removed of this.#allowedFolders.removeEmpty(directory)) this.#temporaries.forget(removed);
  }

  #guarded<T>(path: string, verb: "write" | "remove", act: () => T): T {
    try {
      return act();
    } catch (cause) {
      if (cause instanceof PublishError || cause instanceof RefusedPathError) throw cause;
      const reason = reasonOf(cause);
      // A temporary file has another name each time; the same failure must read the same each time
      const lasting = reason.includes(`/${RESERVED_PREFIX}`) ? reason.replace(CALL, "") : reason;
      const isImpossible = MISSING_RIGHT.has(errnoOf(cause)) && this.#isFolderWritable();
      throw new PublishError(`cannot ${verb} ${path}: ${lasting}`, { cause, isImpossible });
    }
  }

  /** Whether files can be published in FOLDER itself, so that a missing right is a matter of one path. */
  #isFolderWritable(): boolean {
    const { folder, id, mode, journal } = this.#options;
    const probe = joinPath(folder, `${RESERVED_PREFIX}${id}-probe`);
    try {
      this.#temporaries.createFile(probe, mode).end();
      Deno.mkdirSync(probe);
      Deno.removeSync(probe);
      return journal.isWritable;
    } catch {
      return false;
    }
  }
}

/** The path itself when nothing is there. */
function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
