import { AllowedFolders, madeInside, RefusedPathError } from "./allowed_folders.ts";
import type { Body } from "./body.ts";
import { useCanonicalNames } from "./canonical_names.ts";
import { fileHas } from "./comparison.ts";
import { type ConfigFile, ConfigFiles } from "./config_files.ts";
import { lstat } from "./file_calls.ts";
import type { Journal } from "./journal.ts";
import { joinPath, nameOf, parentOf } from "./paths.ts";
import type { PlannedDisk } from "./planned_disk.ts";
import { PublishError, publishErrorOf, reasonOf } from "./publish_error.ts";
import { stampOf } from "./stamp.ts";

export interface DryPublisherOptions {
  /** FOLDER. It need not exist. */
  folder: string;
  allowedFolders: readonly string[];
  mode: number;
  /** One that writes nothing. */
  journal: Journal;
  configFiles: readonly ConfigFile[];
  /** Shared by all publishers of a process. */
  disk: PlannedDisk;
}

/** What a run would do at a path. */
export interface PlannedFile {
  /** The key of the object whose content it has or had. */
  owner: string;
  /** `same`: it stays as it is. `unknown`: its content has yet to be downloaded. */
  action: "create" | "change" | "same" | "remove" | "unknown";
  /** Bytes that the file would have; of one that goes, those that it has. */
  size: number;
  /** What differs. `foreign`: the file there is not one of ours. */
  differs?: readonly ("content" | "mode" | "foreign" | "entry")[];
  /** Permission bits that it has now, if they differ. */
  presentMode?: number;
}

/** Content that is compared in another way than a {@link Body}. */
export interface ComparedContent {
  isSame: boolean;
  size: number;
}

/**
 * Finds out what a {@link Publisher} would do, and does nothing. It takes the same decisions in the same order, and keeps
 * their results in memory.
 */
export class DryPublisher {
  readonly #options: DryPublisherOptions;
  readonly #allowedFolders: AllowedFolders;
  readonly #configFiles: ConfigFiles;
  /** By path. */
  readonly #files = new Map<string, PlannedFile>();

  /** @throws {PublishError} the folder is not a directory, or cannot be examined */
  constructor(options: DryPublisherOptions) {
    const { folder, allowedFolders, journal, configFiles } = options;
    this.#options = options;
    try {
      this.#allowedFolders = new AllowedFolders(folder, allowedFolders, journal, { isDryRun: true });
    } catch (cause) {
      throw new PublishError(`cannot use ${folder}: ${reasonOf(cause)}`, { cause });
    }
    useCanonicalNames(journal, this.#allowedFolders);
    const record = journal.path === undefined ? [] : [{ path: journal.path, what: "the record of files (STATE_FILE)" }];
    this.#configFiles = new ConfigFiles([...configFiles, ...record]);
  }

  /** What would be done, by path. */
  get files(): ReadonlyMap<string, PlannedFile> {
    return this.#files;
  }

  canonical(directory: string): string {
    return this.#allowedFolders.canonical(directory);
  }

  beginFirstSync(): void {}

  endFirstSync(): void {}

  /** @throws {RefusedPathError | PublishError} as a Publisher would */
  publish(path: string, content: Uint8Array | Body, owner: string): boolean {
    const body = content instanceof Uint8Array ? () => [content] : content;
    return this.plan(path, owner, (present) => {
      let size = 0;
      for (const piece of body()) size += piece.length;
      return { isSame: present?.isFile === true && fileHas(path, present, body, { isOurs: false }), size };
    });
  }

  /** As {@link publish}, for content that the caller compares with the file that is there. */
  plan(path: string, owner: string, compare: (present: Deno.FileInfo | undefined) => ComparedContent): boolean {
    const { journal, disk, mode } = this.#options;
    return this.#guarded(path, "write", () => {
      const present = this.#look(path);
      // A file that is removed and made again on the way is compared with what is on the disk now
      const { isSame, size } = compare(lstat(path));
      const now = lstat(path);
      const isOurs = journal.ownerOf(path) !== undefined;
      const differs = differences(now, { isSame, isOurs, mode });
      const isUnchanged = differs.length === 0;
      disk.plan(path, "file");
      journal.own(path, owner, isUnchanged && now !== undefined ? stampOf(now) : { ino: 0, mtime: 0, size });
      const action = now === undefined || now.isDirectory ? "create" : isUnchanged ? "same" : "change";
      this.#files.set(path, {
        ...{ owner, action, size, differs },
        ...(differs.includes("mode") ? { presentMode: (now?.mode ?? 0) & 0o7777 } : {}),
      });
      return present === undefined || !isSame;
    });
  }

  /**
   * The content of a path has yet to be downloaded.
   *
   * @throws {RefusedPathError | PublishError} it could not be written
   */
  expect(path: string, owner: string): void {
    this.#guarded(path, "write", () => void this.#look(path));
    this.#files.set(path, { owner, action: "unknown", size: 0 });
  }

  remove(path: string): boolean {
    const { journal, disk } = this.#options;
    return this.#guarded(path, "remove", () => {
      const owner = journal.ownerOf(path);
      if (owner === undefined) return false;
      const isPlanned = disk.planned(path) === "file";
      const isReachable = isPlanned || this.#allowedFolders.has(parentOf(path));
      const present = isReachable ? lstat(path) : undefined;
      const isOurs = isPlanned || (present?.isFile === true && journal.mayBeOurs(path, stampOf(present)));
      if (isOurs) {
        disk.plan(path, "nothing");
        if (present?.isFile) this.#files.set(path, { owner, action: "remove", size: present.size });
        else this.#files.delete(path);
      }
      journal.drop(path);
      if (isReachable) this.removeIfEmpty(parentOf(path));
      return isOurs;
    });
  }

  /** What is at a path, after its directory was prepared. */
  #look(path: string): Deno.FileInfo | undefined {
    const { journal, disk } = this.#options;
    const realDirectory = this.#prepareDirectory(parentOf(path));
    this.#configFiles.refusePath(path, realDirectory);
    const present = disk.lstat(path);
    if (present === undefined) return undefined;
    if (!present.isFile || journal.ownerOf(path) === undefined) this.#configFiles.refuseEntry(path, present);
    if (!present.isDirectory) return present;
    if (this.#removeMade(path)) return undefined;
    throw new PublishError(`cannot write ${path}: a directory is in the way`);
  }

  /** Returns the real path that the directory has, or would have. */
  #prepareDirectory(directory: string): string {
    const { disk, journal } = this.#options;
    if (!disk.isPlanned(directory)) {
      const present = this.#allowedFolders.realPathOf(directory);
      if (present !== undefined) {
        // Fails as a rename into it would
        if (!Deno.statSync(present).isDirectory) Deno.lstatSync(joinPath(present, "."));
        return present;
      }
    }
    const folder = this.#allowedFolders.folderOf(directory);
    if (folder === undefined) throw new RefusedPathError(`${directory} is in none of the allowed folders`);
    if (directory === folder) return directory;
    const parent = this.#prepareDirectory(parentOf(directory));
    if (disk.planned(directory) === "directory") return joinPath(parent, nameOf(directory));
    if (disk.lstat(directory)?.isSymlink) throw new RefusedPathError(`${directory} is a symlink to nowhere`);
    journal.recordDirectory(directory);
    disk.plan(directory, "directory");
    return joinPath(parent, nameOf(directory));
  }

  removeIfEmpty(directory: string): void {
    for (let at = directory; this.#removeIfEmpty(at);) at = parentOf(at);
  }

  #removeMade(directory: string): boolean {
    const { madeDirectories } = this.#options.journal;
    if (!madeDirectories.has(directory)) return false;
    for (const made of madeInside(directory, madeDirectories)) this.#removeIfEmpty(made);
    return !madeDirectories.has(directory);
  }

  #removeIfEmpty(directory: string): boolean {
    const { journal, disk } = this.#options;
    if (!journal.madeDirectories.has(directory) || !disk.isEmpty(directory)) return false;
    disk.plan(directory, "nothing");
    journal.forgetDirectory(directory);
    return true;
  }

  #guarded<T>(path: string, verb: "write" | "remove", act: () => T): T {
    try {
      return act();
    } catch (cause) {
      if (cause instanceof PublishError || cause instanceof RefusedPathError) throw cause;
      throw publishErrorOf(cause, { action: `cannot ${verb} ${path}`, path }, () => false);
    }
  }
}

function differences(
  present: Deno.FileInfo | undefined,
  { isSame, isOurs, mode }: { isSame: boolean; isOurs: boolean; mode: number },
): NonNullable<PlannedFile["differs"]> {
  if (present === undefined || present.isDirectory) return [];
  if (!present.isFile) return ["entry"];
  if (!isSame) return isOurs ? ["content"] : ["content", "foreign"];
  return present.mode !== null && (present.mode & 0o7777) !== mode ? ["mode"] : [];
}
