/** The text of `k8s-sidecar plan`, at most 100 columns wide unless a path is longer. */
import type { CollectionPlan, Plan, PlannedChange, PlanProblem } from "../plan/plan.ts";
import { counted, size as sizeText } from "../runtime/quantities.ts";
import { type Colours, MAX_COLUMNS, wrapText } from "./report.ts";

const SIGNS = { create: "+", change: "~", remove: "-", download: "?" } as const;

/** @param origin the API server, or the folder of manifests */
export function planText(plan: Plan, origin: string, colours: Colours): string {
  const parts = plan.collections.map((collection) => ofCollection(collection, origin, colours));
  return [...parts, summaryLine(plan, colours)].join("\n\n");
}

function ofCollection(
  { name, selects, folder, changes, unchanged, problems, isIncomplete }: CollectionPlan,
  origin: string,
  colours: Colours,
): string {
  const lines = [
    wrapText(`${name}: ${selects}`).replace(name, colours.bold),
    colours.dim(wrapText(`from ${origin} to ${folder}`, { first: "  ", indent: "      " })),
    ...changes.map((change) => changeLine(change, colours)),
  ];
  if (isIncomplete) lines.push(colours.yellow("  incomplete: not all objects could be listed"));
  else if (changes.length === 0) lines.push("  nothing to do");
  if (unchanged > 0) lines.push(colours.dim(`  ${counted(unchanged, "file")} unchanged`));
  return [...lines, ...problems.map((problem) => problemLine(problem, colours))].join("\n");
}

function changeLine({ action, path, object, size, reasons }: PlannedChange, colours: Colours): string {
  const paint =
    { create: colours.green, change: colours.yellow, remove: colours.red, download: colours.yellow }[action];
  const what = [object, ...(size === undefined ? [] : [sizeText(size)])].join(", ");
  const why = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
  const start = `${SIGNS[action]} ${path}`;
  const line = `${start}  (${what})${why}`;
  const shown = line.length <= MAX_COLUMNS ? line : `${start}\n${wrapText(`(${what})${why}`, indented)}`;
  return shown.replace(start, paint);
}

const indented = { first: "      ", indent: "      " };

function problemLine({ kind, object, what, cure }: PlanProblem, colours: Colours): string {
  const word = { refused: "refused", lost: "lost", failed: "cannot be written" }[kind];
  const about = object === undefined ? "" : ` ${object}`;
  return [
    wrapText(`${word}${about}: ${what}`, { first: "! ", indent: "      " }).replace(word, colours.red),
    wrapText(`cure: ${cure}`, indented),
  ].join("\n");
}

function summaryLine({ summary: { create, change, remove, download }, failures }: Plan, { bold }: Colours): string {
  const downloads = download === 0 ? "" : `, ${download} to download`;
  const partial = failures.length === 0 ? "" : " (incomplete: see the errors)";
  if (create + change + remove + download === 0) {
    return bold(partial === "" ? "Plan: nothing to do" : `Plan: unknown${partial}`);
  }
  return bold(`Plan: ${create} to create, ${change} to change, ${remove} to remove${downloads}${partial}`);
}
