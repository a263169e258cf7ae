/** Objects that cannot become files, in whole or in part. Their last accepted files stay. */
import type { Projection } from "../files/projection.ts";

/** Why an object is missing on disk, in whole or in part. Of several reasons, the first in this order counts. */
export const REFUSAL_REASONS = [
  /** Its annotation for the folder. */
  "folder",
  /** MAX_FILES_PER_OBJECT. */
  "too_many_keys",
  /** A key cannot be a file name, or its value is invalid. */
  "key",
  /** A path leads out of the allowed folders, or no file system accepts it. */
  "path",
  /** The host of a URL, or an archive. */
  "content",
] as const;

export type RefusalReason = typeof REFUSAL_REASONS[number];

export class Refusals {
  /** Keys of objects that are refused as a whole, with the reason, and of those with some refused keys. */
  readonly #whole = new Map<string, "folder" | "too_many_keys">();
  readonly #partly = new Set<string>();

  /** Keys of objects with a refusal of either kind, and the reason. */
  *reasons(): Generator<[key: string, reason: RefusalReason], void> {
    yield* this.#whole;
    for (const key of this.#partly) yield [key, "key"];
  }

  has(key: string): boolean {
    return this.#whole.has(key) || this.#partly.has(key);
  }

  /** Records the refusals of an object. Returns whether it had kept its last accepted files, and no longer does. */
  set(key: string, { isRefused, refusals, refusedFor = "folder" }: Projection): boolean {
    const keptFiles = this.delete(key);
    if (isRefused) this.#whole.set(key, refusedFor);
    else if (refusals.length > 0) this.#partly.add(key);
    return keptFiles && !isRefused;
  }

  /** The object is gone. Returns whether it had kept its last accepted files. */
  delete(key: string): boolean {
    this.#partly.delete(key);
    return this.#whole.delete(key);
  }

  /** Whether the files of the object stay although it claims no path. */
  keepsFiles(key: string): boolean {
    return this.#whole.has(key);
  }
}
