import type { Clock } from "../runtime/clock.ts";
import { within } from "../runtime/within.ts";
import { lstat } from "./file_calls.ts";

const MAX_SECONDS = 5;

/** Each open that never ends keeps a thread, of which Deno has 32. */
const MAX_ENDLESS = 3;

/**
 * Opens files to read them in another thread, so that one which cannot be opened stops nothing: somebody may put a FIFO in its
 * place. Unlike `openWithoutWaiting`, it does not open them for writing, too, which a program that watches the folder would
 * be notified of (`IN_CLOSE_WRITE`).
 */
export class PatientOpener {
  readonly #clock: Clock;
  readonly #log: { warn(message: string, properties?: Record<string, unknown>): void };
  #endless = 0;

  constructor(clock: Clock, log: { warn(message: string, properties?: Record<string, unknown>): void }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `undefined`: it cannot be opened. */
  async open(path: string): Promise<Deno.FsFile | undefined> {
    if (this.#endless >= MAX_ENDLESS) return undefined;
    const opening = Deno.open(path, { read: true });
    try {
      if (await within(MAX_SECONDS, opening, this.#clock)) return await opening;
    } catch {
      return undefined;
    }
    opening.then((file) => file.close()).catch(() => {}).finally(() => this.#endless--);
    this.#endless++;
    const consequence = this.#endless < MAX_ENDLESS ? "" : "; files are compared without their content from now on";
    this.#log.warn(`${path} cannot be opened within ${MAX_SECONDS} s: somebody replaced it${consequence}`, { path });
    release(path);
    return undefined;
  }
}

/** Ends an open that waits for the other side of a FIFO, if the FIFO is still there. */
function release(path: string): void {
  try {
    if (lstat(path)?.isFifo) Deno.openSync(path, { read: true, write: true }).close();
  } catch {
    // Somebody replaced it again
  }
}
