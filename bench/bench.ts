/**
 * Measures the sidecar as a whole process from outside, beside the floors of the same run.
 *
 * `deno task bench [--quick] [--json] [--rounds N] [--only STORY]`
 */
import { ApiServer } from "./api_server.ts";
import { BenchRun } from "./bench_run.ts";
import { judge } from "./budgets.ts";
import { measureBursts } from "./bursts.ts";
import { measureCollections } from "./collections.ts";
import { Figures } from "./figures.ts";
import { measureIdleDeno } from "./floors.ts";
import { measureIdle } from "./idle.ts";
import { measureLatency } from "./latency.ts";
import { measureManyNamespaces } from "./many_namespaces.ts";
import { measureManyWatches } from "./many_watches.ts";
import { budgetTable, type Circumstances, describe, figureTable, format } from "./report.ts";
import { measureStartUp } from "./start_up.ts";
import { measureTraffic } from "./traffic.ts";

const STORIES: Record<string, (run: BenchRun) => Promise<void>> = {
  "start-up": measureStartUp,
  bursts: measureBursts,
  latency: measureLatency,
  traffic: measureTraffic,
  idle: measureIdle,
  watches: measureManyWatches,
  namespaces: measureManyNamespaces,
  collections: measureCollections,
};

const USAGE = `usage: deno task bench [--quick] [--json] [--rounds N] [--only ${Object.keys(STORIES).join("|")}]

--quick    the small scenarios, one round; fails above twice a budget
--json     everything that was measured, as JSON
--rounds   how often everything is measured; 3 without --quick
--only     one story`;

/** Above a budget times this, `--quick` fails: machines that run tests are shared, and times are noise there. */
const QUICK_TOLERANCE = 2;

interface Options {
  quick: boolean;
  json: boolean;
  rounds: number;
  stories: string[];
}

async function main(): Promise<number> {
  const options = parse(Deno.args);
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { quick, json, rounds, stories } = options;
  const [load = 0] = Deno.loadavg();
  const figures = new Figures(({ of, where, what }, unit, value) => {
    console.error(`${of}, ${where}, ${what}: ${format(value, unit)}`);
  });
  await using api = await ApiServer.start();
  const run = new BenchRun(api, figures, { quick, rounds });
  await measureIdleDeno(run);
  let isComplete = true;
  for (const story of stories) {
    try {
      await STORIES[story]?.(run);
    } catch (error) {
      isComplete = false;
      console.error(`${story}: not complete:`, error);
    }
  }

  const binary = Deno.env.get("SIDECAR_BIN") || undefined;
  const circumstances: Circumstances = {
    apiServer: api.name,
    sidecar: binary ?? "deno run main.ts",
    deno: Deno.version.deno,
    processors: navigator.hardwareConcurrency,
    filesystem: filesystemOf(api.dir),
    load,
    rounds,
    date: new Date().toISOString().slice(0, 10),
  };
  const budgets = judge(figures, { isBinary: binary !== undefined });
  if (json) console.log(JSON.stringify({ circumstances, figures: figures.summaries(), budgets }, undefined, 2));
  else {
    console.log([describe(circumstances), figureTable(figures), budgetTable(budgets)].join("\n\n"));
  }
  const broken = budgets.filter(({ value, limit }) => value > limit * QUICK_TOLERANCE);
  if (!isComplete) return 1;
  if (!quick || broken.length === 0) return 0;
  console.error(`above ${QUICK_TOLERANCE} × the budget: ${broken.map(({ what }) => what).join("; ")}`);
  return 1;
}

/** The type of the file system that a path is on: of the longest mount point above it. */
function filesystemOf(path: string): string {
  const mounts = Deno.readTextFileSync("/proc/mounts").trim().split("\n").map((line) => line.split(" "));
  const above = mounts.filter(([, point = ""]) =>
    path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`)
  );
  const [, , type = "?"] = above.sort((a, b) => (b[1] ?? "").length - (a[1] ?? "").length)[0] ?? [];
  return type;
}

function parse(args: readonly string[]): Options | undefined {
  const options: Options = { quick: false, json: false, rounds: 0, stories: Object.keys(STORIES) };
  const left = [...args];
  while (left.length > 0) {
    const flag = left.shift();
    if (flag === "--quick") options.quick = true;
    else if (flag === "--json") options.json = true;
    else if (flag === "--rounds") options.rounds = Number(left.shift());
    else if (flag === "--only") options.stories = [left.shift() ?? ""];
    else return undefined;
  }
  if (options.rounds === 0) options.rounds = options.quick ? 1 : 3;
  const isKnown = options.stories.every((story) => story in STORIES);
  return isKnown && Number.isInteger(options.rounds) && options.rounds > 0 ? options : undefined;
}

if (import.meta.main) Deno.exit(await main());
