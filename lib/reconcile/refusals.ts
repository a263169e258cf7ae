/** Objects that cannot become files, in whole or in part. Their last accepted files stay. */
import type { Projection } from "../files/projection.ts";

export class Refusals {
  /** Keys of objects that are refused as a whole, and of those with some refused keys. */
  readonly #whole = new Set<string>();
  readonly #partly = new Set<string>();

  /** Keys of objects with a refusal of either kind. */
  get keys(): Iterable<string> {
    return [...this.#whole, ...this.#partly];
  }

  /** Records the refusals of an object. Returns whether it had kept its last accepted files, and no longer does. */
  set(key: string, { isRefused, refusals }: Projection): boolean {
    const keptFiles = this.delete(key);
    if (isRefused) this.#whole.add(key);
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
