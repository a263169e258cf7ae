import { given } from "../runtime/given.ts";
import { type Claimant, compareClaimants, type Precedence } from "./claimant.ts";

/** A copy of a claimant with the paths to look at. The names of the original may be costly to read. */
type Entry = Claimant & { readonly paths: string[] };

/** Paths to look at, those of the object that comes first before others. A binary heap of objects. */
export class ClaimantsInOrder {
  readonly #precedence: Precedence;
  readonly #heap: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();

  constructor(precedence: Precedence) {
    this.#precedence = precedence;
  }

  add({ key, kind, namespace, name, created, precedence }: Claimant, path: string): void {
    const known = this.#byKey.get(key);
    if (known !== undefined) return void known.paths.push(path);
    const entry: Entry = { key, kind, namespace, name, created, paths: [path], ...given("precedence", precedence) };
    this.#byKey.set(key, entry);
    this.#rise(entry);
  }

  /** Removes the first object and returns its paths; `undefined`: none is left. */
  take(): readonly string[] | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    this.#byKey.delete(first.key);
    if (first !== last) this.#sink(last);
    return first.paths;
  }

  #rise(entry: Entry): void {
    let index = this.#heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || !this.#isBefore(entry, parent)) break;
      this.#heap[index] = parent;
      index = above;
    }
    this.#heap[index] = entry;
  }

  #sink(entry: Entry): void {
    let index = 0;
    while (true) {
      const [left, right] = [this.#heap[2 * index + 1], this.#heap[2 * index + 2]];
      const isRight = left !== undefined && right !== undefined && this.#isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !this.#isBefore(child, entry)) break;
      this.#heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    this.#heap[index] = entry;
  }

  #isBefore(a: Entry, b: Entry): boolean {
    return compareClaimants(a, b, this.#precedence) < 0;
  }
}
