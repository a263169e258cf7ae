/** Limits of the figures: ratios to the floors of the same run where the speed of the machine or the size of Deno matters. */
import { LARGE, SMALL, STANDARD } from "./bench_run.ts";
import { afterBurst, BURSTS } from "./bursts.ts";
import { COLLECTIONS, collectionsTitle } from "./collections.ts";
import { ANYWHERE, type Figures } from "./figures.ts";
import { BARE_LOOP, BARE_WATCH, IDLE_DENO } from "./floors.ts";
import { MANY_NAMESPACES } from "./many_namespaces.ts";
import { MANY_WATCHES } from "./many_watches.ts";
import { titleOf } from "./object_set.ts";
import { MANY, SIDECAR, WITH_KUBECONFIG } from "./start_up.ts";

export interface Verdict {
  what: string;
  /** As the budget is written. */
  budget: string;
  value: number;
  limit: number;
  /** As the value is written. */
  shown: string;
  holds: boolean;
}

interface Budget {
  what: string;
  limit: number;
  /** The limit for a compiled binary, where it differs. */
  binaryLimit?: number;
  unit: string;
  digits: number;
  /** NaN: it was not measured. */
  value(figures: Figures): number;
  /** What the machine itself made of it in this run: the limit is at least this, when others keep the machine busy. */
  excuse?(figures: Figures): { limit: number; why: string };
}

const MEGABYTE = 1e6;

/** The burst from which on there is to be no growth: compiled code, and garbage that may wait, have come in by then. */
const WARM = 3;

/** What a burst may leave behind all the same, for RssAnon is never quite still: as share of it. */
const NO_GROWTH = 1.01;

/** On a busy machine a percentile is the scheduler's, not the program's: measured by what the same does to a bare watch. */
const EXCUSED_FACTOR = 1.5;

const standard = titleOf(STANDARD);
const large = titleOf(LARGE);

const BUDGETS: readonly Budget[] = [
  {
    what: `RssAnon after ${standard}`,
    limit: 2.0,
    binaryLimit: 1.2,
    unit: " × idle Deno",
    digits: 2,
    value: (figures) => ofSidecar(figures, standard, "RssAnon after sync") / idle(figures, "RssAnon"),
  },
  {
    what: `RssAnon after ${standard}, with a kubeconfig`,
    limit: 2.4,
    binaryLimit: 1.5,
    unit: " × idle Deno",
    digits: 2,
    value: (figures) =>
      (figures.median(WITH_KUBECONFIG, standard, "RssAnon after sync") ?? NaN) / idle(figures, "RssAnon"),
  },
  {
    what: `RssAnon per extra object at ${MANY.count.toLocaleString("en")}`,
    limit: 600,
    unit: " bytes",
    digits: 0,
    value: (figures) =>
      (ofSidecar(figures, titleOf(MANY), "RssAnon after sync") - ofSidecar(figures, standard, "RssAnon after sync")) /
      (MANY.count - STANDARD.count),
  },
  {
    what: `RssAnon after ${BURSTS} bursts over ${standard}`,
    limit: 2.4,
    binaryLimit: 1.4,
    unit: " × idle Deno",
    digits: 2,
    value: (figures) => ofSidecar(figures, standard, afterBurst(BURSTS)) / idle(figures, "RssAnon"),
  },
  {
    what: `RssAnon from burst to burst, ${WARM}rd to ${BURSTS}th`,
    limit: NO_GROWTH,
    unit: " × each",
    digits: 3,
    value: (figures) =>
      (ofSidecar(figures, standard, afterBurst(BURSTS)) / ofSidecar(figures, standard, afterBurst(WARM))) **
        (1 / (BURSTS - WARM)),
  },
  {
    what: `peak of ${large}, above idle Deno's`,
    limit: 40,
    unit: " MB",
    digits: 1,
    value: (figures) => {
      const peaks = ["peak of sync", "peak with bursts", "peak with single updates"]
        .map((what) => ofSidecar(figures, large, what)).filter((peak) => !Number.isNaN(peak));
      return peaks.length === 0 ? NaN : (Math.max(...peaks) - idle(figures, "peak")) / MEGABYTE;
    },
  },
  latency(large, "update to file, p50", 25, `${large}: update to file, p50`),
  {
    what: `spawn to complete sync, ${standard}`,
    limit: 2,
    unit: " × the bare loop",
    digits: 2,
    value: (figures) =>
      ofSidecar(figures, standard, "spawn to complete sync") /
      (figures.median(BARE_LOOP, standard, "spawn to files") ?? NaN),
  },
  latency(standard, "update to file, p50", 1.5),
  latency(standard, "update to file, p99", 5),
  {
    what: "idle CPU time",
    limit: 0.5,
    unit: " ms/s",
    digits: 2,
    value: (figures) => ofSidecar(figures, standard, "idle CPU time"),
  },
  {
    what: `RssAnon with ${MANY_WATCHES}`,
    // From source, Deno itself takes 6 MB more
    limit: 85,
    binaryLimit: 75,
    unit: " MB",
    digits: 1,
    value: (figures) => ofSidecar(figures, MANY_WATCHES, "RssAnon") / MEGABYTE,
  },
  {
    what: `open files with ${MANY_WATCHES}`,
    limit: 640,
    unit: "",
    digits: 0,
    value: (figures) => ofSidecar(figures, MANY_WATCHES, "open files"),
  },
  {
    what: `RssAnon with ${MANY_NAMESPACES}`,
    limit: 22,
    binaryLimit: 12,
    unit: " MB",
    digits: 1,
    value: (figures) => ofSidecar(figures, MANY_NAMESPACES, "RssAnon") / MEGABYTE,
  },
  {
    what: `RssAnon with ${collectionsTitle(COLLECTIONS)}`,
    limit: 30,
    binaryLimit: 15,
    unit: " MB",
    digits: 1,
    value: (figures) => ofSidecar(figures, collectionsTitle(COLLECTIONS), "RssAnon") / MEGABYTE,
  },
  {
    what: `RssAnon per extra collection, 1 to ${COLLECTIONS}`,
    limit: 1,
    unit: " MB",
    digits: 2,
    value: (figures) =>
      (ofSidecar(figures, collectionsTitle(COLLECTIONS), "RssAnon") -
        ofSidecar(figures, collectionsTitle(1), "RssAnon")) / MEGABYTE / (COLLECTIONS - 1),
  },
  {
    what: "a watch that the server ends: requests",
    limit: 1,
    unit: "",
    digits: 2,
    value: (figures) => ofSidecar(figures, standard, "requests of a watch that the server ends"),
  },
  {
    what: "a watch that the server ends: answer, below one object",
    limit: SMALL,
    unit: " bytes",
    digits: 0,
    value: (figures) => ofSidecar(figures, standard, "bytes down of a watch that the server ends"),
  },
];

/** Compares the figures that were measured with their budgets. */
export function judge(figures: Figures, { isBinary }: { isBinary: boolean }): Verdict[] {
  return BUDGETS.map((budget) =>
    verdictOf(isBinary ? { ...budget, limit: budget.binaryLimit ?? budget.limit } : budget, figures)
  )
    .filter(({ value }) => !Number.isNaN(value));
}

function verdictOf({ what, unit, digits, ...budget }: Budget, figures: Figures): Verdict {
  const value = budget.value(figures);
  const excuse = budget.excuse?.(figures);
  const isExcused = excuse !== undefined && excuse.limit > budget.limit;
  const limit = isExcused ? excuse.limit : budget.limit;
  return {
    what,
    budget: `≤ ${budget.limit}${unit}` +
      (isExcused ? `, busy machine: ${limit.toFixed(digits)}${unit}, ${excuse.why}` : ""),
    value,
    limit,
    shown: `${value.toFixed(digits)}${unit}`,
    // As precise as it is shown
    holds: Number(value.toFixed(digits)) <= limit,
  };
}

function latency(where: string, figure: string, limit: number, what = figure): Budget {
  return {
    what,
    limit,
    unit: " ms",
    digits: 2,
    value: (figures) => ofSidecar(figures, where, figure),
    excuse: (figures) => ({
      limit: (figures.median(BARE_WATCH, where, figure) ?? NaN) * EXCUSED_FACTOR,
      why: `${EXCUSED_FACTOR} × the bare watch's`,
    }),
  };
}

function ofSidecar(figures: Figures, where: string, what: string): number {
  return figures.median(SIDECAR, where, what) ?? NaN;
}

function idle(figures: Figures, what: string): number {
  return figures.median(IDLE_DENO, ANYWHERE, what) ?? NaN;
}
