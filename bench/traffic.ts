/** What a sidecar asks of the API server: by a start, by a restart, by a watch that ends, by a resync. */
import { type BenchRun, eachRound, STANDARD } from "./bench_run.ts";
import { between, CountingProxy, type Traffic } from "./counting_proxy.ts";
import type { Figures } from "./figures.ts";
import type { ObjectSet } from "./object_set.ts";
import { settledMemoryOf } from "./process_figures.ts";
import { afterRequests, requestsOf } from "../tests/support/request_count.ts";
import { SIDECAR } from "./start_up.ts";

/** RESOURCE is `both` where nobody says otherwise: two watches. */
const SOURCES = 2;

/** A watch's end comes this often, in seconds, so that several can be counted in a short time. */
const WATCH_SECONDS = 2;

/** Ends counted of each source. */
const ENDS = 3;

export async function measureTraffic(run: BenchRun): Promise<void> {
  const set = await run.set(STANDARD);
  await eachRound(run, async () => {
    await using proxy = new CountingProxy(run.api.url);
    const way = await run.api.inCluster(proxy.url);
    await measureStarts(run, set, proxy, way);
    await measureEnds(run, set, proxy, "a watch that the server ends", {
      ...way,
      RESYNC_PERIOD: "0",
      WATCH_SERVER_TIMEOUT: String(WATCH_SECONDS),
    });
    await measureEnds(run, set, proxy, "a watch that the client ends", {
      ...way,
      RESYNC_PERIOD: "0",
      WATCH_CLIENT_TIMEOUT: String(WATCH_SECONDS),
    });
  });
}

/** The first start, and one that finds the files of the one before. */
async function measureStarts(run: BenchRun, set: ObjectSet, proxy: CountingProxy, way: Record<string, string>) {
  let folder: string | undefined;
  for (const what of ["a start", "a restart"]) {
    const before = proxy.traffic;
    const synced = await run.sync(set, way, folder);
    folder = synced.folder;
    await using sidecar = synced.process;
    await settledMemoryOf(sidecar.pid);
    addTraffic(run.figures, set, what, between(before, proxy.traffic), await requestsOf(sidecar));
    await sidecar.stop();
  }
}

/** Several ends of a watch, after those that the start brings: figures are those of one. */
async function measureEnds(
  run: BenchRun,
  set: ObjectSet,
  proxy: CountingProxy,
  what: string,
  settings: Record<string, string>,
): Promise<void> {
  const { process } = await run.sync(set, settings);
  await using sidecar = process;
  const started = await requestsOf(sidecar);
  // The first watch after a list is cut at random
  const beginsAt = await afterRequests(sidecar, started + 2 * SOURCES);
  const requests = await requestsOf(sidecar);
  const before = proxy.traffic;
  const endsAt = await afterRequests(sidecar, requests + ENDS * SOURCES);
  const { up, down, connections } = between(before, proxy.traffic);
  const ends = Math.round((endsAt - beginsAt) / 1000 / WATCH_SECONDS) * SOURCES;
  const one = { up: up / ends, down: down / ends, connections: connections / ends };
  addTraffic(run.figures, set, what, one, (await requestsOf(sidecar) - requests) / ends);
}

function addTraffic(
  figures: Figures,
  set: ObjectSet,
  what: string,
  { up, down, connections }: Traffic,
  requests: number,
) {
  figures.add(SIDECAR, set.title, `requests of ${what}`, "requests", requests);
  figures.add(SIDECAR, set.title, `connections of ${what}`, "connections", connections);
  figures.add(SIDECAR, set.title, `bytes up of ${what}`, "bytes", up);
  figures.add(SIDECAR, set.title, `bytes down of ${what}`, "bytes", down);
}
