import { type Body, piecesOf } from "./body.ts";
import { type Stamp, stampOf } from "./stamp.ts";

/**
 * A file that is being filled and will be renamed to its target. It is created exclusively, with the mode that the
 * target is to have, and stays open from its creation to the rename, so that nothing else can be written to.
 */
export class TemporaryFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #onEnd: () => void;
  #state: "filling" | "renamed" | "ended" = "filling";

  /**
   * @param onEnd called once the file is no longer at `path`
   * @throws {Deno.errors.*} AlreadyExists among them, also when there is a symlink at `path`
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

  /** What was written; each piece is valid until the next one is asked for. */
  get body(): Body {
    return () => {
      this.#file.seekSync(0, Deno.SeekMode.Start);
      return piecesOf(this.#file);
    };
  }

  /**
   * Gives the file the permission bits that the umask, or the kernel at a write, took away. Returns the stamp, which the
   * rename will not change.
   *
   * @throws {Deno.errors.*}
   */
  ensureMode(mode: number): Stamp {
    const info = this.#file.statSync();
    if (info.mode !== null && (info.mode & 0o7777) !== mode) {
      // Deno has no fchmod
      if (Deno.lstatSync(this.path).ino !== info.ino) {
        throw new Error("the temporary file was replaced by somebody else");
      }
      Deno.chmodSync(this.path, mode);
    }
    return stampOf(info);
  }

  /** @throws {Deno.errors.*} */
  rename(): void {
    Deno.renameSync(this.path, this.target);
    this.#state = "renamed";
  }

  /** Closes the file, and removes it unless it was renamed. Never throws, and may be called twice. */
  end(): void {
    if (this.#state === "ended") return;
    this.#file.close();
    if (this.#state !== "renamed") {
      try {
        Deno.removeSync(this.path);
      } catch {
        // It is gone, or goes at the next start
      }
    }
    this.#state = "ended";
    this.#onEnd();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
