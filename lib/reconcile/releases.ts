/** Objects whose finalizer must be removed: each is released once no file in the journal has its content. */
import { keyOf, type ObjectRef } from "../objects/ref.ts";

export interface ReleasesOptions {
  /** The files on disk, with the owner of their content. */
  journal: { files(): Iterable<[path: string, file: { owner: string }]> };
  /** No file on disk has the object's content any more. */
  onReleased(ref: ObjectRef): void;
}

export class Releases {
  readonly #options: ReleasesOptions;
  readonly #leaving = new Map<string, ObjectRef>();

  constructor(options: ReleasesOptions) {
    this.#options = options;
  }

  /** The object is no longer selected, or is being deleted. */
  add({ kind, namespace, name }: ObjectRef): void {
    const ref: ObjectRef = { kind, namespace, name };
    this.#leaving.set(keyOf(ref), ref);
  }

  /** The object is selected again. */
  cancel(key: string): void {
    this.#leaving.delete(key);
  }

  /** Releases the objects that have no file left. Call it after files were written or removed. */
  check(): void {
    if (this.#leaving.size === 0) return;
    const free = new Map(this.#leaving);
    for (const [, { owner }] of this.#options.journal.files()) free.delete(owner);
    for (const [key, ref] of free) {
      this.#leaving.delete(key);
      this.#options.onReleased(ref);
    }
  }
}
