/** Faults of CONFIG_FILE, each with its place. */
import type { Fault } from "../read_settings.ts";

/** `setting` is always CONFIG_FILE. */
export interface FileFault extends Fault {
  line: number;
  column: number;
  /** `collections[2].fileMode`; empty for the whole file. */
  key: string;
  reason: string;
}

/** Collects the faults and warnings of one text. The same fault is reported once, however often an alias repeats it. */
export class FileFaults {
  readonly #path: string;
  readonly #placeOf: (offset: number) => { line: number; col: number };
  readonly #faults = new Map<string, FileFault>();
  readonly #warnings = new Set<string>();

  /** @param path of the file, for messages */
  constructor(path: string, placeOf: (offset: number) => { line: number; col: number }) {
    this.#path = path;
    this.#placeOf = placeOf;
  }

  add(at: number, key: string, reason: string): void {
    const { line, column } = this.placeOf(at);
    const message = this.#message(at, key, reason);
    this.#faults.set(`${line}:${column} ${reason}`, { setting: "CONFIG_FILE", message, line, column, key, reason });
  }

  warn(at: number, key: string, reason: string): void {
    this.#warnings.add(this.#message(at, key, reason));
  }

  lineOf(at: number): number {
    return this.placeOf(at).line;
  }

  /** In the order of the text. */
  get faults(): FileFault[] {
    return [...this.#faults.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  /** From 1. */
  placeOf(at: number): { line: number; column: number } {
    const { line, col } = this.#placeOf(at);
    // An empty text has no lines
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #message(at: number, key: string, reason: string): string {
    const { line, column } = this.placeOf(at);
    return [`${this.#path}:${line}:${column}`, key, reason].filter((part) => part !== "").join("  ");
  }
}
