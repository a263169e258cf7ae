import { type Body, piecesOf } from "./body.ts";
import type { FileModes } from "./file_modes.ts";
import { type Stamp, stampOf } from "./stamp.ts";

/**
 * A file that is filled and then renamed to its target. It is created exclusively, with the mode of the target, and stays
 * open until the rename, so a file that somebody puts in its place is never written.
 */
export class TemporaryFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #onEnd: () => void;
  /** Of the open file, which never changes it. In Deno, a stat of an open file resolves its path each time. */
  #inode: Pick<Deno.FileInfo, "ino" | "dev"> | undefined;
  #state: "filling" | "renamed" | "ended" = "filling";

  /**
   * @param onEnd called once the file is no longer at `path`
   * @throws {Deno.errors.*} AlreadyExists if anything is at `path`, even a symlink to nowhere
   */
  constructor(readonly path: string, readonly target: string, mode: number, onEnd: () => void) {
    this.#file = Deno.openSync(path, { read: true, write: true, createNew: true, mode });
    this.#onEnd = onEnd;
  }

  /**
   * Adds to the end.
   *
   * @throws {Deno.errors.*}
   */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(at === 0 ? bytes : bytes.subarray(at));
  }

  /** Removes what was written. */
  empty(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
  }

  /** What was written. */
  get body(): Body {
    return () => {
      this.#file.seekSync(0, Deno.SeekMode.Start);
      return piecesOf(this.#file);
    };
  }

  /**
   * Restores permission bits that the umask removed, or that the kernel removed because of a write, where the volume has
   * modes. Returns the stamp of the complete file, which the rename does not change.
   *
   * @throws {Deno.errors.*}
   */
  ensureMode(mode: number, modes: FileModes): Stamp {
    const info = this.#file.statSync();
    this.#inode = info;
    if (info.mode !== null && (info.mode & 0o7777) !== mode) {
      // There is no fchmod in Deno
      this.#checkInPlace(info);
      modes.setOwn(this.path, info, mode, this.target);
    }
    return stampOf(info);
  }

  /**
   * @throws {Deno.errors.*}
   * @throws {Error} somebody put another file in its place meanwhile
   */
  rename(): void {
    this.#checkInPlace(this.#inode ?? this.#file.statSync());
    Deno.renameSync(this.path, this.target);
    this.#state = "renamed";
  }

  /** A rename and a chmod go by the name, which may be another file's by now. */
  #checkInPlace({ ino, dev }: Pick<Deno.FileInfo, "ino" | "dev">): void {
    const present = Deno.lstatSync(this.path);
    if (present.ino !== ino || present.dev !== dev) throw new Error("the temporary file was replaced by somebody else");
  }

  /** Closes the file, and removes it unless it was renamed. Never throws, and may be called twice. */
  end(): void {
    if (this.#state === "ended") return;
    this.#file.close();
    if (this.#state !== "renamed") {
      try {
        Deno.removeSync(this.path);
      } catch {
        // It no longer exists, or the next start removes it
      }
    }
    this.#state = "ended";
    this.#onEnd();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
