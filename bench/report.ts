/** Tables of figures and budgets, in Markdown. */
import type { Verdict } from "./budgets.ts";
import { ANYWHERE, type Figures, type Summary, type Unit } from "./figures.ts";
import { BARE_LOOP, BARE_WATCH, IDLE_DENO } from "./floors.ts";
import { MANY_WATCHES } from "./many_watches.ts";
import { SIDECAR } from "./start_up.ts";

/** Where and how it was measured. */
export interface Circumstances {
  apiServer: string;
  sidecar: string;
  deno: string;
  processors: number;
  /** That the files are on: creating one costs ten times more on some than on others. */
  filesystem: string;
  /** Before the start: above the number of processors, others were at work and times are noise. */
  load: number;
  rounds: number;
  date: string;
}

export function figureTable(figures: Figures): string {
  return table(
    ["Of", "Objects", "What", "Median", "Lowest to highest", "Of the floor"],
    figures.summaries().map((summary) => {
      const { of, where, what, unit, median, lowest, highest, values } = summary;
      const floor = floorOf(summary, figures);
      return [
        of,
        where,
        what,
        format(median, unit),
        values.length === 1 ? "" : `${format(lowest, unit)} to ${format(highest, unit)}`,
        floor === undefined ? "" : `× ${(median / floor).toFixed(2)}`,
      ];
    }),
  );
}

/** The same of the floor. */
function floorOf({ of, where, what }: Summary, figures: Figures): number | undefined {
  if (!of.startsWith(SIDECAR)) return undefined;
  if (what === "spawn to complete sync") return figures.median(BARE_LOOP, where, "spawn to files");
  if (where === MANY_WATCHES) return figures.median(BARE_WATCH, where, what);
  const ofIdleDeno = ["RssAnon", "RSS", "peak"].find((memory) => what.startsWith(memory));
  return ofIdleDeno === undefined
    ? figures.median(BARE_WATCH, where, what)
    : figures.median(IDLE_DENO, ANYWHERE, ofIdleDeno);
}

export function budgetTable(verdicts: readonly Verdict[]): string {
  return table(
    ["What", "Budget", "Measured", ""],
    verdicts.map(({ what, budget, shown, holds }) => [what, budget, shown, holds ? "holds" : "**missed**"]),
  );
}

export function describe(
  { apiServer, sidecar, deno, processors, filesystem, load, rounds, date }: Circumstances,
): string {
  return `${date}: ${sidecar}, against ${apiServer}, Deno ${deno}, ${processors} processors, ${filesystem}, load before ` +
    `${load.toFixed(1)}, medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}

/** A value with its unit: `23.1 MB`. */
export function format(value: number, unit: Unit): string {
  if (unit !== "bytes") return `${Number(value.toPrecision(3)).toLocaleString("en")} ${unit}`;
  if (Math.abs(value) < 1e4) return `${Math.round(value).toLocaleString("en")} B`;
  return Math.abs(value) < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
