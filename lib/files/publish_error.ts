/** A file that could not be written or removed. The message names the path and the reason. */
export class PublishError extends Error {
  override readonly name = "PublishError";

  /** The path itself cannot be: whoever chose it must change it. Otherwise the disk is to blame, which may get well. */
  get isOfThePath(): boolean {
    return this.cause === undefined || PATH_ERRORS.some((errno) => String(this.cause).includes(`(os error ${errno})`));
  }
}

/** ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP on Linux. */
const PATH_ERRORS = [20, 21, 36, 40];

/** The system's own words, with what to do about the usual ones. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = HINTS.find(([code]) => message.includes(`(os error ${code})`))?.[1];
  return hint === undefined ? message : `${message}: ${hint}`;
}

/** By errno of Linux. */
const HINTS: readonly [number, string][] = [
  [13, "the user this runs as may not; check fsGroup and runAsUser"],
  [20, "a part of the path is a file"],
  [28, "the volume is full; check emptyDir.sizeLimit"],
  [30, "the volume is mounted read-only"],
];
