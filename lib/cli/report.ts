/** How commands print: within 100 columns, and with colours only on a terminal. */
import type { Fault } from "../config/read_settings.ts";

export const MAX_COLUMNS = 100;

/** A line for each fault, for a run that cannot start. */
export function describeFaults(faults: readonly Fault[]): string {
  return faults.map(({ message }) => `configuration error: ${oneLine(message)}`).join("\n");
}

/** The same for a command, whose output somebody reads. */
export function printFaults(faults: readonly Fault[]): void {
  for (const { message } of faults) console.error(wrapText(oneLine(message), { first: "configuration error: " }));
}

export function printWarning(text: string): void {
  console.error(wrapText(text, { first: "warning: " }));
}

export function printError(text: string): void {
  console.error(wrapText(text, { first: "error: " }));
}

export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}

/** Breaks a text at blanks. The first line begins with `first`, further ones with `indent`. */
export function wrapText(text: string, { first = "", indent = "    ", width = MAX_COLUMNS } = {}): string {
  const lines: string[] = [];
  let line = "";
  let start = first;
  for (const word of text.split(" ")) {
    if (line !== "" && start.length + line.length + 1 + word.length > width) {
      lines.push(start + line);
      start = indent;
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, start + line].join("\n");
}

export type Paint = (text: string) => string;

export interface Colours {
  bold: Paint;
  dim: Paint;
  red: Paint;
  yellow: Paint;
  green: Paint;
}

/** Colours for stdout; none unless it is a terminal, or with NO_COLOR. */
export function coloursOf(isTerminal = Deno.stdout.isTerminal() && !Deno.noColor): Colours {
  const paint = (code: number): Paint => (text) => isTerminal && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { bold: paint(1), dim: paint(2), red: paint(31), yellow: paint(33), green: paint(32) };
}
