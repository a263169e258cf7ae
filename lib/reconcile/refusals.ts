/** Objects that cannot become files, or not all of them. Their last accepted files stay. */
import type { Projection } from "../files/projection.ts";

export class Refusals {
  /** Keys of objects that are refused as a whole, and of those with a refused key. */
  readonly #whole = new Set<string>();
  readonly #partly = new Set<string>();

  /** Keys of objects with a refusal of either kind. */
  get keys(): Iterable<string> {
    return [...this.#whole, ...this.#partly];
  }

  /** Takes note of what an object can become now. Returns whether it kept its last accepted files until now. */
  set(key: string, { isRefused, refusals }: Projection): boolean {
    const keptFiles = this.delete(key);
    if (isRefused) this.#whole.add(key);
    else if (refusals.length > 0) this.#partly.add(key);
    return keptFiles && !isRefused;
  }

  /** The object is gone. Returns whether it kept its last accepted files until now. */
  delete(key: string): boolean {
    this.#partly.delete(key);
    return this.#whole.delete(key);
  }

  /** Whether the object claims no path, and the files that were written for it stay all the same. */
  keepsFiles(key: string): boolean {
    return this.#whole.has(key);
  }
}
