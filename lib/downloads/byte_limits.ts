import { Changes } from "../runtime/changes.ts";

/** A download would take more than the limits of all downloads allow. */
export class ByteLimitError extends Error {
  override readonly name = "ByteLimitError";

  /** @param bytes of the download, as far as it had come */
  constructor(message: string, readonly bytes: number) {
    super(message);
  }
}

/** A download under way. What it brings counts already. */
export interface Incoming extends Disposable {
  /** @throws {ByteLimitError} */
  add(bytes: number): void;
  /** Drops what was added; the download begins again. */
  restart(): void;
  /** What was added is at the path now, in place of what was there. */
  keep(): void;
}

/** Counts what downloads put on disk, per object and in all. */
export class ByteLimits {
  readonly #perObject: number;
  readonly #total: number;
  readonly #kept = new Map<string, { owner: string; bytes: number }>();
  /** Of files and of downloads under way, by the key of the object. */
  readonly #byOwner = new Map<string, number>();
  #all = 0;
  readonly #changes = new Changes();

  /** @param limits in bytes; `Infinity` for none */
  constructor({ perObject, total }: { perObject: number; total: number }) {
    this.#perObject = perObject;
    this.#total = total;
  }

  /** @param owner the key of the object that wants the path */
  open(path: string, owner: string): Incoming {
    let bytes = 0;
    /** What is more than the file that it replaces. */
    let extra = 0;
    const set = (value: number) => {
      const before = extra;
      bytes = value;
      extra = Math.max(0, bytes - this.#keptFor(path, owner));
      this.#count(owner, extra - before);
    };
    return {
      add: (more) => {
        this.#check(path, owner, bytes + more, extra);
        set(bytes + more);
      },
      restart: () => set(0),
      keep: () => {
        this.#forget(path);
        this.#kept.set(path, { owner, bytes });
        this.#count(owner, bytes - extra);
        extra = 0;
      },
      [Symbol.dispose]: () => {
        this.#count(owner, -extra);
        extra = 0;
      },
    };
  }

  /** The file of a path is gone, or no longer comes from a URL. */
  forget(path: string): void {
    this.#forget(path);
  }

  /** Resolves when there may be room for a download that was refused, or when the signal aborts. */
  async room(path: string, owner: string, { bytes }: ByteLimitError, signal: AbortSignal): Promise<void> {
    await this.#changes.until(() => this.#lacks(path, owner, bytes, 0) === undefined, signal);
  }

  #check(path: string, owner: string, bytes: number, extra: number): void {
    const message = this.#lacks(path, owner, bytes, extra);
    if (message !== undefined) throw new ByteLimitError(message, bytes);
  }

  /** @param extra what the download itself counts for so far */
  #lacks(path: string, owner: string, bytes: number, extra: number): string | undefined {
    const more = Math.max(0, bytes - this.#keptFor(path, owner)) - extra;
    if ((this.#byOwner.get(owner) ?? 0) + more > this.#perObject) {
      return `the downloads of the object take more than ${this.#perObject} bytes (URL_MAX_BYTES_PER_OBJECT)`;
    }
    if (this.#all + more > this.#total) {
      return `all downloads together take more than ${this.#total} bytes (URL_MAX_BYTES_TOTAL)`;
    }
    return undefined;
  }

  #keptFor(path: string, owner: string): number {
    const kept = this.#kept.get(path);
    return kept?.owner === owner ? kept.bytes : 0;
  }

  #forget(path: string): void {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    this.#count(kept.owner, -kept.bytes);
  }

  #count(owner: string, change: number): void {
    const bytes = (this.#byOwner.get(owner) ?? 0) + change;
    if (bytes === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, bytes);
    this.#all += change;
    if (change < 0) this.#changes.notify();
  }
}
