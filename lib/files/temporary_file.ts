/** Who may read a file that is not whole yet: its owner. */
const MODE = 0o600;

const NOTHING = new Uint8Array();

/** A temporary file that is being filled, beside the file that it will become. */
export class Draft {
  #exists = false;

  /** Nothing is on disk before the first call below. */
  constructor(readonly path: string, readonly target: string) {}

  /**
   * Adds to its end. In one call, and without a file that stays open: for most files that is all there is to write.
   *
   * @throws {Deno.errors.*}
   */
  write(bytes: Uint8Array): void {
    const how = this.#exists ? { append: true, create: false } : { createNew: true, mode: MODE };
    Deno.writeFileSync(this.path, bytes, how);
    this.#exists = true;
  }

  /** Makes it, with nothing in it, unless something was written. */
  create(): void {
    if (!this.#exists) this.write(NOTHING);
  }

  /** Takes out what was written. */
  empty(): void {
    if (this.#exists) Deno.truncateSync(this.path);
  }
}
