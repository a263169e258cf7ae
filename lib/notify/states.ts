import type { Log } from "../log/log.ts";

/** Logs each state of something once, and repeats at debug level, until it is over. */
export class States {
  readonly #log: Pick<Log, "debug" | "warn" | "error">;
  readonly #told = new Set<string>();

  constructor(log: Pick<Log, "debug" | "warn" | "error">) {
    this.#log = log;
  }

  /** @param state tells states apart; the message may differ each time */
  tell(level: "warn" | "error", state: string, message: string, properties?: Record<string, unknown>): void {
    const isNew = !this.#told.has(state);
    this.#told.add(state);
    this.#log[isNew ? level : "debug"](message, properties);
  }

  /** All states are over, but those in `except`. Returns whether there was one. */
  clear({ except = [] }: { except?: readonly string[] } = {}): boolean {
    const over = [...this.#told].filter((state) => !except.includes(state));
    for (const state of over) this.#told.delete(state);
    return over.length > 0;
  }
}
