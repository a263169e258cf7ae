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

/** A refusal of an object, or of some of its keys. */
export interface Refusal {
  reason: "folder" | "too_many_keys" | "key";
  /** A sentence; of several keys, about the first. */
  text: string;
  /** How many further keys are refused. */
  more: number;
}

export class Refusals {
  /** Refusals of objects as a whole, and of those with some refused keys, by the key of the object. */
  readonly #whole = new Map<string, Refusal>();
  readonly #partly = new Map<string, Refusal>();

  /** Keys of objects with a refusal of either kind, and the reason. */
  *reasons(): Generator<[key: string, reason: RefusalReason], void> {
    for (const [key, { reason }] of this.all()) yield [key, reason];
  }

  /** The same, with what is wrong. */
  *all(): Generator<[key: string, refusal: Refusal], void> {
    yield* this.#whole;
    yield* this.#partly;
  }

  has(key: string): boolean {
    return this.#whole.has(key) || this.#partly.has(key);
  }

  /** Records the refusals of an object. Returns whether it had kept its last accepted files, and no longer does. */
  set(key: string, { isRefused, refusals, refusedFor = "folder" }: Projection): boolean {
    const keptFiles = this.delete(key);
    const [text] = refusals;
    if (text === undefined) return keptFiles && !isRefused;
    const refusal: Refusal = { reason: isRefused ? refusedFor : "key", text, more: refusals.length - 1 };
    (isRefused ? this.#whole : this.#partly).set(key, refusal);
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
