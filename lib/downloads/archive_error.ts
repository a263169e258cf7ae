/** DECOMPRESS: an archive is broken or too large. Trying again does not help. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}
