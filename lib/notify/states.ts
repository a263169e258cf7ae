import type { Log } from "../log/log.ts";

/** Logs each state once, and its repeats at debug level, until the state is over. */
export class States {
  readonly #log: Pick<Log, "debug" | "warn" | "error">;
  readonly #told = new Set<string>();

  constructor(log: Pick<Log, "debug" | "warn" | "error">) {
    this.#log = log;
  }

  /** @param state identifies the state; the message may differ each time */
  tell(level: "warn" | "error", state: string, message: string, properties?: Record<string, unknown>): void {
    const isNew = !this.#told.has(state);
    this.#told.add(state);
    this.#log[isNew ? level : "debug"](message, properties);
  }

  /** Ends all states other than those in `except`. Returns whether there were any. */
  clear({ except = [] }: { except?: readonly string[] } = {}): boolean {
    const over = [...this.#told].filter((state) => !except.includes(state));
    for (const state of over) this.#told.delete(state);
    return over.length > 0;
  }
}
