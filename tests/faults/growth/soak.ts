/**
 * Whether anything grows: five collections of a CONFIG_FILE on a real control plane, some changes a second, and all that
 * a sidecar does beside them: downloads, webhooks, reloads, checks of the disk, broken watches, requests for its status.
 * Every minute the storm stops, the files must be right, and memory, open files and threads are measured.
 *
 * `deno task soak:growth [minutes] [--heap] [--only MOVE,MOVE]`, 10 minutes by default. `--heap` runs from source and
 * counts the live objects of V8's heap at the start and at the end. FAULTS_SEED repeats what chance decided.
 */
import { parseArgs } from "node:util";
import { ControlPlane, controlPlaneAvailable } from "../../support/control_plane.ts";
import { freePort } from "../../support/free_port.ts";
import { seconds, SEED } from "../../support/fault_story.ts";
import { eventually } from "../../support/oracle.ts";
import { pick, seeded } from "../../support/random.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import { inClusterAddress, Story } from "../../support/story.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { countHeap, growthBetween, type HeapCount } from "./heap.ts";
import { median, type ProcessUse, useOf } from "./process_use.ts";
import { downloadServer, webhookServer } from "./servers.ts";
import { World } from "./world.ts";

interface Row extends ProcessUse {
  minute: number;
  moves: number;
  /** Median of the samples of the storm. */
  stormMiB: number;
  /** Seconds until the files were right. */
  settled: number;
  metricsBytes: number;
  statusBytes: number;
  slowestProbeMs: number;
}

/** What may be more at the end than after the warm-up, between two storms. */
const GROWTH = { rssAnonMiB: 2, fds: 2, sockets: 2, inotifyWatches: 0, threads: 1, metricsBytes: 4096 } as const;

/** Live objects that may be more at the end, of some 100,000. */
const HEAP_GROWTH = 2000;

/** Share of the rows that count as warm-up. */
const WARM_UP = 0.2;

const STORM_SECONDS = 50;
const SAMPLE_SECONDS = 10;
const MAX_PROBE_MS = 3000;

async function soak(minutes: number, only: string[] | undefined, inspectPort: number | undefined): Promise<boolean> {
  const random = seeded(SEED);
  console.log(`${minutes} minutes, FAULTS_SEED=${SEED}`);
  const controlPlane = await ControlPlane.start();
  try {
    await using story = await Story.begin(controlPlane, "growth");
    await using proxy = await TcpProxy.start(controlPlane.url);
    await using downloads = downloadServer(random);
    await using webhooks = webhookServer(random);
    const world = new World(story, random, { downloads: downloads.url, webhooks: webhooks.url });
    await world.begin();
    const settings = {
      ...{ ...await story.serviceAccount(), ...inClusterAddress(proxy.url) },
      ...{ WATCH_SERVER_TIMEOUT: "30", WATCH_CLIENT_TIMEOUT: "33", RESYNC_PERIOD: "60", CHECK_PERIOD: "10" },
      ...{ LOG_LEVEL: "ERROR", URL_ALLOWED_HOSTS: undefined },
    };
    const sidecar = await world.config.startReady(settings, inspectPort === undefined ? {} : inspected(inspectPort));
    const probes = probing(sidecar);
    const moves: Record<string, [weight: number, () => Promise<unknown> | void]> = {
      objects: [4, () => world.changeObject(["plain", "named"])],
      downloads: [3, () => world.changeObject(["url", "packed"])],
      reload: [2, () => world.changeConfig()],
      hangup: [0.5, () => sidecar.kill("SIGHUP")],
      status: [1, () => sidecar.health("/status")],
      page: [1, () => sidecar.health("/")],
      metrics: [1, () => sidecar.health("/metrics")],
      tamper: [0.5, () => world.tamper()],
      reset: [0.2, () => proxy.reset()],
    };
    const names = Object.keys(moves).filter((name) => only?.includes(name) ?? true);
    const choices = names.flatMap((name) => Array(10 * (moves[name]?.[0] ?? 0)).fill(name) as string[]);
    const rows: Row[] = [];
    await using _ending = { [Symbol.asyncDispose]: () => tellEnd(sidecar) };
    const startedAt = performance.now();
    let count = 0;
    let firstHeap: HeapCount | undefined;
    while (performance.now() < startedAt + minutes * 60_000) {
      downloads.isMoody = webhooks.isMoody = true;
      const samples: number[] = [];
      const stormAt = performance.now();
      while (performance.now() < stormAt + STORM_SECONDS * 1000) {
        if (!sidecar.running) throw new Error("the sidecar ended");
        await moves[pick(random, choices)]?.[1]();
        count++;
        await seconds(0.6 * random());
        if (performance.now() < stormAt + samples.length * SAMPLE_SECONDS * 1000) continue;
        samples.push(useOf(sidecar.pid).rssAnonMiB);
      }
      downloads.isMoody = webhooks.isMoody = false;
      world.calm();
      const calmAt = performance.now();
      await eventually(() => world.assertFiles(), { timeout: 120_000, interval: 250 });
      const settled = Math.round((performance.now() - calmAt) / 1000);
      await seconds(4);
      rows.push({
        minute: Math.round((performance.now() - startedAt) / 60_000),
        moves: count,
        stormMiB: median(samples),
        settled,
        ...useOf(sidecar.pid),
        metricsBytes: (await sidecar.health("/metrics")).text.length,
        statusBytes: (await sidecar.health("/status")).text.length,
        slowestProbeMs: probes.takeSlowest(),
      });
      if (rows.length === 1) print(Object.keys(rows[0] ?? {}));
      print(Object.values(rows.at(-1) ?? {}));
      if (inspectPort !== undefined && rows.length === 3) firstHeap = await countHeap(inspectPort);
    }
    await probes.stop();
    console.log(`${downloads.asked} downloads, ${webhooks.asked} webhook calls`);
    const lastHeap = firstHeap && await countHeap(inspectPort ?? 0);
    // A snapshot takes memory that the process keeps
    return firstHeap === undefined || lastHeap === undefined ? isFlat(rows) : heapIsFlat(firstHeap, lastHeap);
  } finally {
    await controlPlane.stop();
  }
}

/** If the sidecar has ended, how, and what it said last. */
async function tellEnd(sidecar: SidecarProcess): Promise<void> {
  await seconds(1);
  if (!sidecar.running) console.log(`the sidecar ended: ${JSON.stringify(sidecar.exit)}\n${sidecar.tail()}`);
}

/** Asks the probes every second, as a kubelet would. */
function probing(sidecar: SidecarProcess) {
  const end = new AbortController();
  let slowest = 0;
  const asked = (async () => {
    while (!end.signal.aborted) {
      for (const path of ["/readyz", "/livez", "/healthz"]) {
        const askedAt = performance.now();
        const { status } = await sidecar.health(path);
        slowest = Math.max(slowest, Math.round(performance.now() - askedAt));
        if (status !== 200) throw new Error(`${path} answered ${status}`);
      }
      await seconds(1);
    }
  })();
  // Thrown again by stop()
  asked.catch((error) => console.log(`probes: ${error.message}`));
  return {
    takeSlowest() {
      const result = slowest;
      slowest = 0;
      return result;
    },
    async stop() {
      end.abort();
      await asked;
    },
  };
}

/** Adds `--inspect` to `deno run`. */
function inspected(port: number) {
  const script = `deno=$1; shift 2; exec "$deno" run --inspect=127.0.0.1:${port} "$@"`;
  return { through: ["/bin/sh", "-c", script, "sh"] };
}

/** Compares the first quarter of the rows after the warm-up with the last. */
function isFlat(rows: readonly Row[]): boolean {
  const warm = rows.slice(Math.floor(rows.length * WARM_UP));
  const count = Math.max(1, warm.length >> 2);
  let flat = true;
  const assertThat = (isRight: boolean, text: string) => {
    console.log(`${isRight ? "ok" : "NOT OK"}  ${text}`);
    flat &&= isRight;
  };
  for (const [name, allowed] of Object.entries(GROWTH) as [keyof typeof GROWTH, number][]) {
    const of = (part: readonly Row[]) => median(part.map((row) => row[name]));
    const [before, after] = [of(warm.slice(0, count)), of(warm.slice(-count))];
    assertThat(after - before <= allowed, `${name}: ${before} after the warm-up, ${after} at the end`);
  }
  const slowest = Math.max(...rows.map(({ slowestProbeMs }) => slowestProbeMs));
  assertThat(slowest <= MAX_PROBE_MS, `slowest probe: ${slowest} ms`);
  return flat;
}

function heapIsFlat(before: HeapCount, after: HeapCount): boolean {
  console.log(`live objects: ${before.objects} and ${after.objects}; bytes: ${before.bytes} and ${after.bytes}`);
  for (const [kind, more] of growthBetween(before, after).slice(0, 40)) console.log(`  +${more}  ${kind}`);
  return after.objects - before.objects <= HEAP_GROWTH;
}

function print(cells: readonly unknown[]): void {
  console.log(`| ${cells.map((cell) => String(cell).padStart(8)).join(" | ")} |`);
}

if (import.meta.main) {
  if (!controlPlaneAvailable()) {
    console.error("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd");
    Deno.exit(2);
  }
  const { values, positionals } = parseArgs({
    options: { heap: { type: "boolean", default: false }, only: { type: "string" } },
    allowPositionals: true,
  });
  const flat = await soak(Number(positionals[0] ?? 10), values.only?.split(","), values.heap ? freePort() : undefined);
  console.log(flat ? "flat" : "it grows");
  Deno.exit(flat ? 0 : 1);
}
