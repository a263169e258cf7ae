/**
 * What many sidecars are to an API server over time, with and without chance in their delays.
 *
 * `deno run bench/reconnect_simulation.ts [PODS] [LABELS]`: each pod watches ConfigMaps and Secrets of so many labels. The
 * watchers are the project's own; only time and the server are not.
 */
import { quantile } from "./figures.ts";
import { table } from "./report.ts";
import { CountingServer, followAll, type Request, sourcesOfPod } from "./simulated_fleet.ts";
import type { Source } from "../lib/objects/source.ts";
import { SimulatedTime } from "./simulated_time.ts";

const PODS = 5_000;
const LABELS = 1;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Seconds after the start at which the API server goes away: every watch has been cut at random by then. */
const OUTAGE_AT = 30 * MINUTE;

/** Seconds for which the API server is away. */
const OUTAGE = 5 * MINUTE;

/** How often a client that replays reconnects, in seconds. */
const REPLAYS_EVERY = 60;

interface Scale {
  pods: number;
  sources: readonly Source[];
}

type Seconds = readonly Record<Request, number>[];

interface Fleet {
  name: string;
  seconds: Seconds;
}

/** The same at every run. */
function seededRandom(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function simulate(
  { pods, sources }: Scale,
  random: () => number,
  story: (time: SimulatedTime, server: CountingServer) => Promise<number>,
): Promise<Seconds> {
  const time = new SimulatedTime();
  const server = new CountingServer(time);
  const stop = new AbortController();
  const running = followAll(pods, sources, server, time, random, stop.signal);
  const from = await story(time, server);
  const seconds = Array.from(
    { length: Math.floor(time.now() / 1000) - from },
    (_, at) => server.seconds[from + at] ?? { list: 0, check: 0, watch: 0, refused: 0 },
  );
  stop.abort();
  await time.pass(1);
  await running;
  return seconds;
}

/** All start in the same moment; then an hour. */
async function restart(time: SimulatedTime): Promise<number> {
  await time.pass(HOUR);
  return 0;
}

/** A fleet that has run for a while loses the API server. */
async function outage(time: SimulatedTime, server: CountingServer): Promise<number> {
  await time.pass(OUTAGE_AT);
  server.goDown();
  await time.pass(OUTAGE);
  server.comeBack();
  await time.pass(2 * OUTAGE);
  return OUTAGE_AT;
}

/** A client that has no version to resume from: each reconnect brings every object. */
function replaying({ pods, sources }: Scale, duration: number): Seconds {
  return Array.from({ length: duration }, (_, second) => ({
    list: second % REPLAYS_EVERY === 0 ? pods * sources.length : 0,
    check: 0,
    watch: 0,
    refused: 0,
  }));
}

const LEVELS = " ▁▂▃▄▅▆▇█";

/** A bar for each stretch of time: the most requests that came in one of its seconds, on a scale of logarithms. */
function chart(seconds: Seconds, width: number, most: number): string {
  const stretch = Math.ceil(seconds.length / width);
  const bars = Array.from({ length: Math.ceil(seconds.length / stretch) }, (_, at) => {
    const peak = Math.max(...seconds.slice(at * stretch, (at + 1) * stretch).map(total));
    const level = peak === 0
      ? 0
      : Math.max(1, Math.round(Math.log(peak + 1) / Math.log(most + 1) * (LEVELS.length - 1)));
    return LEVELS[level];
  });
  return `│${bars.join("")}│`;
}

function total({ list, check, watch, refused }: Record<Request, number>): number {
  return list + check + watch + refused;
}

function show(title: string, fleets: readonly Fleet[], axis: string): void {
  const most = Math.max(...fleets.flatMap(({ seconds }) => seconds.map(total)));
  console.log(
    `\n${title}\nBars: most requests in one second, logarithmic, full bar ${most.toLocaleString("en")}. ${axis}\n`,
  );
  for (const { name, seconds } of fleets) console.log(`${name.padEnd(24)} ${chart(seconds, 80, most)}`);
  console.log("");
  console.log(table(
    [
      "Fleet",
      "Requests per second, mean",
      "Worst second",
      "Worst after the first minute",
      "Lists per second, mean",
      "99% of seconds below",
    ],
    fleets.map(({ name, seconds }) => {
      const totals = seconds.map(total);
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      return [
        name,
        mean(totals).toFixed(1),
        Math.max(...totals).toLocaleString("en"),
        Math.max(...totals.slice(MINUTE)).toLocaleString("en"),
        mean(seconds.map(({ list }) => list)).toFixed(1),
        quantile(totals, 0.99).toLocaleString("en"),
      ];
    }),
  ));
}

if (import.meta.main) {
  const pods = Number(Deno.args[0] ?? PODS);
  const labels = Number(Deno.args[1] ?? LABELS);
  const scale = { pods, sources: sourcesOfPod(labels) };
  const none = () => 0;
  console.log(`Each pod has ${scale.sources.length} watches.`);
  show(`${pods.toLocaleString("en")} pods start in the same second`, [
    { name: "this sidecar", seconds: await simulate(scale, seededRandom(), restart) },
    { name: "the same without chance", seconds: await simulate(scale, none, restart) },
    { name: "replays every 60 s", seconds: replaying(scale, HOUR) },
  ], "One hour, 45 s a column.");
  show(`The API server is away for ${OUTAGE / MINUTE} minutes`, [
    { name: "this sidecar", seconds: await simulate(scale, seededRandom(), outage) },
    { name: "the same without chance", seconds: await simulate(scale, none, outage) },
  ], "15 minutes, 12 s a column; it comes back after a third.");
}
