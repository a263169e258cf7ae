import type { Log } from "../log/log.ts";
import { errnoOf } from "./file_calls.ts";

/** Error numbers of `chmod` on a volume that refuses it, or does not know it: CIFS, and some NFS and FUSE volumes. */
const REFUSALS: ReadonlySet<string | undefined> = new Set([
  "EPERM",
  "EACCES",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EINVAL",
]);

/**
 * Changes the modes of files, and remembers which volumes refuse that. Files on such a volume keep the mode that the volume
 * gives them; there is one warning for each volume.
 */
export class FileModes {
  readonly #log: Pick<Log, "warn">;
  /** Device numbers. */
  readonly #refusing = new Set<number>();

  constructor(log: Pick<Log, "warn">) {
    this.#log = log;
  }

  /**
   * Gives a file its mode, unless its volume refuses modes.
   *
   * @param present what is at the path
   * @throws {Deno.errors.*} PermissionDenied, too, if the file is another user's
   */
  set(path: string, present: Deno.FileInfo, mode: number): void {
    if (!differs(present, mode) || this.#refusing.has(present.dev)) return;
    Deno.chmodSync(path, mode);
  }

  /**
   * As {@link set}, for a file that may belong to another user. If it does, returns `false`: only a new file could have the
   * mode.
   *
   * @param probe called if the mode is refused: it calls {@link setOwn} for a file of our own, to find out who refuses it
   */
  setAny(path: string, present: Deno.FileInfo, mode: number, probe: () => void): boolean {
    try {
      this.set(path, present, mode);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    probe();
    return this.#refusing.has(present.dev);
  }

  /**
   * As {@link set}, for a file or directory that this process has just created. Only its volume can refuse the mode.
   *
   * @param target named in the warning
   * @throws {Deno.errors.*}
   */
  setOwn(path: string, present: Deno.FileInfo, mode: number, target = path): void {
    try {
      this.set(path, present, mode);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refusing.add(present.dev);
      this.#log.warn(
        `the volume of ${target} refuses file modes (chmod fails with ${
          errnoOf(error)
        }): files on it keep the mode that ` +
          `it gives them, here ${octal(present.mode ?? 0)} instead of ${octal(mode)}`,
        { path: target },
      );
    }
  }
}

/** Whether the volume, or the owner of the file, refuses a mode. */
function isRefusal(error: unknown): boolean {
  return REFUSALS.has(errnoOf(error));
}

function differs({ mode }: Deno.FileInfo, wanted: number): boolean {
  return mode !== null && (mode & 0o7777) !== wanted;
}

/** `0644`. */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
