/**
 * Puts bytes on disk so that a reader sees the old ones or the new ones, never a part; after the kubelet's
 * `pkg/volume/util/atomic_writer.go`, for each file by itself. All calls are synchronous: one takes some ten
 * microseconds, less than handing it to another thread and back.
 *
 * To publish:
 *  1. make the directory, and refuse one that leads out of the allowed folders
 *  2. compare with the disk: bytes that are already right are not written again
 *  3. write a temporary file beside it, readable by nobody else
 *  4. give it its mode
 *  5. record in the journal that the path is ours
 *  6. rename it to its path
 *
 * To remove:
 *  1. make sure that it is ours, inside the allowed folders, and a file
 *  2. delete it
 *  3. drop it from the journal
 *  4. remove the directories that we made for it and that are now empty
 */
import type { Body } from "./body.ts";
import { fileHas, sameFiles } from "./comparison.ts";
import { Draft } from "./temporary_file.ts";
import { FirstLook } from "./first_listing.ts";
import type { Journal } from "./journal.ts";
import { joinPath, RESERVED_PREFIX } from "./projection.ts";
import { PublishError, reasonOf } from "./publish_error.ts";
import { parentOf, RefusedPathError, Roots } from "./allowed_folders.ts";

export interface PublisherLog {
  info(message: string, properties?: Record<string, unknown>): void;
  debug(message: string, properties?: Record<string, unknown>): void;
}

export interface PublisherOptions {
  /** Absolute and normalised; made when it is missing. */
  folder: string;
  allowedFolders: readonly string[];
  /** Permission bits, exact whatever the umask. */
  mode: number;
  journal: Journal;
  /** Distinguishes the temporaries of several sidecars in one folder. */
  id: string;
  random: () => number;
  /** Called before the bytes at a path change or go, so that the debt to tell about it outlives a crash in between. */
  beforeChange(path: string): void;
  log: PublisherLog;
}

/** What Deno tells of the call that failed: `: open '/a'`, `: rename '/a' -> '/b'`. */
const PATHS = /: \w+ '.*'(?=:|$)/;

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #roots: Roots;
  readonly #temporaryPrefix: string;
  /** Directories in which temporaries of an earlier run were looked for. */
  readonly #swept = new Set<string>();
  /** Set while the first sync is under way. */
  #firstLook: FirstLook | undefined;

  /** @throws {PublishError} the folder can neither be found nor made */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#temporaryPrefix = `${RESERVED_PREFIX}${options.id}-`;
    try {
      this.#roots = new Roots(options.folder, options.allowedFolders, options.journal);
    } catch (cause) {
      throw new PublishError(`cannot use ${options.folder}: ${reasonOf(cause)}`, { cause });
    }
    for (const path of options.journal.owned.keys()) this.#sweep(parentOf(path));
    this.#sweep(options.folder);
  }

  /** Many files are about to come, nearly all of them to paths where nothing is. */
  beginFirstSync(): void {
    this.#firstLook = new FirstLook(this.#options.journal);
  }

  endFirstSync(): void {
    this.#firstLook = undefined;
  }

  /**
   * Makes a path hold exactly these bytes. Returns whether the bytes on disk changed.
   *
   * @throws {RefusedPathError | PublishError} nothing changed
   */
  publish(path: string, content: Uint8Array | Body, owner: string): boolean {
    const body = content instanceof Uint8Array ? () => [content] : content;
    return this.#guarded(path, "write", () => {
      this.#prepareDirectory(path);
      const present = this.#firstLook?.isFree(path) ? undefined : lstat(path);
      if (present?.isFile && fileHas(path, body) && this.#adopt(path, present, owner)) return false;
      const draft = this.#draft(path);
      try {
        for (const piece of body()) draft.write(piece);
        draft.create();
        this.#commit(draft, present, owner);
        return true;
      } catch (error) {
        this.discard(draft);
        throw error;
      }
    });
  }

  /**
   * Opens a temporary file for content that comes in pieces; {@link commit} or {@link discard} ends it.
   *
   * @throws {RefusedPathError | PublishError}
   */
  draft(path: string): Draft {
    return this.#guarded(path, "write", () => {
      this.#prepareDirectory(path);
      const draft = this.#draft(path);
      draft.create();
      return draft;
    });
  }

  /** As {@link publish}, with the bytes that a draft was filled with. */
  commit(draft: Draft, owner: string): boolean {
    return this.#guarded(draft.target, "write", () => {
      try {
        const present = lstat(draft.target);
        const { size } = Deno.lstatSync(draft.path);
        const isRight = present?.isFile && present.size === size && sameFiles(draft.path, draft.target);
        if (isRight && this.#adopt(draft.target, present, owner)) {
          this.discard(draft);
          return false;
        }
        this.#commit(draft, present, owner);
        return true;
      } catch (error) {
        this.discard(draft);
        throw error;
      }
    });
  }

  /** Never throws: a temporary that will not go goes at the next start. */
  discard(draft: Draft): void {
    try {
      removeIfThere(draft.path);
    } catch (error) {
      this.#options.log.debug(`cannot remove the temporary ${draft.path}`, { error });
    }
  }

  /**
   * Removes a file of ours. Returns whether there was one.
   *
   * @throws {PublishError} it is still there
   */
  remove(path: string): boolean {
    return this.#guarded(path, "remove", () => {
      if (!this.#options.journal.owned.has(path)) return false;
      const directory = parentOf(path);
      const reachable = this.#roots.has(directory);
      const removable = reachable && lstat(path)?.isFile === true;
      if (removable) {
        this.#options.beforeChange(path);
        removeIfThere(path);
      } else if (reachable && lstat(path) !== undefined) {
        this.#options.log.info(`${path} is no longer a file, so it is not ours: left alone`, { path });
      }
      this.#options.journal.drop(path);
      if (reachable) this.#removeEmptyDirectories(directory);
      return removable;
    });
  }

  #prepareDirectory(path: string): void {
    if (path === this.#options.journal.path) throw new RefusedPathError(`${path} is where the record of files is kept`);
    const directory = parentOf(path);
    this.#roots.ensureDirectory(directory);
    this.#sweep(directory);
  }

  /**
   * The bytes are right: makes the path ours, and its mode what it should be. `false`: the mode of a file that belongs to
   * another user cannot be changed, so the file must be replaced.
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
    if (!journal.owned.has(path)) log.info(`${path} was there with the same content: it is ours from now on`, { path });
    journal.own(path, owner);
    return true;
  }

  #draft(target: string): Draft {
    const name = this.#temporaryPrefix + Math.floor(this.#options.random() * 2 ** 48).toString(36);
    return new Draft(joinPath(parentOf(target), name), target);
  }

  #commit(draft: Draft, present: Deno.FileInfo | undefined, owner: string): void {
    const { journal, mode, log, beforeChange } = this.#options;
    const { target } = draft;
    const wasOurs = journal.owned.has(target);
    try {
      if (present?.isDirectory) throw new PublishError(`cannot write ${target}: there is a directory in its place`);
      Deno.chmodSync(draft.path, mode);
      if (present === undefined || wasOurs) journal.own(target, owner);
      else journal.own(target, owner, Deno.lstatSync(draft.path).ino ?? 0);
      beforeChange(target);
      Deno.renameSync(draft.path, target);
    } catch (error) {
      if (!wasOurs) journal.drop(target);
      throw error;
    }
    if (present !== undefined && !wasOurs) {
      log.info(`${target} was there before: taken over and replaced`, { path: target });
    }
  }

  /** Removes what an earlier run left half-written in a directory. */
  #sweep(directory: string): void {
    if (this.#swept.has(directory)) return;
    this.#swept.add(directory);
    try {
      if (!this.#roots.has(directory)) return;
      for (const { name, isFile } of Deno.readDirSync(directory)) {
        if (isFile && name.startsWith(this.#temporaryPrefix)) removeIfThere(joinPath(directory, name));
      }
    } catch (error) {
      this.#options.log.debug(`cannot look for left-over temporaries in ${directory}`, { error });
    }
  }

  #removeEmptyDirectories(directory: string): void {
    const { journal } = this.#options;
    for (let empty = directory; journal.madeDirectories.has(empty); empty = parentOf(empty)) {
      try {
        // A file or a symlink that came in its place is not ours
        if (lstat(empty)?.isDirectory) Deno.removeSync(empty);
      } catch {
        return;
      }
      this.#swept.delete(empty);
      journal.unmake(empty);
    }
  }

  #guarded<T>(path: string, verb: string, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      if (cause instanceof PublishError || cause instanceof RefusedPathError) throw cause;
      const reason = reasonOf(cause);
      // A temporary has another name each time; the same failure must read the same each time
      const lasting = reason.includes(this.#temporaryPrefix) ? reason.replace(PATHS, "") : reason;
      throw new PublishError(`cannot ${verb} ${path}: ${lasting}`, { cause });
    }
  }
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
