import { errnoOf } from "./file_calls.ts";
import { RESERVED_PREFIX } from "./paths.ts";

/** A file could not be written or removed. The message names the path and the reason. */
export class PublishError extends Error {
  override readonly name = "PublishError";
  readonly #isImpossible: boolean;
  /**
   * Something else is at the path, or at a part of it, or the path cannot be: retries are useless until the disk looks
   * different there. `false` for a missing right, whose return cannot be seen.
   */
  readonly isObstructed: boolean;

  /** The file; `undefined`: it is about a folder. */
  readonly path: string | undefined;

  /** @param options.isImpossible whatever the cause, for example because everything else in the folder can be written */
  constructor(
    message: string,
    { cause, path, isImpossible = false }: { cause?: unknown; path?: string; isImpossible?: boolean } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.path = path;
    this.isObstructed = cause === undefined || PATH_ERRORS.has(errnoOf(cause) ?? "");
    this.#isImpossible = isImpossible || this.isObstructed;
  }

  /** `ENOSPC` and the like; `undefined` where no system call failed. */
  get code(): string | undefined {
    return errnoOf(this.cause);
  }

  /**
   * Retries are useless until somebody changes the object or the path: a name is longer than 255 bytes, or a directory is
   * in the way. `false`: the disk is to blame, and may recover.
   */
  get isImpossible(): boolean {
    return this.#isImpossible;
  }
}

/** The call and its paths in an error message of Deno's: `: open '/a'`, `: rename '/a' -> '/b'`. */
const CALL = /: \w+ '.*'(?=:|$)/;

/**
 * @param action what failed, with a verb and the path
 * @param isFolderWritable asked unless the disk is to blame for certain: if so, the failure concerns this path only. A right
 * is missing, something is mounted on it, or this file system does not accept such a name
 */
export function publishErrorOf(
  cause: unknown,
  { action, path }: { action: string; path: string },
  isFolderWritable: () => boolean,
): PublishError {
  const reason = reasonOf(cause);
  // The names of temporary files differ, and the same failure must read the same each time; the action names the path
  const isNoise = (call: string) => call.includes(`/${RESERVED_PREFIX}`) || call.endsWith(`'${path}'`);
  const lasting = reason.replace(CALL, (call) => isNoise(call) ? "" : call);
  const code = errnoOf(cause);
  const isImpossible = code !== undefined && !DISK_ERRORS.has(code) && isFolderWritable();
  return new PublishError(`${action}: ${lasting}`, { cause, path, isImpossible });
}

/** Errors of paths that no file system accepts. */
const PATH_ERRORS: ReadonlySet<string> = new Set(["ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]);

const DISK_ERRORS: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EIO"]);

/** Errors of a folder that cannot be made now, and perhaps later: the volume is full, not there, or not to be written. */
const VOLUME_ERRORS: ReadonlySet<string | undefined> = new Set([
  ...DISK_ERRORS,
  "EACCES",
  "EPERM",
  "EROFS",
  "ESTALE",
  "ENOTCONN",
]);

/** Whether a folder that could not be made may be made later. */
export function isVolumeFault(error: unknown): boolean {
  return VOLUME_ERRORS.has(errnoOf(error));
}

/** Whether the disk is to blame for an error, and not the object whose file was to be written. */
export function isDiskFault(error: unknown): boolean {
  return error instanceof PublishError ? !error.isImpossible : DISK_ERRORS.has(errnoOf(error));
}

/** The system's message, with advice for common errors. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = HINTS[errnoOf(error) ?? ""];
  return hint === undefined ? message : `${message}: ${hint}`;
}

const HINTS: Readonly<Record<string, string>> = {
  EBUSY: "something is mounted there; ATOMIC_WRITES=false writes a mounted file (subPath) in place",
  EACCES: "the sidecar's user has no permission; check fsGroup and runAsUser",
  EDQUOT: "the quota of the volume is used up",
  ENOTDIR: "a part of the path is a file",
  ENOSPC: "the volume is full; check emptyDir.sizeLimit",
  EROFS: "the volume is mounted read-only",
};
