import type { Log } from "../log/log.ts";

/** Logs each state once, and its repeats at debug level, until the state is over. */
export class States {
  readonly #log: Pick<Log, "debug" | "warn" | "error">;
  readonly #reported = new Set<string>();

  constructor(log: Pick<Log, "debug" | "warn" | "error">) {
    this.#log = log;
  }

  /** @param state identifies the state; the message may differ each time */
  report(level: "warn" | "error", state: string, message: string, properties?: Record<string, unknown>): void {
    const isNew = !this.#reported.has(state);
    this.#reported.add(state);
    this.#log[isNew ? level : "debug"](message, properties);
  }

  /** Ends all states other than those in `except`. Returns whether there were any. */
  clear({ except = [] }: { except?: readonly string[] } = {}): boolean {
    const over = [...this.#reported].filter((state) => !except.includes(state));
    for (const state of over) this.#reported.delete(state);
    return over.length > 0;
  }
}
